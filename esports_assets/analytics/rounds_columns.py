"""The table ``cs2/round_features``: its columns, what they mean, and from which instant on each is known.

Belongs here: the declaration, and the order of instants that lets a causal analysis check what precedes a treatment.
Does not belong here: how a value is computed (``rounds.py``, ``rounds_play.py``, ``rounds_actions.py``).
"""

from dataclasses import dataclass
from enum import IntEnum

from esports_assets.canonical.schema import EVENTS, ROUNDS, TRACKING, Column, Kind, Table
from esports_assets.canonical.vocabulary import BuyType, Intent

ROUND_FEATURES_VERSION = "1.0"
"""Bump it when the same matches give other values."""


class Known(IntEnum):
    """From when on a quantity is known, in the order of a round; one comes before another if it is the smaller."""

    START = 0
    """When the round begins, before anybody buys: side, score, what earlier rounds showed, money in hand."""
    BEFORE = 1
    """At freeze end, before anybody moves: what was bought."""
    CONTACT = 2
    """Just before the first hit or kill between opponents; nothing at or after it is counted."""
    OPENING = 3
    """Once the first contact is decided: who hit first, who killed first. A fact on the way to the outcome."""
    DURING = 4
    """Counted over the whole round, and so known only with its outcome."""
    AFTER = 5
    """After the decision."""

    @property
    def told(self) -> str:
        """As documentation writes it."""
        return _TOLD[self]


_TOLD = {
    Known.START: "at the start of the round",
    Known.BEFORE: "at freeze end",
    Known.CONTACT: "just before the first contact",
    Known.OPENING: "once the first contact is decided",
    Known.DURING: "at the end of the round",
    Known.AFTER: "after the round",
}


@dataclass(frozen=True, slots=True)
class RoundQuantity:
    """A measured column: name, unit, meaning, when it is known, and what values it may take (null where not told)."""

    name: str
    unit: str
    doc: str
    known: Known
    nullable: bool = False
    minimum: float | None = 0.0
    maximum: float | None = None
    kind: Kind = Kind.REAL
    allowed: tuple[str, ...] = ()

    @property
    def column(self) -> Column:
        """The quantity as a declared column, its instant in the documentation."""
        return Column(
            self.name,
            self.kind,
            f"{self.doc}; known {self.known.told}",
            unit=self.unit,
            nullable=self.nullable,
            minimum=self.minimum if self.kind is not Kind.CATEGORY else None,
            maximum=self.maximum,
            allowed=self.allowed,
        )


def _flag(name: str, doc: str, known: Known, *, nullable: bool = False) -> RoundQuantity:
    return RoundQuantity(name, "0 or 1", doc, known, nullable, 0.0, 1.0)


def _money(name: str, doc: str, known: Known = Known.BEFORE) -> RoundQuantity:
    return RoundQuantity(name, "game money", doc, known, nullable=True)


def _count(name: str, doc: str, known: Known = Known.DURING, *, nullable: bool = False) -> RoundQuantity:
    return RoundQuantity(name, "count", doc, known, nullable)


INTENT_COUNTS: dict[str, str] = {intent.value: f"{intent.value}_count" for intent in Intent}
"""Intent to the column that counts it over the round."""
INTENT_COUNTS_TO_CONTACT: dict[str, str] = {intent.value: f"{intent.value}_to_contact" for intent in Intent}
"""Intent to the column that counts it before the first contact."""
GRENADE_COUNTS: dict[str, str] = {
    "smoke": "smokes",
    "flashbang": "flashbangs",
    "hegrenade": "hegrenades",
    "molotov": "molotovs",
    "decoy": "decoys",
}
"""Grenade to the column that counts it."""

BUY = RoundQuantity(
    "buy", "", "Buy type of the team", Known.BEFORE, True, None, None, Kind.CATEGORY, tuple(b.value for b in BuyType)
)

FEATURES: tuple[RoundQuantity, ...] = (
    _flag("is_ct", "Whether the team defends", Known.START),
    _count("score_before", "Rounds that the team has won before", Known.START),
    _count("opponent_score_before", "Rounds that the opponent has won before", Known.START),
    _count("losing_streak", "Rounds that the team has lost in a row directly before", Known.START),
    _money("start_money", "Money that the team has before it buys", Known.START),
    _money("equipment_value", "Value of the team's equipment at freeze end"),
    _money("money", "Money that the team has left at freeze end"),
    _flag("full_buy", "Whether the team bought in full", Known.BEFORE, nullable=True),
    _count("armored", "Players with armour at freeze end", Known.BEFORE, nullable=True),
    _count("helmets", "Players with a helmet at freeze end", Known.BEFORE, nullable=True),
    _count("kits", "Players with a defuse kit at freeze end", Known.BEFORE, nullable=True),
    _count("grenades_held", "Grenades in the team's hands at freeze end", Known.BEFORE, nullable=True),
    RoundQuantity(
        "time_to_contact_s", "s", "Seconds until the first hit or kill between opponents", Known.CONTACT, nullable=True
    ),
    RoundQuantity(
        "speed_to_contact_u_s",
        "game units/s",
        "Mean speed in the plane of living players until then",
        Known.CONTACT,
        nullable=True,
    ),
    RoundQuantity(
        "spacing_to_contact_u",
        "game units",
        "Mean distance of living players to their nearest living mate until then",
        Known.CONTACT,
        nullable=True,
    ),
    _count("utility_to_contact", "Grenades thrown until then", Known.CONTACT, nullable=True),
    *(
        _count(name, f"Players said to be about to {intent} until then", Known.CONTACT, nullable=True)
        for intent, name in INTENT_COUNTS_TO_CONTACT.items()
    ),
    _flag("first_hit", "Whether the team dealt the first hit", Known.OPENING, nullable=True),
    _flag("opening_kill_for", "Whether the team killed first", Known.OPENING, nullable=True),
    _flag("opening_kill_against", "Whether the team lost the first player", Known.OPENING, nullable=True),
    *(_count(name, f"Times that a player was said to be about to {intent}") for intent, name in INTENT_COUNTS.items()),
    _count("action_count", "Statements of intent about the team's players"),
    _count("action_diversity", "How many of the nine intents were said"),
    RoundQuantity(
        "mean_confidence", "share", "Mean confidence of those statements", Known.DURING, nullable=True, maximum=1.0
    ),
    *(_count(name, f"Grenades thrown: {grenade}") for grenade, name in GRENADE_COUNTS.items()),
    _count("utility_count", "Grenades thrown of any kind"),
    RoundQuantity("blinded_s", "s", "Seconds of blindness that the team gave to opponents", Known.DURING),
    RoundQuantity(
        "events_per_s",
        "1/s",
        "Hits, kills, throws, blindings and work at the bomb of the team's players per second of the round",
        Known.DURING,
        nullable=True,
    ),
    RoundQuantity(
        "speed_u_s", "game units/s", "Mean speed in the plane of living players", Known.DURING, nullable=True
    ),
    RoundQuantity(
        "spacing_u",
        "game units",
        "Mean distance of living players to their nearest living mate",
        Known.DURING,
        nullable=True,
    ),
)
"""What describes how a team played a round."""

OUTCOMES: tuple[RoundQuantity, ...] = (
    _flag("round_win", "Outcome: whether the team won the round", Known.AFTER),
    _flag("site_executed", "Outcome: whether the bomb was planted, the same for both teams", Known.AFTER),
    RoundQuantity(
        "econ_delta",
        "game money",
        "Outcome: the team's equipment at the next freeze end minus that at this one",
        Known.AFTER,
        nullable=True,
        minimum=None,
    ),
)
"""What a round came to for a team."""

KEYS: tuple[Column, ...] = (
    *(EVENTS.column(name) for name in ("match_id", "series_id", "title", "map")),
    *(ROUNDS.column(name) for name in ("simulated", "segment")),
    TRACKING.column("team"),
    TRACKING.column("side"),
    Column("opponent", Kind.CATEGORY, "The other team of the round"),
)

ROUND_FEATURES = Table(
    "round_features",
    "One row per round and team: how it was played and what it came to.",
    (*KEYS, BUY.column, *(quantity.column for quantity in (*FEATURES, *OUTCOMES))),
    key=("match_id", "map", "segment", "team"),
    version=ROUND_FEATURES_VERSION,
)

ROUND_ACTIONS = Table(
    "round_actions",
    "Statements of intent as the features read them: one row per micro-action.",
    (
        *(EVENTS.column(name) for name in ("match_id", "map", "segment", "t_s")),
        Column("player", Kind.CATEGORY, "About whom", nullable=True),
        Column("team", Kind.CATEGORY, "His team; that of the player where it is null", nullable=True),
        Column("intent", Kind.CATEGORY, "What he is about to do"),
        Column("confidence", Kind.REAL, "Of the statement", nullable=True, minimum=0.0, maximum=1.0),
    ),
    key=(),
)

_QUANTITIES = {quantity.name: quantity for quantity in (BUY, *FEATURES, *OUTCOMES)}


def quantity(name: str) -> RoundQuantity:
    """The feature or outcome of that name; LookupError names what there is otherwise."""
    if name not in _QUANTITIES:
        raise LookupError(f"round_features has no quantity {name!r}; it has {', '.join(_QUANTITIES)}")
    return _QUANTITIES[name]


def precedes(name: str, treatment: str) -> bool:
    """Whether a column is known strictly before another: the pre-treatment rule. LookupError for an unknown name."""
    return quantity(name).known < quantity(treatment).known
