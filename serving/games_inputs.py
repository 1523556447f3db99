"""Bodies of the game routes: what may be told, and one sentence where it does not fit.

Belongs here: shapes of bodies and what their words mean. Does not belong here: what is done with them.
"""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.promotion.scores import Traffic
from serving.errors import ApiError, quoted
from serving.games import Wish
from serving.games_policies import DEFAULT, policy_named

ANONYMOUS = "anonymous"
"""Who tells no name; never on a leaderboard."""
_SIMULATED = re.compile(rf"(?:{'|'.join(OPPONENTS)}|(?:sim|bot|load|auto)[-_].*)", re.IGNORECASE)
"""Names of scripted players and of simulators: no people."""
_EASY = re.compile("easy", re.IGNORECASE)
Name = Annotated[str, Meta(min_length=1, max_length=60)]
Id = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9_.\-]+$")]


class StartBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new game. ``traffic`` says who sits there; ``is_test`` (or ``mark_test_game``) keeps it out of every figure."""

    player_name: Name | None = None
    policy: str = DEFAULT
    difficulty_mode: str = "standard"
    session_id: Id | None = None
    is_test: bool = False
    mark_test_game: bool = False
    traffic: Traffic = Traffic.HUMAN


class PlayBody(msgspec.Struct, forbid_unknown_fields=True):
    """A move; ``round`` is the one it is meant for, the open one by default."""

    game_id: str
    user_move: str
    round: int | None = None


Body = TypeVar("Body", bound=msgspec.Struct)


def read(body: bytes, kind: type[Body]) -> Body:
    """The body, an empty one standing for no fields; ApiError 422 says what does not fit."""
    try:
        return msgspec.json.decode(body.strip() or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise ApiError(422, "invalid_body", f"The body does not fit: {_lower(str(error))}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(422, "invalid_json", "The body is not valid JSON; it must be an object.") from error


def wish_of(body: StartBody) -> Wish:
    """Who wants to play whom; ApiError 422 for a policy or mode that there is not."""
    name = ANONYMOUS if body.player_name is None else _clean(body.player_name)
    if _EASY.search(body.difficulty_mode) or body.policy.endswith("_easy"):
        raise ApiError(422, "retired_mode", "The easy mode is retired; leave difficulty_mode out.")
    traffic = body.traffic
    if traffic is Traffic.HUMAN and _SIMULATED.fullmatch(name):
        traffic = Traffic.BOT
    test = body.is_test or body.mark_test_game
    return Wish(policy_named(body.policy), name, body.session_id, traffic, test)


def move_of(word: str) -> Move:
    """The move; ApiError 422 lists the three."""
    try:
        return Move(word)
    except ValueError as error:
        raise ApiError(422, "unknown_move", f"{quoted(word)} is no move; moves are {', '.join(MOVES)}.") from error


def _clean(name: str) -> str:
    """The name without blanks around it; ApiError 422 for control characters or nothing at all."""
    stripped = " ".join(name.split())
    if not stripped or not stripped.isprintable():
        raise ApiError(422, "bad_name", "player_name must have at least one letter and no control characters.")
    return stripped


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
