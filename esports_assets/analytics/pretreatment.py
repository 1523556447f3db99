"""The rule that nothing which the treatment may have changed is adjusted for, checked against declared instants.

Belongs here: instants of columns, reading them from text, and the refusal.
Does not belong here: estimates, what the columns mean.

A covariate that is measured after the treatment is refused, because adjusting for it removes part of the effect or opens a
path that was closed (Rosenbaum 1984, "The consequences of adjustment for a concomitant variable that has been affected by
the treatment"). A column without a declared instant is refused as soon as any is declared: silence is no proof.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Instant = float | npt.NDArray[np.float64]
"""Of a column: when its value was known, in any one unit; one number for all rows or one per row."""


class PostTreatment(ValueError):
    """A column comes in the wrong order, or nobody says when it was measured; the sentence names it."""


@dataclass(frozen=True, slots=True)
class Order:
    """When things happened: ``treatment`` began, ``outcome`` began, and ``covariates`` were last informed."""

    treatment: Instant
    outcome: Instant
    covariates: Mapping[str, Instant]


def check_order(order: Order, covariates: Iterable[str]) -> None:
    """Raise PostTreatment unless every covariate is known before the treatment begins (an equal instant counts as before),
    and the treatment begins before the outcome.
    """
    late = _wrong(order.treatment, order.outcome, may_be_equal=False)
    if late[0]:
        raise PostTreatment(f"the outcome begins no later than the treatment{_rows(late)}")
    for name in covariates:
        if name not in order.covariates:
            raise PostTreatment(f"nobody says when {name} was measured, so that it may not be adjusted for")
        late = _wrong(order.covariates[name], order.treatment, may_be_equal=True)
        if late[0]:
            raise PostTreatment(
                f"{name} is measured after the treatment{_rows(late)}, so that it may not be adjusted for"
            )


def read_order(text: str, treatment: str, outcome: str, covariates: Iterable[str]) -> Order:
    """Instants from ``name=number`` pairs, comma-separated, of the treatment, the outcome and every covariate."""
    instants: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        try:
            instants[name.strip()] = float(number)
        except ValueError as error:
            raise PostTreatment(f"'{part}' is no instant: write name=number") from error
        if not np.isfinite(instants[name.strip()]):
            raise PostTreatment(f"'{part}' is no instant: the number must be finite")
    for name in (treatment, outcome):
        if name not in instants:
            raise PostTreatment(f"nobody says when {name} happened")
    known = {name: instants[name] for name in covariates if name in instants}
    return Order(instants[treatment], instants[outcome], known)


def _wrong(first: Instant, second: Instant, *, may_be_equal: bool) -> tuple[int, int]:
    """How many comparisons, of how many, do not have ``first`` before ``second``; an unknown instant is no proof."""
    a, b = np.broadcast_arrays(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    wrong = ~(a <= b) if may_be_equal else ~(a < b)
    return int(np.count_nonzero(wrong)), int(wrong.size)


def _rows(late: tuple[int, int]) -> str:
    return "" if late[1] == 1 else f" in {late[0]} of {late[1]} rows"
