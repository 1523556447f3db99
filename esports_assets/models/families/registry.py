"""The one table of families by name."""

from dataclasses import replace

from esports_assets.models.families.base import Family
from esports_assets.models.families.lent import Lent
from esports_assets.models.families.linear import MultinomialLogistic
from esports_assets.models.families.trees import Trees, XGBoost
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ModelTask

FAMILIES: dict[str, MultinomialLogistic | XGBoost] = {
    family.name: family for family in (MultinomialLogistic(), XGBoost())
}


def family_of(name: str) -> Family:
    """The family of this name; LookupError that lists the known ones."""
    if name not in FAMILIES:
        raise LookupError(f"there is no family {name!r}; there are {', '.join(FAMILIES)}")
    return FAMILIES[name]


def family_for(task: ModelTask, name: str, rows: Rows, lender: Trees | None = None) -> Family:
    """The family with the inputs that the task gives it, and with its share of a lender where there is one."""
    family_of(name)
    inputs, share = task.inputs.get(name), task.lent.get(name)
    family = FAMILIES[name] if inputs is None else replace(FAMILIES[name], inputs=inputs.of(rows.features))
    return family if lender is None or share is None else Lent(family, lender, share)
