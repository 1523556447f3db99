"""GRID's messages to canonical events, one message at a time: what a live feed needs, and what the file adapter uses.

Belongs here: games and rounds opening and starting over, rollbacks, what is said of which game.
Does not belong here: opening files and ordering lines (``reading.py``), the state of a series (``running.py``), payloads
(``translate.py``), ids and times (``framing.py``), tables (``tables.py``).

``seq`` counts what was said of a match and is never reused, so a live consumer sees gaps after a retraction; the file
adapter numbers anew what stands. ``t`` is None until the round's freeze time has ended; the file adapter fills it in.
"""

from dataclasses import dataclass, field, replace
from datetime import date

from esports_assets.adapters.base import AdapterError, Refusal, WrongFormat
from esports_assets.adapters.grid import arsenal, mapping, raw
from esports_assets.adapters.grid.draft import Draft, generic
from esports_assets.adapters.grid.framing import Framing
from esports_assets.adapters.grid.ledger import Ledger, Statement
from esports_assets.adapters.grid.running import RunningState
from esports_assets.adapters.grid.scene import SOURCE, Game, Round, Scene
from esports_assets.adapters.grid.sequence import Remarks, Sequence
from esports_assets.adapters.grid.translate import drafts
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import INVALIDATED, Finding, MatchHeader, identifier
from esports_assets.canonical.vocabulary import EventType, Title

UNKNOWN_MAP = "unknown"
_NO_MAP = "initial-map-name"
_GAME_START, _GAME_END = "series-started-game", "series-ended-game"


@dataclass(slots=True)
class Decoded:
    """What one message changed: statements made, statements taken back, and what was refused of it."""

    said: list[Statement] = field(default_factory=list)
    retracted: list[Statement] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def events(self) -> list[CanonicalEvent]:
        """New canonical events, in order."""
        return [event for statement in self.said for event in statement.events]

    @property
    def retracted_ids(self) -> list[str]:
        """Ids of earlier canonical events that no longer stand, newest first."""
        return [event.event_id for statement in self.retracted for event in reversed(statement.events)]


class GridDecoder:
    """The decoder of one series; ``ledger`` holds what stands, ``games`` the games that stand, ``remarks`` findings."""

    def __init__(self, file: str, day: date) -> None:
        """``file`` names the input in refusals; ``day`` is the time of events that carry none."""
        self._file = file
        self._state = RunningState()
        self._sequence = Sequence(file)
        self._title: Title | None = None
        self._foreign = False
        self._current: str | None = None
        self._held: dict[Statement, Draft] = {}
        self._framing = Framing(day, self._remark)
        self.ledger = Ledger()
        self.games: dict[str, Game] = {}
        self.remarks = Remarks(file)

    def feed(self, message: raw.Message) -> Decoded:
        """Take in one message, in order of sequence numbers. Bad content is refused in what is returned, never raised."""
        out = Decoded()
        if self._foreign:
            return out
        try:
            noted = self._sequence.admit(message)
        except AdapterError as error:
            out.refusals.append(Refusal.of(error))
            return out
        if noted is None:
            self._remark("duplicate_message", message.place, "a message came more than once; copies are dropped")
            return out
        for rule, sentence in noted:
            self._remark(rule, message.place, sentence)
        for index, event in enumerate(message.events):
            statement = Statement(message.number, index, event, message.occurred_at, message.place)
            try:
                self._take(statement, message, out)
            except WrongFormat as error:
                out.refusals.append(Refusal.of(error))
                break
            except ValueError as error:
                place = f"{message.place}, sequence number {message.number}"
                out.refusals.append(Refusal(self._file, place, f"event {index} ({event.type}) is refused: {error}"))
        for event in message.events:
            event.seriesState = event.seriesStateDelta = event.actor.state = event.target.state = None
        both = {id(s) for s in out.said} & {id(s) for s in out.retracted}
        out.said = [s for s in out.said if id(s) not in both]
        out.retracted = [s for s in out.retracted if id(s) not in both]
        return out

    def withdrawn(self) -> tuple[Finding, ...]:
        """A finding for every match of the series where its source has invalidated it and not validated it again."""
        since = self._state.invalid_since
        if since is None:
            return ()
        message = "the source invalidated the series here and has not validated it again"
        return (Finding(INVALIDATED, f"{self._file} {since}", message),)

    def _remark(self, rule: str, place: str, message: str) -> None:
        game = self.games.get(self._current or "")
        self.remarks.add(game.header.match_id if game else "", rule, place, message)

    def _take(self, statement: Statement, message: raw.Message, out: Decoded) -> None:
        event = statement.event
        undone = self._undone(event, statement.place) if event.undone_type is not None else None
        for difference in self._state.follow(event, statement.place):
            told = f"delta and state disagree, the state stands: {difference}"
            self._remark("delta_mismatch", statement.place, told)
        self._identify(event, message)
        if undone is not None:
            self._undo(undone, out)
            return
        key = raw.game_of(event)
        if key is not None and (event.type == _GAME_START or key not in self.games):
            self._open(key, statement, message, out)
        game = self.games.get(key or self._current or "")
        statement.game = key
        if game is None:
            self._held[statement] = generic(event, message.record(statement.index))
        else:
            self._say(statement, message, game, out)
        self.ledger.append(statement)

    def _identify(self, event: raw.Event, message: raw.Message) -> None:
        """Learn the title; a partial state tells it by VALORANT's own words for sides only."""
        if self._title is not None:
            return
        told = raw.tree(self._state.tree, "title")
        words = [told.get("nameShortened"), told.get("name"), told.get("id"), message.title_id]
        word = next((w for w in words if isinstance(w, str) and w), None)
        if word is not None:
            self._title = mapping.title(word)
            if self._title is None:
                self._foreign = True
                name = mapping.FOREIGN_TITLES.get(word.lower(), repr(word))
                reason = f"series {message.series} is {name}; this adapter reads CS:GO, Counter-Strike 2 and VALORANT"
                raise WrongFormat(self._file, message.place, reason)
            return
        if any(raw.tree(node.state).get("side") in mapping.VALORANT_SIDES for node in (event.actor, event.target)):
            self._title = Title.VALORANT

    def _open(self, key: str, statement: Statement, message: raw.Message, out: Decoded) -> None:
        """A game begins, or is first heard of; an unfinished game that it replaces no longer counts."""
        if self._title is None:
            raise ValueError("the title of the series has not been told (no state with `title` before it)")
        state = raw.by_id(self._state.tree.get("games"), key)
        number = raw.whole(state.get("sequenceNumber"), 1, 1000) or len(self.games) + 1
        map_name = self._map(key)
        for other in [g for g in self.games.values() if self._replaced(g, key, number, map_name)]:
            self._drop_game(other.key, out)
            self._remark("game_restarted", statement.place, "a game was started over; only the last start counts")
        series = f"sim.{message.series}" if message.simulated else message.series
        header = MatchHeader(
            identifier(SOURCE, series, str(number)),
            identifier(SOURCE, series),
            self._title,
            map_name,
            SOURCE,
            self._framing.timestamp(statement).date(),
            message.simulated,
        )
        self.games[key] = game = Game(key, header)
        self._current = key
        self.remarks.settle(header.match_id)
        for held, draft in self._held.items():
            self._framing.frame(held, [draft], game, message.simulated)
            out.said.append(held)
        self._held = {}

    def _replaced(self, game: Game, key: str, number: int, map_name: str) -> bool:
        same_map = game.header.map == map_name != UNKNOWN_MAP
        return game.key == key or game.header.match_id.endswith(f":{number}") or (same_map and not game.ended)

    def _map(self, key: str) -> str:
        name = raw.text(raw.tree(raw.by_id(self._state.tree.get("games"), key), "map").get("name"))
        return name.lower() if name and name != _NO_MAP else UNKNOWN_MAP

    def _say(self, statement: Statement, message: raw.Message, game: Game, out: Decoded) -> None:
        """Make a statement about a game: its canonical events and positions."""
        event = statement.event
        if game.header.map == UNKNOWN_MAP and (name := self._map(game.key)) != UNKNOWN_MAP:
            game.header = replace(game.header, map=name)
        outside = game.ended or event.type in (_GAME_START, _GAME_END) or event.actor.type == "grid"
        segment = 0 if outside else raw.segment_of(event) or game.current
        statement.segment = segment
        kind = mapping.EVENT_TYPES.get(event.type)
        if kind is EventType.ROUND_START:
            if segment == 0:
                raise ValueError("the number of the round is not told")
            self._restart_rounds(game, segment, statement.place, out)
            game.current = segment
        if segment:
            game.current = max(game.current, segment)
            round_ = game.rounds.setdefault(segment, Round(segment))
            if kind is EventType.FREEZE_END and round_.freeze_end is not None:
                raise ValueError(f"the freeze time of round {segment} has already ended")
            if event.type == "team-won-round" and round_.decided:
                raise ValueError(f"round {segment} is already decided")
        scene = Scene(self._state.tree, game, segment)
        game.members.update(scene.members())
        game.members.update(scene.strangers(event, game.members))
        found = drafts(message, statement.index, scene)
        self._framing.frame(statement, found, game, message.simulated)
        self._remark_unknown(found, game.header, statement.place)
        out.said.append(statement)
        self._fold(game, statement)
        if segment and statement.occurred_at is not None:
            statement.samples = scene.samples(statement.occurred_at)

    def _remark_unknown(self, found: list[Draft], header: MatchHeader, place: str) -> None:
        for draft in found:
            for name in arsenal.unknown(draft.payload, header.title):
                told = f"{name!r} is not among the known weapons and items of {header.title.value}; kept as written"
                self.remarks.add(header.match_id, "unknown_weapon", place, told)

    def _fold(self, game: Game, statement: Statement) -> None:
        if statement.segment:
            game.rounds[statement.segment].fold(statement.events)
        for event in statement.events:
            if event.event_type is EventType.ROUND_END and event.team:
                game.won[statement.segment] = event.team
            elif event.event_type is EventType.MAP_END:
                game.ended = True

    def _restart_rounds(self, game: Game, segment: int, place: str, out: Decoded) -> None:
        """A round that starts again takes back its first attempt, and every round after it."""
        if not any(number >= segment and round_.begun for number, round_ in game.rounds.items()):
            return
        out.retracted += self.ledger.retract(lambda s: s.game == game.key and s.segment >= segment)
        game.rounds = {number: round_ for number, round_ in game.rounds.items() if number < segment}
        game.won = {number: team for number, team in game.won.items() if number < segment}
        self._remark("round_restarted", place, f"round {segment} started again; only the last start counts")

    def _drop_game(self, key: str, out: Decoded) -> None:
        out.retracted += self.ledger.retract(lambda s: s.game == key)
        del self.games[key]
        self._current = next(reversed(self.games), None)

    def _undone(self, event: raw.Event, place: str) -> Statement:
        """What an undo takes back.

        Raises ValueError where there is nothing, before the event could change anything.
        """
        statement, newest = self.ledger.undone_by(event)
        if statement is None:
            what = f"{event.undone_type} of {event.actor.id!r} on {event.target.id!r}"
            raise ValueError(f"there is nothing to undo: no {what} stands before it")
        if not newest:
            self._remark("undo_out_of_order", place, "an undo skips newer events, which stand")
        return statement

    def _undo(self, statement: Statement, out: Decoded) -> None:
        self.ledger.remove(statement)
        out.retracted.append(statement)
        self._held.pop(statement, None)
        game = self.games.get(statement.game or "")
        if game is None:
            return
        if statement.event.type == _GAME_START:
            self._drop_game(game.key, out)
            return
        if statement.event.type == _GAME_END:
            game.ended = False
        self._refold(game, statement.segment)

    def _refold(self, game: Game, segment: int) -> None:
        """The facts of a game after something was taken back: what still stands, folded again."""
        game.rounds.pop(segment, None)
        game.won.pop(segment, None)
        for statement in self.ledger.of_round(game.key, segment) if segment else ():
            game.rounds.setdefault(segment, Round(segment))
            self._fold(game, statement)
        game.current = max(game.rounds, default=0)
