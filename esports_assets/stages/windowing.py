"""Stage: windows of the accepted matches of a day.

Belongs here: which matches need computing, the facts that make a feature table current, removing those of matches that went.
Does not belong here: features (``windows/``).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date

import pyarrow as pa

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import Title
from esports_assets.models.multiclass.labelled import LABELS_VERSION, labelled_table
from esports_assets.stages.maps import Maps
from esports_assets.storage.lake import DerivedRecord, Lake, MatchRecord
from esports_assets.windows.batch import match_windows
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.next_move import NEXT_MOVE, next_move_table
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS, next_move_signs_table
from esports_assets.windows.player_form import PLAYER_FORM, player_form_table
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.spec import WindowSpec
from esports_assets.windows.view import Sites

FORM_READS = ("events", "rounds", "players")
"""The tables that the form of players is made from; positions tell it nothing."""

MOVE_TABLES = {NEXT_MOVE.name: next_move_table, NEXT_MOVE_SIGNS.name: next_move_signs_table}
"""The windows of rock-paper-scissors, from a match's events."""

Facts = dict[str, str]
"""What decides the rows of a match: other facts, other rows."""


@dataclass(frozen=True, slots=True)
class WindowedDay:
    """What the windows of a day hold now, and how many matches had to be computed."""

    day: date
    records: tuple[DerivedRecord, ...]
    computed: int

    @property
    def rows(self) -> int:
        """Feature rows of the day."""
        return sum(record.rows for record in self.records)

    @property
    def data_version(self) -> str:
        """One version of the day's feature tables."""
        return combined_hash({record.match_id: record.version for record in self.records})


def window_day(lake: Lake, title: Title, day: date, maps: Maps) -> WindowedDay:
    """Bring the states of rounds of a day up to date with matches, maps and the window's definition."""

    def facts(match: MatchRecord) -> Facts:
        return _facts_beside(maps, match, ROUND_STATE.fingerprint)

    def rows(match: MatchRecord) -> pa.Table:
        return match_windows(lake.load(match.header), _sites(maps, match))

    return _bring(lake, title, day, ROUND_STATE, facts, rows)


def micro_day(lake: Lake, title: Title, day: date, maps: Maps) -> WindowedDay:
    """Bring what the players of a day's matches did last, and did next, up to date in the same way."""

    def facts(match: MatchRecord) -> Facts:
        return {**_facts_beside(maps, match, PLAYER_MICRO.fingerprint), "labels": LABELS_VERSION}

    def rows(match: MatchRecord) -> pa.Table:
        return labelled_table(lake.load(match.header), _sites(maps, match))

    return _bring(lake, title, day, PLAYER_MICRO, facts, rows)


def moves_day(lake: Lake, day: date, spec: WindowSpec) -> WindowedDay:
    """Bring one of the two windows of a day's games of rock-paper-scissors up to date with them and its definition."""
    table = MOVE_TABLES[spec.name]

    def facts(match: MatchRecord) -> Facts:
        return {"fingerprint": spec.fingerprint, "match_version": match.versions["events"]}

    def rows(match: MatchRecord) -> pa.Table:
        return table(_with_tables(lake, match, ("events",)))

    return _bring(lake, Title.RPS, day, spec, facts, rows)


def _sites(maps: Maps, match: MatchRecord) -> Sites:
    """The sites of a match's map as the other matches show them."""
    return maps.book.sites(match.header.map, without=match.header.match_id)


def _facts_beside(maps: Maps, match: MatchRecord, fingerprint: str) -> Facts:
    """What decides the rows of a window that knows the bomb sites."""
    where = hashlib.blake2b(repr(astuple(_sites(maps, match))).encode(), digest_size=8).hexdigest()
    return {"fingerprint": fingerprint, "match_version": match.data_version, "sites": where}


def form_day(lake: Lake, title: Title, day: date) -> WindowedDay:
    """Bring the form of the players of a day's matches up to date with them and the window's definition."""

    def facts(match: MatchRecord) -> Facts:
        read = combined_hash({name: match.versions[name] for name in FORM_READS})
        return {"fingerprint": PLAYER_FORM.fingerprint, "match_version": read}

    def rows(match: MatchRecord) -> pa.Table:
        return player_form_table(_with_tables(lake, match, FORM_READS))

    return _bring(lake, title, day, PLAYER_FORM, facts, rows)


def windows_of(lake: Lake, title: Title, days: Iterable[date], spec: WindowSpec = ROUND_STATE) -> Iterator[pa.Table]:
    """The feature tables of some days, one per match."""
    window = shelf_of(spec)
    for day in days:
        headers = {record.header.match_id: record.header for record in lake.matches(title, day)}
        for record in lake.window_records(title, window, day):
            if record.match_id in headers:
                yield lake.read_windows(headers[record.match_id], window)


def shelf_of(spec: WindowSpec) -> str:
    """How the lake calls a window of a title."""
    return spec.name.split("/", 1)[1]


def _bring(
    lake: Lake,
    title: Title,
    day: date,
    spec: WindowSpec,
    facts_of: Callable[[MatchRecord], Facts],
    rows_of: Callable[[MatchRecord], pa.Table],
) -> WindowedDay:
    """Compute a window for the accepted matches of a day whose facts are others than those of the rows in the lake."""
    window, computed = shelf_of(spec), 0
    matches = lake.matches(title, day)
    accepted = {match.header.match_id: match for match in matches if not match.quarantined}
    known = {record.match_id: record for record in lake.window_records(title, window, day)}
    for match_id, match in accepted.items():
        facts = facts_of(match)
        if match_id not in known or dict(known[match_id].facts) != facts:
            lake.write_windows(match.header, window, rows_of(match), facts)
            computed += 1
    for match in matches:
        if match.header.match_id in known and match.header.match_id not in accepted:
            lake.delete_windows(match.header, window)
    records = tuple(record for record in lake.window_records(title, window, day) if record.match_id in accepted)
    return WindowedDay(day, records, computed)


def _with_tables(lake: Lake, match: MatchRecord, names: Sequence[str]) -> CanonicalMatch:
    """A match of which only some tables are read; the others are empty."""
    tables = {
        table.name: lake.read(table.name, match.header) if table.name in names else table.arrow.empty_table()
        for table in CANONICAL_TABLES
    }
    return CanonicalMatch(match.header, **tables)
