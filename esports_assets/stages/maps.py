"""Stage: what is learned of the maps from all matches of a title, kept in the lake beside the tables.

Belongs here: collecting plants and positions' bounds over matches, storing and loading them, and quarantining a match that
goes far outside what the others show: only beside them can it be judged.
Does not belong here: what a site is (``windows/sites.py``), rules of a match alone (``canonical/invariants.py``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.invariants import POSITION_IN_MAP
from esports_assets.canonical.match import Finding
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.lake import Lake, MatchRecord
from esports_assets.windows.sites import Plant, SiteBook, plants_of

CELL_U = 64.0
"""Two players side by side, in game units: a site whose centre moves by less has not moved."""

BEYOND_U = 1024.0
"""How far outside what other matches of a map show a position may lie, in game units. Of 46 real maps, none lies farther out
beside any two others of its map; beside a single other one did, by 1045, so there it may be twice as far."""

_ENOUGH = 3
"""From so many others on, the most extreme of them does not count: two matches with the same fault would excuse each other.
Of the real maps, beside all others of their map, the farthest then lies 864 beyond."""

_LEARNING = "2"
"""Bump it when the same matches teach something else."""

Extent = tuple[float, float, float, float, float, float]
"""Lowest and highest x, y and z of living players and of events, in game units."""


@dataclass(frozen=True, slots=True)
class Maps:
    """The site book of a title, how far each match extends on its map, and which tables they were learned from.

    A match that goes far outside is in ``extents``, and nothing else is learned from it.
    """

    book: SiteBook
    source_version: str
    extents: Mapping[str, Mapping[str, Extent]]
    """By map and match."""

    def outside(self) -> list[str]:
        """One sentence for every match that goes far beyond what the other matches of its map show."""
        return [f"{match_id}: {told}" for match_id, told in _strays(self.extents).items()]

    @property
    def data_version(self) -> str:
        """Where the sites are, to a cell of ``CELL_U``, and who strays: more plants on the same spots are the same map."""
        cells = {
            f"{name} {site}": str([round(axis / CELL_U) for axis in centre])
            for name, sites in self.book.centres().items()
            for site, centre in sites.items()
        }
        return combined_hash(cells | dict.fromkeys(_strays(self.extents), "outside"))


class _Stored(msgspec.Struct):
    source_version: str
    plants: list[Plant]
    extents: dict[str, dict[str, Extent]]


def _key(title: Title) -> str:
    return f"geometry/{title.value}/plants.json"


def learn_maps(lake: Lake, title: Title) -> Maps:
    """Collect what matches show of their maps and keep it; no work where no match changed.

    A match that goes far outside is quarantined, and released when the others come to show as much.
    """
    records = [r for r in lake.matches(title) if {f.rule for f in r.quarantined} <= {POSITION_IN_MAP}]
    read = {r.header.match_id: f"{r.versions['events']} {r.versions['tracking']}" for r in records}
    version = combined_hash(read | {"learning": _LEARNING})
    known = _load(lake, title)
    if known is None or known.source_version != version:
        known = _learned(lake, records, version)
        lake.store.put(_key(title), msgspec.json.encode(known))
    strays = _strays(known.extents)
    for record in records:
        _judge(lake, record, strays.get(record.header.match_id))
    return _maps(known)


def load_maps(lake: Lake, title: Title) -> Maps:
    """What was learned last; LookupError if nothing was."""
    known = _load(lake, title)
    if known is None:
        raise LookupError(
            f"nothing is known of the maps of {title.value}: materialize canonical/{title.value}/maps first"
        )
    return _maps(known)


def _learned(lake: Lake, records: Sequence[MatchRecord], version: str) -> _Stored:
    plants: list[Plant] = []
    extents: dict[str, dict[str, Extent]] = {}
    for record in records:
        events = lake.read("events", record.header, ["match_id", "map", "event_type", "payload"])
        extent = _extent(lake.read("tracking", record.header, ["x_u", "y_u", "z_u", "alive"]), events)
        if extent is not None:
            extents.setdefault(record.header.map, {})[record.header.match_id] = extent
        plants += plants_of(events)
    return _Stored(version, sorted(plants), extents)


def _maps(known: _Stored) -> Maps:
    strays = _strays(known.extents)
    book = SiteBook.learn(plant for plant in known.plants if plant[0] not in strays)
    return Maps(book, known.source_version, known.extents)


def _judge(lake: Lake, record: MatchRecord, stray: str | None) -> None:
    """State in the match's record whether it goes far outside its map; nothing is written where the record says so already."""
    header = record.header
    where = f"{header.match_id} {header.map}"
    stated = () if stray is None else (Finding(POSITION_IN_MAP, where, stray),)
    if stated == record.quarantined:
        return
    with lake.store.exclusive():
        match = lake.load(header)
        others = tuple(finding for finding in match.findings if finding.rule != POSITION_IN_MAP)
        match = replace(match, findings=(*others, *stated))
        lake.write_match(match, adapter_version=record.adapter_version, raw=record.raw)


def _extent(tracking: pa.Table, events: pa.Table) -> Extent | None:
    """How far the living and the events go; None where nothing tells of a place."""
    living = tracking.filter(tracking["alive"])
    told = [_told_places(events["payload"], key) for key in ("pos", "target_pos")]
    ends = [
        pc.min_max(
            pa.concat_arrays([living[f"{axis}_u"].combine_chunks().cast(pa.float64()), *(t[axis] for t in told)])
        )
        for axis in "xyz"
    ]
    if not ends[0]["min"].is_valid:
        return None
    x, y, z = (end.as_py() for end in ends)
    return (x["min"], x["max"], y["min"], y["max"], z["min"], z["max"])


def _told_places(payload: pa.ChunkedArray, key: str) -> dict[str, pa.Array]:
    """The coordinates that stand under a key of payloads, by axis; null where there is none."""
    number = r"-?[0-9.]+(?:[eE][-+]?[0-9]+)?"
    axes = ",".join(f"(?P<{axis}>{number})" for axis in "xyz")
    found = pc.extract_regex(payload, rf'"{key}":\[{axes}\]').combine_chunks()
    return {axis: pc.struct_field(found, axis).cast(pa.float64()) for axis in "xyz"}


def _strays(extents: Mapping[str, Mapping[str, Extent]]) -> dict[str, str]:
    """By match that goes far beyond what the other matches of its map show: the sentence that says how far."""
    found: dict[str, str] = {}
    for name, matches in sorted(extents.items()):
        for match_id, extent in sorted(matches.items()):
            others = [other for key, other in matches.items() if key != match_id]
            beyond = max(_beyond(extent, others), default=0.0)
            if beyond > BEYOND_U * (2 if len(others) == 1 else 1):
                show = "other match shows" if len(others) == 1 else "other matches show"
                found[match_id] = f"a position lies {beyond:.0f} units outside {name} as {len(others)} {show} it"
    return found


def _beyond(extent: Extent, others: Sequence[Extent]) -> Iterator[float]:
    """How far an extent exceeds the others together, on each of its six sides; nothing without others."""
    if not others:
        return
    rank = 1 if len(others) >= _ENOUGH else 0
    for low in (0, 2, 4):
        yield sorted(other[low] for other in others)[rank] - extent[low]
        yield extent[low + 1] - sorted((other[low + 1] for other in others), reverse=True)[rank]


def _load(lake: Lake, title: Title) -> _Stored | None:
    data = lake.store.find(_key(title))
    try:
        return None if data is None else msgspec.json.decode(data, type=_Stored)
    except msgspec.ValidationError:
        return None  # written in an older form: it is learned again
