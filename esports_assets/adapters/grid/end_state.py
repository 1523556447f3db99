"""An ``end_state`` file (GraphQL shaped): the score sheet of a whole series, without what happened in between.

Belongs here: one ROUND_END per decided round, the end of each finished game, the rounds and the players of each started one.
Does not belong here: messages and deltas (``decoder.py``).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from esports_assets.adapters.base import MalformedRecord, Refusal, WrongFormat
from esports_assets.adapters.grid import mapping, raw
from esports_assets.adapters.grid.frames import map_end, win_type, winner_of
from esports_assets.adapters.grid.scene import SOURCE, Game, Scene
from esports_assets.adapters.grid.tables import Row, match_of_score_sheet, round_row
from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.event import CanonicalEvent, event_id
from esports_assets.canonical.match import INVALIDATED, CanonicalMatch, Finding, MatchHeader, identifier
from esports_assets.canonical.vocabulary import EventType, Side, Title


class EndState:
    """A series' final state, from one file."""

    def __init__(self, file: str, place: str, state: raw.State, day: date) -> None:
        self._file = file
        self._place = place
        self._state = state
        self._day = day
        self._refusals: list[Refusal] = []

    def read(self) -> tuple[list[CanonicalMatch], list[Refusal]]:
        """One match per game that was started; what cannot be a round is refused by itself.

        Raises WrongFormat for a title that is not read here, MalformedRecord for a state without id or title.
        """
        series, title = raw.text(self._state.get("id")), self._title()
        if series is None:
            raise MalformedRecord(self._file, self._place, "the series state has no id")
        matches = []
        for index, game in enumerate(raw.dicts(self._state.get("games"))):
            if game.get("started") is False:
                continue
            number = raw.whole(game.get("sequenceNumber"), 1, 1000) or index + 1
            try:
                matches.append(self._match(series, number, title, game))
            except ValueError as error:
                self._refusals.append(Refusal(self._file, f"game {number}", str(error)))
        return matches, self._refusals

    def _title(self) -> Title:
        told = raw.tree(self._state, "title")
        word = next((w for k in ("nameShortened", "name", "id") if (w := raw.text(told.get(k)))), None)
        if word is None:
            raise MalformedRecord(self._file, self._place, "the series state has no title")
        found = mapping.title(word)
        if found is None:
            name = mapping.FOREIGN_TITLES.get(word.lower(), repr(word))
            reason = f"the series is {name}; this adapter reads CS:GO, Counter-Strike 2 and VALORANT"
            raise WrongFormat(self._file, self._place, reason)
        return found

    def _match(self, series: str, number: int, title: Title, state: raw.State) -> CanonicalMatch:
        started = raw.moment(state.get("startedAt")) or raw.moment(self._state.get("startedAt"))
        moment = started or datetime(self._day.year, self._day.month, self._day.day, tzinfo=UTC)
        map_name = (raw.text(raw.tree(state, "map").get("name")) or "unknown").lower()
        match_id = identifier(SOURCE, series, str(number))
        header = MatchHeader(match_id, identifier(SOURCE, series), title, map_name, SOURCE, moment.date())
        game = Game(raw.text(state.get("id")) or "", header)
        members = Scene(self._state, game, 0).members()
        ends: list[CanonicalEvent] = []
        rows: list[Row] = []
        untimed = 0
        for segment_state in self._decided(state):
            segment = raw.whole(segment_state.get("sequenceNumber"), 1, 200)
            try:
                if segment is None:
                    raise ValueError("its number is not one from 1 to 200")
                end, row = self._round(game, segment, segment_state, moment, len(ends))
            except ValueError as error:
                place = f"game {number} round {segment_state.get('sequenceNumber')}"
                self._refusals.append(Refusal(self._file, place, str(error)))
                continue
            game.won[segment] = str(end.team)
            untimed += row["duration_s"] is None
            ends.append(end)
            rows.append(row)
        findings = []
        if untimed:
            message = (
                f"{untimed} rounds have no time of their own; started_at is the start of the game, else of the series"
            )
            findings.append(Finding("no_time", f"{self._file} game {number}", message))
        if self._state.get("valid") is False:
            findings.append(Finding(INVALIDATED, f"{self._file} game {number}", "the source says that it is not valid"))
        if state.get("finished") is True:
            ends.append(_map_end(game, self._state, ends[-1].timestamp if ends else moment, len(ends)))
        return match_of_score_sheet(header, ends, rows, members, findings)

    def _decided(self, state: raw.State) -> Iterator[raw.State]:
        rounds = (s for s in raw.dicts(state.get("segments")) if s.get("type") == "round")
        decided = (s for s in rounds if winner_of(s) is not None)
        yield from sorted(decided, key=lambda s: raw.whole(s.get("sequenceNumber")) or 0)

    def _round(
        self, game: Game, segment: int, state: raw.State, start: datetime, seq: int
    ) -> tuple[CanonicalEvent, Row]:
        scene = Scene(self._state, game, segment)
        sides, winner, header = scene.sides(), winner_of(state), game.header
        side = scene.side_of(winner)
        if side is None or len(sides) != 2:
            raise ValueError("the sides of its teams are not told")
        reason = mapping.end_reason(win_type(state) or "", side)
        if reason is None:
            raise ValueError(f"winType {win_type(state)!r} is not known")
        score = {s: game.score(sides[s], segment) + (s is side) for s in Side}
        payload: dict[str, Any] = {f"{s.value}_team": sides[s] for s in Side} | {
            f"{s.value}_score": score[s] for s in Side
        }
        payload |= {"winner_side": side.value, "winner_team": winner, "reason": reason.value}
        freeze = next((s for s in raw.dicts(state.get("segments")) if s.get("type") == "freezetime"), {})
        whole, freeze_s = raw.duration_s(state.get("duration")), raw.duration_s(freeze.get("duration"))
        own = raw.moment(state.get("startedAt"))
        timed = own is not None and whole is not None and freeze_s is not None and whole >= freeze_s
        duration = whole - freeze_s if timed and whole is not None and freeze_s is not None else None
        zero = own + timedelta(seconds=freeze_s) if timed and own is not None and freeze_s is not None else own or start
        end = CanonicalEvent(
            event_id=event_id(SOURCE, header.match_id, f"end_state.round-{segment}"),
            match_id=header.match_id,
            event_type=EventType.ROUND_END,
            timestamp=zero + timedelta(seconds=duration or 0.0),
            team=winner,
            side=side,
            payload=payload,
            title=header.title,
            series_id=header.series_id,
            map=header.map,
            segment=segment,
            t=duration,
            seq=seq,
        )
        return end, round_row(header, end) | {"started_at": utc_us(zero), "freeze_s": freeze_s, "duration_s": duration}


def _map_end(game: Game, series: raw.State, moment: datetime, seq: int) -> CanonicalEvent:
    """The game is over, with the score that its state tells."""
    draft, header = map_end(Scene(series, game, 0)), game.header
    return CanonicalEvent(
        event_id=event_id(SOURCE, header.match_id, "end_state.map_end"),
        match_id=header.match_id,
        event_type=draft.type,
        timestamp=moment,
        team=draft.team,
        payload=draft.payload,
        title=header.title,
        series_id=header.series_id,
        map=header.map,
        seq=seq,
    )
