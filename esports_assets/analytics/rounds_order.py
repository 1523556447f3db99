"""The declared instants of round quantities as the order that a causal question is checked against.

Belongs here: from stages of a round to numbers that can be compared.
Does not belong here: the check (``pretreatment.py``), the declarations (``rounds_columns.py``).
"""

from collections.abc import Iterable

from esports_assets.analytics.pretreatment import Order
from esports_assets.analytics.rounds_columns import quantity


def order_of(treatment: str, outcome: str, covariates: Iterable[str]) -> Order:
    """When treatment and outcome begin and when covariates are known, in stages of a round.

    A quantity of a stage is made since the stage before, and so begins half a stage before it is known. What is known at the
    treatment's own stage may have been changed by it: it is none of its covariates, and no outcome of it. LookupError for an
    unknown name.
    """
    return Order(
        treatment=quantity(treatment).known - 0.5,
        outcome=quantity(outcome).known - 0.5,
        covariates={name: float(quantity(name).known) for name in covariates},
    )
