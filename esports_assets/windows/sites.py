"""Where the bomb sites of each map are, learned from the plants of matches.

Belongs here: learning, leaving a match out, and a JSON form that travels in the bundle.
Does not belong here: geometry drawn by hand; the project ships none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.view import Sites

Plant = tuple[str, str, str, float, float, float]
"""Match, map, site, x, y, z (game units)."""

_loads = msgspec.json.Decoder(dict[str, Any]).decode


def plants_of(events: pa.Table) -> list[Plant]:
    """Every plant with a known site and place in an events table."""
    rows = events.filter(pc.equal(events["event_type"].cast(pa.string()), EventType.BOMB_PLANTED.value))
    found = []
    for match_id, map_name, payload in zip(*(rows[n].to_pylist() for n in ("match_id", "map", "payload")), strict=True):
        facts = _loads(payload)
        if facts.get("site") in ("a", "b") and facts.get("pos"):
            x, y, z = facts["pos"]
            found.append((match_id, map_name, facts["site"], float(x), float(y), float(z)))
    return found


@dataclass(frozen=True, slots=True)
class SiteBook:
    """Plants by map and site; a site's centre is their median."""

    plants: Mapping[str, Mapping[str, tuple[Plant, ...]]] = field(default_factory=dict)

    @classmethod
    def learn(cls, plants: Iterable[Plant]) -> "SiteBook":
        """Group plants by map and site, in a fixed order."""
        grouped: dict[str, dict[str, list[Plant]]] = {}
        for plant in sorted(plants):
            grouped.setdefault(plant[1], {}).setdefault(plant[2], []).append(plant)
        return cls({m: {s: tuple(rows) for s, rows in sites.items()} for m, sites in grouped.items()})

    def sites(self, map_name: str, without: str = "") -> Sites:
        """The sites of a map as other matches than ``without`` show them; NaN where none does."""

        def centre(site: str) -> tuple[float, float, float]:
            rows = [plant[3:] for plant in self.plants.get(map_name, {}).get(site, ()) if plant[0] != without]
            if not rows:
                return (np.nan, np.nan, np.nan)
            x, y, z = np.median(np.array(rows), axis=0)
            return (float(x), float(y), float(z))

        return Sites(centre("a"), centre("b"))

    def centres(self) -> dict[str, dict[str, list[float]]]:
        """JSON form of all centres, by map and site."""
        return {
            name: {site: list(getattr(self.sites(name), site)) for site in sorted(sites)}
            for name, sites in sorted(self.plants.items())
        }


def sites_from_json(centres: Mapping[str, Mapping[str, list[float]]], map_name: str) -> Sites:
    """The sites of a map from the JSON form."""
    known = centres.get(map_name, {})
    unknown = [float("nan")] * 3

    def centre(site: str) -> tuple[float, float, float]:
        x, y, z = known.get(site, unknown)
        return (x, y, z)

    return Sites(centre("a"), centre("b"))
