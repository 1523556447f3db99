"""Games as they are recorded and exported: one JSON line per game, holding what was decided and nothing that follows from it.

    {"format": "esports-rps/1",
     "setup": {game_id, player, bot, started_at, session_id, simulated, is_test, easy_mode, opening, model, secret_commitment},
     "rounds": [{step_no, user, bot, values: {rock, paper, scissors}, played_at, commitment, nonce}, ...],
     "secret": 64 hex digits once the game is over and revealed, else null}

Points, results, the score and the winner follow from the moves by the rules and are never read from a file.

Belongs here: the record, its line, and playing it again.
Does not belong here: canonical events (``events.py``), databases, files.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from esports_assets.games.rps.commitments import broken_promise, verify
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.rules import GameOver, GameState, RoundPlayed
from esports_assets.games.rps.values import SECRET_BYTES, RoundValues

FORMAT = "esports-rps/1"
"""What a line says of itself; a reader refuses another number."""

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Moment = Annotated[datetime, Meta(tz=True)]


class RecordError(ValueError):
    """A line that is no game, or a game that cannot have been played, in one sentence."""


class ServedModel(msgspec.Struct, frozen=True):
    """Which version of a model a bot played with."""

    registered: Name
    alias: Name
    version: Name


class GameSetup(msgspec.Struct, frozen=True):
    """What is fixed of a game before its first round. ``player`` and ``bot`` are names; ``bot`` is its policy."""

    game_id: Name
    player: Name
    bot: Name
    started_at: Moment
    session_id: Name | None = None
    simulated: bool = False
    is_test: bool = False
    easy_mode: bool = False
    opening: Name | None = None
    model: ServedModel | None = None
    secret_commitment: Hash | None = None


class RecordedRound(msgspec.Struct, frozen=True):
    """The moves of a round and what they were worth; the commitment is that of the bot's move."""

    step_no: Annotated[int, Meta(ge=1)]
    user: Move
    bot: Move
    values: RoundValues
    played_at: Moment | None = None
    commitment: Hash | None = None
    nonce: str | None = None


class RecordedGame(msgspec.Struct, frozen=True):
    """A game, finished or broken off."""

    setup: GameSetup
    rounds: tuple[RecordedRound, ...] = ()
    secret: Hash | None = None


class _Line(RecordedGame, frozen=True, kw_only=True):
    format: str


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def line_of(game: RecordedGame) -> bytes:
    """The game as one line of a file, without its end."""
    return _encoder.encode({"format": FORMAT, **msgspec.structs.asdict(game)})


def game_of_line(line: bytes) -> RecordedGame:
    """The inverse of ``line_of``; RecordError says what is wrong with a line."""
    try:
        found = _decoder.decode(line)
    except msgspec.ValidationError as error:
        raise RecordError(f"not a recorded game: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"not JSON: {error}") from error
    if found.format != FORMAT:
        raise RecordError(f"format {found.format!r} is not readable here (this is {FORMAT})")
    game = RecordedGame(found.setup, found.rounds, found.secret)
    played(game)
    return game


def played(game: RecordedGame) -> list[RoundPlayed]:
    """The rounds with points and scores, by the rules; RecordError for rounds that the rules do not allow."""
    state, told = GameState(), []
    for number, entry in enumerate(game.rounds, start=1):
        if entry.step_no != number:
            raise RecordError(f"game {game.setup.game_id}: round {entry.step_no} stands where round {number} belongs")
        try:
            state, one = state.play(entry.user, entry.bot, entry.values)
        except GameOver as error:
            raise RecordError(f"game {game.setup.game_id}: round {number} cannot be, {error}") from error
        told.append(one)
    return told


def final_state(rounds: Sequence[RoundPlayed]) -> GameState:
    """Where a game stands after these rounds."""
    last = rounds[-1] if rounds else None
    return GameState() if last is None else GameState(last.step_no, last.user_score, last.bot_score)


def broken_promises(game: RecordedGame) -> list[str]:
    """What the game announced and did not keep, a sentence each; what was not revealed cannot be judged."""
    found = [
        f"round {entry.step_no}: the bot's move {entry.bot} is not the one that was announced"
        for entry in game.rounds
        if entry.commitment and entry.nonce is not None and not verify(entry.commitment, entry.bot, entry.nonce)
    ]
    announced = game.setup.secret_commitment
    if game.secret is not None and announced is not None:
        pairs = [(entry.step_no, entry.values) for entry in game.rounds]
        wrong = broken_promise(announced, secret_bytes(game.secret), pairs)
        found += [] if wrong is None else [wrong]
    return found


def secret_bytes(text: str) -> bytes:
    """A secret from its hex form; RecordError for another length."""
    try:
        secret = bytes.fromhex(text)
    except ValueError as error:
        raise RecordError(f"a secret is told in hex digits: {error}") from error
    if len(secret) != SECRET_BYTES:
        raise RecordError(f"a secret has {2 * SECRET_BYTES} hex digits, not {len(text)}")
    return secret
