"""The positions of one instant as a frame, without a table: what ``canonical/frames.py`` makes of the same rows of TRACKING.

Belongs here: samples of one instant to one frame; a test holds it to the table's frames.
Does not belong here: when a frame goes out (``live.py``), what a frame is (``canonical/frames.py``).
"""

from collections.abc import Sequence
from ctypes import c_float
from typing import Any

import numpy as np

from esports_assets.adapters.grid.scene import Sample
from esports_assets.canonical.clock import from_utc_us, utc_us
from esports_assets.canonical.event import CanonicalEvent, IngestionMeta, event_id
from esports_assets.canonical.match import MatchHeader
from esports_assets.canonical.vocabulary import EventType

_REQUIRED = 8
"""A row's values up to ``health`` always stand."""


def frame_of_samples(samples: Sequence[Sample], header: MatchHeader, seq: int) -> CanonicalEvent:
    """A frame of one instant of one round whose clock runs; of several samples of a player the last counts."""
    latest = {sample.player: sample for sample in samples}
    first = samples[0]
    t = shortest(first.t or 0.0)
    zero = utc_us(first.timestamp) - round((first.t or 0.0) * 1_000_000)
    rows = [latest[player] for player in sorted(latest)]
    teams = list(dict.fromkeys((row.team, row.side.value) for row in rows))
    return CanonicalEvent(
        event_id=event_id("frame", header.match_id, f"{first.segment}:{t!r}"),
        match_id=header.match_id,
        event_type=EventType.POSITION_UPDATE,
        timestamp=from_utc_us(zero + round(t * 1_000_000)),
        payload={"frame": [_row(row, teams) for row in rows], "teams": teams},
        ingestion_meta=IngestionMeta(source=header.source, simulated=header.simulated),
        title=header.title,
        series_id=header.series_id,
        map=header.map,
        segment=first.segment,
        t=t,
        seq=seq,
    )


def _row(sample: Sample, teams: list[tuple[str, str]]) -> tuple[Any, ...]:
    x, y, z = (shortest(value) for value in sample.pos)
    index = teams.index((sample.team, sample.side.value))
    row: tuple[Any, ...] = (sample.player, x, y, z, None, sample.alive, index, sample.health)
    row += (sample.armor, None, sample.equipment_value, False, False, None, sample.money)
    told = [k for k in range(_REQUIRED, len(row)) if row[k] is not None and row[k] is not False]
    return row[: told[-1] + 1 if told else _REQUIRED]


def shortest(value: float) -> float:
    """The number with the fewest decimals that is the same in single precision.

    >>> shortest(0.1 + 1e-12)
    0.1
    """
    single = c_float(value).value
    for decimals in range(10):
        candidate = float(np.round(single, decimals))
        if c_float(candidate).value == single:
            return candidate
    return single
