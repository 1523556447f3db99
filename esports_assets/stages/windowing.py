"""Stage: windows of the accepted matches of a day.

Belongs here: which matches need computing, the facts that make a feature table current, removing those of matches that went.
Does not belong here: features (``windows/``).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import date

import pyarrow as pa

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.stages.maps import Maps
from esports_assets.storage.lake import DerivedRecord, Lake, MatchRecord
from esports_assets.windows.batch import match_windows
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.view import Sites

WINDOW = ROUND_STATE.name.split("/", 1)[1]


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
    """Bring the feature tables of a day up to date with matches, maps and the window's definition."""
    accepted = [record for record in lake.matches(title, day) if not record.quarantined]
    known = {record.match_id: record for record in lake.window_records(title, WINDOW, day)}
    computed = 0
    for match in accepted:
        header = match.header
        sites = maps.book.sites(header.map, without=header.match_id)
        facts = _facts(match, sites)
        earlier = known.get(header.match_id)
        if earlier is None or dict(earlier.facts) != facts:
            lake.write_windows(header, WINDOW, match_windows(lake.load(header), sites), facts)
            computed += 1
    ids = {match.header.match_id for match in accepted}
    for record in lake.matches(title, day):
        if record.header.match_id in known and record.header.match_id not in ids:
            lake.delete_windows(record.header, WINDOW)
    return WindowedDay(day, tuple(r for r in lake.window_records(title, WINDOW, day) if r.match_id in ids), computed)


def windows_of(lake: Lake, title: Title, days: Iterable[date]) -> Iterator[pa.Table]:
    """The feature tables of some days, one per match."""
    for day in days:
        headers = {record.header.match_id: record.header for record in lake.matches(title, day)}
        for record in lake.window_records(title, WINDOW, day):
            if record.match_id in headers:
                yield lake.read_windows(headers[record.match_id], WINDOW)


def _facts(match: MatchRecord, sites: Sites) -> dict[str, str]:
    """What decides the rows of a match: its tables, the sites it sees, and the window's definition."""
    where = hashlib.blake2b(repr(astuple(sites)).encode(), digest_size=8).hexdigest()
    return {"fingerprint": ROUND_STATE.fingerprint, "match_version": match.data_version, "sites": where}
