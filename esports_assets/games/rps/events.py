"""Games as canonical events, and back: MAP_START, four events a round, MAP_END once a game is finished.

A round is a segment: ROUND_START with its values (and the commitment to the bot's move), MOVE of the user, MOVE of the bot,
ROUND_END with the points so far. A side is a team of one. There is no clock, no space, and no row in the table of rounds: that
table tells of two roles and a winner, and a drawn hand has neither. ``seq`` and ids follow from the round's number, so a running
game tells its events one round at a time, and they are those of the finished one.

Belongs here: ids, payloads, tables of a match, and the way back.
Does not belong here: files (``adapters/rps``), the stream.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.event import CanonicalEvent, IngestionMeta, event_id
from esports_assets.canonical.match import CanonicalMatch, Finding, MatchHeader, identifier
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.record import (
    GameSetup,
    RecordedGame,
    RecordedRound,
    RecordError,
    broken_promises,
    final_state,
    played,
)
from esports_assets.games.rps.rules import RoundPlayed, Winner
from esports_assets.games.rps.values import RoundValues

SOURCE = "rps"
"""Prefix of every id."""
MAP = "none"
"""Rock-paper-scissors has no map."""
PROMISES = "promises_kept"
"""Rule of the finding that a game did not keep what it announced."""
EVENTS_A_ROUND = 4


def user_id(setup: GameSetup) -> str:
    """The user, as player and as team."""
    return identifier(SOURCE, "user", setup.player)


def bot_id(setup: GameSetup) -> str:
    """The bot, as player and as team."""
    return identifier(SOURCE, "bot", setup.bot)


def header_of(setup: GameSetup) -> MatchHeader:
    """The header: a session is a series, a game without one is a series of its own; simulated games have ids of their own."""
    prefix = f"{SOURCE}.sim" if setup.simulated else SOURCE
    series = identifier(prefix, setup.session_id or setup.game_id)
    return MatchHeader(
        match_id=f"{series}:{identifier(setup.game_id)}",
        series_id=series,
        title=Title.RPS,
        map=MAP,
        source=SOURCE,
        day=setup.started_at.astimezone(UTC).date(),
        simulated=setup.simulated,
    )


def opening_events(setup: GameSetup) -> tuple[CanonicalEvent, ...]:
    """What is said before the first round."""
    user, bot = user_id(setup), bot_id(setup)
    payload = {
        "teams": {user: setup.player, bot: setup.bot},
        "players": {user: user, bot: bot},
        "game": msgspec.to_builtins(setup),
    }
    return (_event(setup, EventType.MAP_START, 0, 0, setup.started_at, payload),)


def round_events(setup: GameSetup, entry: RecordedRound, told: RoundPlayed) -> tuple[CanonicalEvent, ...]:
    """What is said of a round; ``told`` is what the rules make of ``entry``. Its time is the game's start where it has none."""
    user, bot, step_no = user_id(setup), bot_id(setup), entry.step_no
    first, moment = 1 + EVENTS_A_ROUND * (step_no - 1), entry.played_at or setup.started_at
    opened: dict[str, Any] = {"values": entry.values.by_move}
    moved: dict[str, Any] = {"move": entry.bot.value, "value": entry.values.of(entry.bot)}
    if entry.commitment is not None:
        opened["commitment"] = entry.commitment
    if entry.nonce is not None:
        moved["nonce"] = entry.nonce
    by_user = {"move": entry.user.value, "value": entry.values.of(entry.user)}
    won_by = {told.user_points > told.bot_points: user, told.bot_points > told.user_points: bot}.get(True)
    points = {user: told.user_score, bot: told.bot_score}
    return (
        _event(setup, EventType.ROUND_START, step_no, first, moment, opened),
        _event(setup, EventType.MOVE, step_no, first + 1, moment, by_user, user),
        _event(setup, EventType.MOVE, step_no, first + 2, moment, moved, bot),
        _event(setup, EventType.ROUND_END, step_no, first + 3, moment, {"winner_team": won_by, "points": points}),
    )


def closing_events(game: RecordedGame, rounds: Sequence[RoundPlayed]) -> tuple[CanonicalEvent, ...]:
    """What is said at the end; nothing of a game that was broken off."""
    setup, state = game.setup, final_state(rounds)
    if not state.finished:
        return ()
    user, bot = user_id(setup), bot_id(setup)
    winner = {Winner.USER: user, Winner.BOT: bot}.get(state.winner or Winner.TIE)
    payload: dict[str, Any] = {"winner_team": winner, "points": {user: state.user_score, bot: state.bot_score}}
    if game.secret is not None:
        payload["secret"] = game.secret
    moment = game.rounds[-1].played_at or setup.started_at
    return (_event(setup, EventType.MAP_END, 0, 1 + EVENTS_A_ROUND * state.played, moment, payload),)


def _event(
    setup: GameSetup,
    kind: EventType,
    segment: int,
    seq: int,
    moment: datetime,
    payload: dict[str, Any],
    actor: str | None = None,
) -> CanonicalEvent:
    header = header_of(setup)
    return CanonicalEvent(
        event_id=event_id(SOURCE, header.match_id, seq),
        match_id=header.match_id,
        event_type=kind,
        timestamp=moment,
        actor=actor,
        team=actor,
        payload=payload,
        ingestion_meta=IngestionMeta(source=SOURCE, simulated=setup.simulated),
        title=header.title,
        series_id=header.series_id,
        map=header.map,
        segment=segment,
        seq=seq,
    )


def events_of_game(game: RecordedGame) -> Iterator[CanonicalEvent]:
    """All events of a game in order; RecordError for rounds that the rules do not allow."""
    rounds = played(game)
    yield from opening_events(game.setup)
    for entry, told in zip(game.rounds, rounds, strict=True):
        yield from round_events(game.setup, entry, told)
    yield from closing_events(game, rounds)


def match_of(game: RecordedGame) -> CanonicalMatch:
    """The game as a canonical match; a promise that was not kept is a finding."""
    setup, header = game.setup, header_of(game.setup)
    ids = [user_id(setup), bot_id(setup)]
    names = [setup.player, setup.bot]
    columns = {"player": ids, "player_name": names, "team": ids, "team_name": names}
    return CanonicalMatch(
        header=header,
        events=events_table(events_of_game(game)),
        tracking=table_of(TRACKING, {name: [] for name in TRACKING.names}),
        rounds=table_of(ROUNDS, {name: [] for name in ROUNDS.names}),
        players=table_of(PLAYERS, {"match_id": [header.match_id] * 2, **columns}),
        findings=tuple(Finding(PROMISES, header.match_id, sentence) for sentence in broken_promises(game)),
    )


def game_of_events(events: Iterable[CanonicalEvent]) -> RecordedGame:
    """The game that events tell, in their order; RecordError for events that are not those of one game.

    A round that is not complete yet is left out, and so is a round's time that is the game's start: that is what stands there when
    a source tells none.
    """
    by_round: dict[int, dict[str, CanonicalEvent]] = {}
    setup, secret = None, None
    for event in events:
        if event.event_type is EventType.MAP_START:
            setup = _setup(event)
        elif event.event_type is EventType.MAP_END:
            secret = event.payload.get("secret")
        elif event.segment > 0:
            by_round.setdefault(event.segment, {})[_role(event)] = event
    if setup is None:
        raise RecordError("the events tell no start of a game of rock-paper-scissors")
    complete = [parts for _, parts in sorted(by_round.items()) if len(parts) == EVENTS_A_ROUND]
    return RecordedGame(setup, tuple(_recorded(setup, parts) for parts in complete), secret)


def _role(event: CanonicalEvent) -> str:
    kind, actor = event.event_type, event.actor or ""
    if kind is EventType.MOVE:
        return "user" if actor.startswith(f"{SOURCE}:user:") else "bot"
    return kind.value


def _setup(event: CanonicalEvent) -> GameSetup:
    try:
        return msgspec.convert(event.payload.get("game"), GameSetup)
    except msgspec.ValidationError as error:
        raise RecordError(f"{event.match_id}: the start tells no game: {error}") from error


def _recorded(setup: GameSetup, parts: dict[str, CanonicalEvent]) -> RecordedRound:
    start, user, bot = parts[EventType.ROUND_START.value], parts["user"], parts["bot"]
    try:
        return RecordedRound(
            step_no=start.segment,
            user=Move(user.payload["move"]),
            bot=Move(bot.payload["move"]),
            values=RoundValues.told(start.payload["values"]),
            played_at=None if start.timestamp == setup.started_at else start.timestamp,
            commitment=start.payload.get("commitment"),
            nonce=bot.payload.get("nonce"),
        )
    except (KeyError, ValueError) as error:
        raise RecordError(f"{start.match_id}: round {start.segment} cannot be read: {error}") from error
