"""Which version plays a game: chance decides once, by a hash of the game's id, and the game keeps that version to its end.

Belongs here: the draw, and the models that a game keeps.
Does not belong here: which versions are loaded (``families.py``), recording the draw (``games_store.py``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from esports_assets.games.rps.features import CLASSES
from esports_assets.promotion.terms import Alias
from serving.games_rows import WINDOWS
from serving.served import ServedModel


@dataclass(frozen=True, slots=True)
class Assignment:
    """The version that plays, and what chance could have done: the other version and the probability of B."""

    registered: str
    alias: Alias
    version: int
    rival_version: int | None = None
    challenger_share: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The models at one game, the same from its first round to its last, whatever is promoted meanwhile."""

    assignment: Assignment | None = None
    models: Mapping[Alias, ServedModel] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def own(self) -> ServedModel | None:
        """The model that plays; None where the policy's bot does, or where the version is no longer at hand."""
        return None if self.assignment is None else self.models.get(self.assignment.alias)


def unfit(model: ServedModel) -> str | None:
    """Why a model cannot play, in a sentence; None where it can."""
    contract = model.contract
    label = f"{contract.registered_name} v{contract.version}"
    if contract.classes != CLASSES:
        return f"{label} cannot play: its classes are {', '.join(contract.classes)}, not {', '.join(CLASSES)}."
    if not set(model.names) <= set(WINDOWS.get(contract.window, ())):
        return f"{label} cannot play: a game has no row of {contract.window} with its inputs."
    return None


def chance(game_id: str, registered: str) -> float:
    """A number from 0 to below 1 that follows from the game and the model alone: the same in every process, for ever."""
    told = hashlib.sha256(f"rps/assignment/1|{registered}|{game_id}".encode()).digest()
    return int.from_bytes(told[:8], "big") / 2**64


def seat_models(game_id: str, registered: str, by_alias: Mapping[str, ServedModel], share: float | None) -> Table:
    """The table of a new game; ``share`` is B's, None where nothing is compared. No assignment without a Production."""
    models = {Alias(alias): model for alias, model in by_alias.items() if unfit(model) is None}
    production, challenger = models.get(Alias.PRODUCTION), models.get(Alias.B)
    if production is None:
        return Table()
    version = _version(production)
    if share is None or challenger is None or _version(challenger) == version:
        return Table(Assignment(registered, Alias.PRODUCTION, version), MappingProxyType(models))
    versions = {Alias.PRODUCTION: version, Alias.B: _version(challenger)}
    alias, other = Alias.PRODUCTION, Alias.B
    if chance(game_id, registered) < share:
        alias, other = other, alias
    assignment = Assignment(registered, alias, versions[alias], versions[other], share)
    return Table(assignment, MappingProxyType(models))


def reseat_models(assignment: Assignment, versions: Mapping[str, int], by_alias: Mapping[str, ServedModel]) -> Table:
    """The table of a game that another process began: the recorded versions, as far as they are loaded under any alias."""
    loaded = {_version(model): model for model in by_alias.values() if unfit(model) is None}
    models = {
        Alias(alias): loaded[version].under(alias) if loaded[version].alias != alias else loaded[version]
        for alias, version in versions.items()
        if version in loaded
    }
    return Table(assignment, MappingProxyType(models))


def _version(model: ServedModel) -> int:
    return int(model.contract.version)
