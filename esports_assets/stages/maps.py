"""Stage: what is learned of the maps from all matches of a title, kept in the lake beside the tables.

Belongs here: collecting plants and positions' bounds over accepted matches, storing and loading them.
Does not belong here: what a site is (``windows/sites.py``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.lake import Lake
from esports_assets.windows.sites import Plant, SiteBook, plants_of

CELL_U = 64.0
"""Two players side by side, in game units: a site whose centre moves by less has not moved."""


BEYOND_U = 1024.0
"""How far outside what other matches of a map show a position may lie, in game units. On 46 real maps, left out in turn, the
farthest lie 791 (a fall into the depth), 310 and 178 beyond; all others less than 60."""

Extent = tuple[float, float, float, float, float, float]
"""Lowest and highest x, y and z of the living, in game units."""


@dataclass(frozen=True, slots=True)
class Maps:
    """The site book of a title, how far each match extends on its map, and which events they were learned from."""

    book: SiteBook
    source_version: str
    extents: Mapping[str, Mapping[str, Extent]]
    """By map and match."""

    def outside(self) -> list[str]:
        """One sentence for every match that goes far beyond what the other matches of its map show."""
        found = []
        for name, extents in sorted(self.extents.items()):
            for match_id, extent in sorted(extents.items()):
                others = [other for key, other in extents.items() if key != match_id]
                beyond = max(_beyond(extent, others), default=0.0)
                if beyond > BEYOND_U:
                    found.append(
                        f"{match_id}: a position lies {beyond:.0f} units outside {name} as {len(others)} other matches show it"
                    )
        return found

    @property
    def data_version(self) -> str:
        """Where the sites are, to a cell of ``CELL_U``: more plants on the same spots are the same map."""
        cells = {
            f"{name} {site}": str([round(axis / CELL_U) for axis in centre])
            for name, sites in self.book.centres().items()
            for site, centre in sites.items()
        }
        return combined_hash(cells)


class _Stored(msgspec.Struct):
    source_version: str
    plants: list[Plant]
    extents: dict[str, dict[str, Extent]]


def _key(title: Title) -> str:
    return f"geometry/{title.value}/plants.json"


def learn_maps(lake: Lake, title: Title) -> Maps:
    """Collect the plants of every accepted match and keep them; no work where no match changed."""
    records = [record for record in lake.matches(title) if not record.quarantined]
    version = combined_hash({r.header.match_id: f"{r.versions['events']} {r.versions['tracking']}" for r in records})
    known = _load(lake, title)
    if known is None or known.source_version != version:
        plants: list[Plant] = []
        extents: dict[str, dict[str, Extent]] = {}
        for record in records:
            extent = _extent(lake.read("tracking", record.header, ["x_u", "y_u", "z_u", "alive"]))
            if extent is not None:
                extents.setdefault(record.header.map, {})[record.header.match_id] = extent
            plants += plants_of(lake.read("events", record.header, ["match_id", "map", "event_type", "payload"]))
        known = _Stored(version, sorted(plants), extents)
        lake.store.put(_key(title), msgspec.json.encode(known))
    return Maps(SiteBook.learn(known.plants), known.source_version, known.extents)


def load_maps(lake: Lake, title: Title) -> Maps:
    """What was learned last; LookupError if nothing was."""
    known = _load(lake, title)
    if known is None:
        raise LookupError(
            f"nothing is known of the maps of {title.value}: materialize canonical/{title.value}/maps first"
        )
    return Maps(SiteBook.learn(known.plants), known.source_version, known.extents)


def _extent(tracking: pa.Table) -> Extent | None:
    """How far the living go; None where nobody was tracked."""
    living = tracking.filter(tracking["alive"])
    if living.num_rows == 0:
        return None
    x, y, z = (pc.min_max(living[axis]).as_py() for axis in ("x_u", "y_u", "z_u"))
    return (x["min"], x["max"], y["min"], y["max"], z["min"], z["max"])


def _beyond(extent: Extent, others: Sequence[Extent]) -> Iterator[float]:
    """How far an extent exceeds the others together, on each of its six sides; nothing without others."""
    if others:
        for low in (0, 2, 4):
            yield min(other[low] for other in others) - extent[low]
            yield extent[low + 1] - max(other[low + 1] for other in others)


def _load(lake: Lake, title: Title) -> _Stored | None:
    data = lake.store.find(_key(title))
    try:
        return None if data is None else msgspec.json.decode(data, type=_Stored)
    except msgspec.ValidationError:
        return None  # written in an older form: it is learned again
