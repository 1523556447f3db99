"""What a window is: ordered, named, documented features and a fingerprint that serving compares.

Belongs here: the declaration and its fingerprint, and the columns that every window row carries beside its features.
Does not belong here: how a feature is computed (``features.py``) or what is predicted from it (``labels.py``).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from esports_assets.canonical.schema import EVENTS, ROUNDS, TRACKING, Column, Kind, Table


@dataclass(frozen=True, slots=True)
class Feature:
    """One input of a model.

    ``nullable`` features are NaN where the source does not tell; ``monotone`` is the sign that the game dictates for its
    effect on P(CT wins) with all else equal (0 = none); ``mirror`` names the same quantity of the other side.
    """

    name: str
    unit: str
    doc: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    monotone: int = 0
    mirror: str | None = None

    @property
    def column(self) -> Column:
        """The feature as a declared column."""
        return Column(
            self.name,
            Kind.REAL,
            self.doc,
            unit=self.unit,
            nullable=self.nullable,
            minimum=self.minimum,
            maximum=self.maximum,
        )


ROW_COLUMNS: tuple[Column, ...] = (
    *(EVENTS.column(name) for name in ("match_id", "series_id", "map")),
    ROUNDS.column("simulated"),
    ROUNDS.column("segment"),
    Column("seq", Kind.INTEGER, "Order of the row within the match, dense from 0", minimum=0),
    Column("t_s", Kind.REAL, "Seconds since freeze end of the round", unit="s"),
    Column(
        "row_kind", Kind.CATEGORY, "second: once a second; event: right after an event", allowed=("second", "event")
    ),
    Column("event_id", Kind.TEXT, "The event that the row follows", nullable=True),
    Column("event_type", Kind.CATEGORY, "What happened", nullable=True),
    Column("actor", Kind.CATEGORY, "Who did it", nullable=True),
    Column("target", Kind.CATEGORY, "To whom", nullable=True),
    Column("ct_won", Kind.SMALL, "Label: 1 if CT won the round, 0 if T did; known only later", minimum=0, maximum=1),
)
"""What identifies a row of a round window, and its label."""

PLAYER_COLUMNS: tuple[Column, ...] = (
    *(EVENTS.column(name) for name in ("match_id", "series_id", "map")),
    ROUNDS.column("simulated"),
    ROUNDS.column("segment"),
    *(TRACKING.column(name) for name in ("player", "team", "side")),
)
"""What identifies a row of a window of one row per player and round."""


@dataclass(frozen=True)
class WindowSpec:
    """A window over the language: name (``<title>/<window>``), code version, parameters and ordered features."""

    name: str
    version: str
    features: tuple[Feature, ...]
    parameters: tuple[tuple[str, float], ...] = ()
    rows: tuple[Column, ...] = ROW_COLUMNS
    key: tuple[str, ...] = ("match_id", "seq")
    row_doc: str = "one row per instant"

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names in the order of a model's input."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides a row's values: names, units, order, parameters and code version (16 hex digits)."""
        said = {
            "name": self.name,
            "version": self.version,
            "features": [[f.name, f.unit, f.nullable] for f in self.features],
            "parameters": [list(p) for p in self.parameters],
        }
        return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()

    @property
    def table(self) -> Table:
        """The window's table: row columns, then features."""
        return Table(
            self.name.rsplit("/", 1)[-1],
            f"Window {self.name}: {self.row_doc}.",
            (*self.rows, *(feature.column for feature in self.features)),
            key=self.key,
            version=self.version,
        )

    def mirrored(self) -> Mapping[str, str]:
        """Each side-specific feature to the same quantity of the other side."""
        return {f.name: f.mirror for f in self.features if f.mirror}
