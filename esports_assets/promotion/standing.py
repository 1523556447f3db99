"""What the ledger's entries amount to: who serves a task, what an alias means, what a rollback goes back to.

Belongs here: the entry of the ledger as a value and the fold over a task's entries; pure.
Does not belong here: reading or writing them (``ledger.py``), making the world agree with them (``promote.py``).

Only two decisions move anything: ``promote`` and ``rollback``. Every other entry records a judgement. A move gives its
alias to ``to_version``; a version holds one alias at a time; a version that Production is taken from becomes B, so that
it stays at hand (one step back, and the challenger of the next comparison). Every family keeps aliases of its own; the
task is served by the family of the last move of Production. A rollback undoes the last promotion that is still
standing, so two rollbacks go two promotions back instead of to and fro.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from esports_assets.promotion.terms import Alias, Kind

ROLLBACK = "rollback"
"""The decision of a person to undo a promotion."""
MOVES = frozenset({Kind.PROMOTE.value, ROLLBACK})
"""Decisions after which an alias means another version."""
REQUEST_KEY = "request_key"
"""Where an entry's evidence holds the key by which its request is recorded once per task."""
LOCK_SPACE = 1_347_374_157
"""First half of the advisory lock's key under which writers of a task's ledger take turns; the second is the task's hash."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded. ``to_version`` is the version judged; only a move gives it the alias."""

    task: str
    registered_name: str
    decision: str
    alias: Alias
    from_version: int | None
    to_version: int
    reason: str
    source: str
    actor: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    dagster_run_id: str | None = None
    mlflow_run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry(Event):
    """A recorded event; ids and times only grow."""

    id: int
    created_at: datetime

    @property
    def label(self) -> str:
        """How sentences call the version it is about."""
        return f"{self.registered_name} v{self.to_version}"

    @property
    def moves_production(self) -> bool:
        """Whether the task was served by ``to_version`` from then on."""
        return self.decision in MOVES and self.alias is Alias.PRODUCTION


@dataclass(frozen=True, slots=True)
class Standing:
    """A task after all entries of its ledger."""

    aliases: Mapping[str, Mapping[Alias, int]]
    """Registered name to alias to version, for every name that ever moved."""
    moves: Mapping[tuple[str, Alias], LedgerEntry]
    """The last move of each alias of each name."""
    productions: tuple[LedgerEntry, ...]
    """The promotions to Production that still stand, oldest first."""
    current: LedgerEntry | None
    """The last move of Production, a rollback included."""

    @property
    def previous(self) -> LedgerEntry | None:
        """The promotion that a rollback goes back to."""
        return self.productions[-2] if len(self.productions) > 1 else None

    def settled(self, registered_name: str, alias: Alias, version: int) -> LedgerEntry | None:
        """The entry by which a version got the alias that it still holds (and serves the task, for Production)."""
        entry = self.moves.get((registered_name, alias))
        if entry is None or entry.to_version != version or self.version(registered_name, alias) != version:
            return None
        return entry if alias is not Alias.PRODUCTION or self.current == entry else None

    def version(self, registered_name: str, alias: Alias) -> int | None:
        """The version that an alias of a registered name means."""
        return self.aliases.get(registered_name, {}).get(alias)


def standing(entries: Iterable[LedgerEntry]) -> Standing:
    """The fold over a task's entries, oldest first."""
    aliases: dict[str, dict[Alias, int]] = {}
    moves: dict[tuple[str, Alias], LedgerEntry] = {}
    productions: list[LedgerEntry] = []
    current: LedgerEntry | None = None
    for entry in entries:
        if entry.decision not in MOVES:
            continue
        moves[entry.registered_name, entry.alias] = entry
        _move(aliases.setdefault(entry.registered_name, {}), entry.alias, entry.to_version)
        if entry.alias is not Alias.PRODUCTION:
            continue
        current = entry
        if entry.decision == ROLLBACK:
            while productions and not _same(productions[-1], entry):
                productions.pop()
        if not productions or not _same(productions[-1], entry):
            productions.append(entry)
    return Standing(aliases, moves, tuple(productions), current)


def _move(slots: dict[Alias, int], alias: Alias, version: int) -> None:
    replaced = slots.get(alias)
    for held in [held for held, its in slots.items() if its == version]:
        del slots[held]
    slots[alias] = version
    if alias is Alias.PRODUCTION and replaced is not None and replaced != version:
        slots[Alias.B] = replaced


def _same(one: LedgerEntry, other: LedgerEntry) -> bool:
    return (one.registered_name, one.to_version) == (other.registered_name, other.to_version)
