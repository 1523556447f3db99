"""The columnar form of the language: tables, columns with units and constraints, and named invariants.

Belongs here: what a column is called, holds, may be and means; which rules a whole match must keep (as named predicates over
columns). Great Expectations suites, Arrow schemas, documentation and checks are all generated from these declarations.
Does not belong here: reading and writing (``codec.py``), feature tables (``windows/spec.py`` declares them with the same values).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from esports_assets.canonical.event import SCHEMA_VERSION
from esports_assets.canonical.vocabulary import BuyType, EndReason, EventType, Side, Title


class Kind(StrEnum):
    """Storage kinds of a column."""

    TEXT = "text"
    """UTF-8 string."""
    CATEGORY = "category"
    """String from few values, dictionary encoded."""
    INTEGER = "integer"
    """64-bit integer."""
    SMALL = "small"
    """16-bit integer."""
    REAL = "real"
    """64-bit float, finite."""
    SINGLE = "single"
    """32-bit float, finite."""
    FLAG = "flag"
    """True or false."""
    TIME = "time"
    """Microseconds since 1970, UTC."""


_ARROW: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.CATEGORY: pa.dictionary(pa.int32(), pa.string()),
    Kind.INTEGER: pa.int64(),
    Kind.SMALL: pa.int16(),
    Kind.REAL: pa.float64(),
    Kind.SINGLE: pa.float32(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, kind, one sentence of meaning, unit, and what values it may take."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.Field:
        """The Arrow field, with unit and meaning in its metadata."""
        return pa.field(
            self.name, _ARROW[self.kind], nullable=self.nullable, metadata={"unit": self.unit, "doc": self.doc}
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table: columns in order, the key that is unique in it, and the order its rows stand in."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    version: str = SCHEMA_VERSION

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; LookupError names the table otherwise."""
        for column in self.columns:
            if column.name == name:
                return column
        raise LookupError(f"table {self.name} has no column {name!r}")

    @property
    def arrow(self) -> pa.Schema:
        """The strict Arrow schema."""
        return pa.schema(
            [column.arrow for column in self.columns], metadata={"table": self.name, "version": self.version}
        )


def _values(members: Iterable[StrEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in members)


_MATCH_ID = Column("match_id", Kind.CATEGORY, "One game on one map: <source>:<series>:<game>")
_SEGMENT = Column("segment", Kind.SMALL, "Round number from 1; 0 is outside any round", minimum=0, maximum=200)
_T = Column("t_s", Kind.REAL, "Seconds since freeze end of the round; negative in freeze time", unit="s", nullable=True)

EVENTS = Table(
    "events",
    "What happened, one row per canonical event, in order.",
    (
        Column("event_id", Kind.TEXT, "Deterministic id of the statement"),
        _MATCH_ID,
        Column("series_id", Kind.CATEGORY, "The series that the game belongs to"),
        Column("title", Kind.CATEGORY, "Game title", allowed=_values(Title)),
        Column("map", Kind.CATEGORY, "Map name as the source writes it, lower case"),
        _SEGMENT,
        _T,
        Column("seq", Kind.INTEGER, "Order within the match, dense from 0", minimum=0),
        Column("event_type", Kind.CATEGORY, "What happened", allowed=_values(EventType)),
        Column("timestamp", Kind.TIME, "Source time"),
        Column("actor", Kind.CATEGORY, "Who did it", nullable=True),
        Column("target", Kind.CATEGORY, "To whom", nullable=True),
        Column("team", Kind.CATEGORY, "Team of the actor, or of the subject of a team event", nullable=True),
        Column("side", Kind.CATEGORY, "Side of that team in this round", nullable=True, allowed=_values(Side)),
        Column("payload", Kind.TEXT, "JSON object of the event's own facts"),
        Column("enriched", Kind.TEXT, "JSON object of derived facts"),
        Column("schema_version", Kind.CATEGORY, "Version of the language"),
    ),
    key=("match_id", "seq"),
)

TRACKING = Table(
    "tracking",
    "Where every player is at the source's sampling rate.",
    (
        _MATCH_ID,
        _SEGMENT,
        Column("t_s", Kind.SINGLE, "Seconds since freeze end of the round", unit="s"),
        Column("player", Kind.CATEGORY, "Who"),
        Column("team", Kind.CATEGORY, "Whose team"),
        Column("side", Kind.CATEGORY, "Side of that team in this round", allowed=_values(Side)),
        Column("x_u", Kind.SINGLE, "Position", unit="game units"),
        Column("y_u", Kind.SINGLE, "Position", unit="game units"),
        Column("z_u", Kind.SINGLE, "Height; 0 where the source has none", unit="game units"),
        Column("yaw_deg", Kind.SINGLE, "View direction", unit="degrees", nullable=True),
        Column("pitch_deg", Kind.SINGLE, "View height", unit="degrees", nullable=True),
        Column("health", Kind.SMALL, "Health points", minimum=0, maximum=150),
        Column("armor", Kind.SMALL, "Armour points", nullable=True, minimum=0, maximum=100),
        Column("money", Kind.INTEGER, "Money in hand", unit="game money", nullable=True, minimum=0),
        Column(
            "equipment_value", Kind.INTEGER, "Value of what is carried", unit="game money", nullable=True, minimum=0
        ),
        Column("weapon", Kind.CATEGORY, "Active weapon", nullable=True),
        Column("place", Kind.CATEGORY, "Callout of the place", nullable=True),
        Column("alive", Kind.FLAG, "Whether the player lives"),
        Column("has_bomb", Kind.FLAG, "Whether the player carries the bomb"),
        Column("has_kit", Kind.FLAG, "Whether the player carries a defuse kit"),
    ),
    key=("match_id", "segment", "t_s", "player"),
)

ROUNDS = Table(
    "rounds",
    "The macro table: one row per round.",
    (
        _MATCH_ID,
        Column("series_id", Kind.CATEGORY, "The series that the game belongs to"),
        Column("title", Kind.CATEGORY, "Game title", allowed=_values(Title)),
        Column("source", Kind.CATEGORY, "Which adapter read it"),
        Column("simulated", Kind.FLAG, "Whether the match was simulated; never mixed with real ones"),
        Column("map", Kind.CATEGORY, "Map name as the source writes it, lower case"),
        Column("segment", Kind.SMALL, "Round number from 1", minimum=1, maximum=200),
        Column("started_at", Kind.TIME, "Source time of the round's freeze end"),
        Column(
            "freeze_s", Kind.REAL, "Length of the freeze time; null where unknown", unit="s", nullable=True, minimum=0
        ),
        Column(
            "duration_s",
            Kind.REAL,
            "From freeze end to the decision; null where unknown",
            unit="s",
            nullable=True,
            minimum=0,
        ),
        Column("ct_team", Kind.CATEGORY, "Team on the CT side"),
        Column("t_team", Kind.CATEGORY, "Team on the T side"),
        Column("ct_score_before", Kind.SMALL, "Rounds won by the CT team before", minimum=0, maximum=100),
        Column("t_score_before", Kind.SMALL, "Rounds won by the T team before", minimum=0, maximum=100),
        Column("ct_buy", Kind.CATEGORY, "Buy type of the CT team", nullable=True, allowed=_values(BuyType)),
        Column("t_buy", Kind.CATEGORY, "Buy type of the T team", nullable=True, allowed=_values(BuyType)),
        Column("ct_equipment_value", Kind.INTEGER, "At freeze end", unit="game money", nullable=True, minimum=0),
        Column("t_equipment_value", Kind.INTEGER, "At freeze end", unit="game money", nullable=True, minimum=0),
        Column("winner_side", Kind.CATEGORY, "Side that won", allowed=_values(Side)),
        Column("winner_team", Kind.CATEGORY, "Team that won"),
        Column("end_reason", Kind.CATEGORY, "Why it ended", allowed=_values(EndReason)),
        Column("planted_t_s", Kind.REAL, "When the bomb was planted; null if it was not", unit="s", nullable=True),
        Column("planted_site", Kind.CATEGORY, "Where; null if unknown", nullable=True, allowed=("a", "b", "c")),
    ),
    key=("match_id", "segment"),
)

PLAYERS = Table(
    "players",
    "Who played: one row per player of a match.",
    (
        _MATCH_ID,
        Column("player", Kind.TEXT, "Prefixed source id"),
        Column("player_name", Kind.TEXT, "Name as the source writes it"),
        Column("team", Kind.CATEGORY, "Prefixed team id"),
        Column("team_name", Kind.CATEGORY, "Team name as the source writes it"),
    ),
    key=("match_id", "player"),
)

CANONICAL_TABLES = (EVENTS, TRACKING, ROUNDS, PLAYERS)
