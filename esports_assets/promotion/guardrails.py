"""What a challenger must not be worse in, however often it wins: calibration, latency, errors.

Belongs here: the limits, what was measured of a version, and the sentences of a veto. Pure.
Does not belong here: measuring (``monitoring.py``, ``evidence.py``), the comparison of results (``sequential.py``).
"""

from dataclasses import dataclass

import msgspec


class Guardrails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits. Calibration may be that much worse than Production's; latency and errors have limits of their own."""

    min_rounds: int = 200
    max_ece_increase: float = 0.03
    max_brier_increase: float = 0.02
    max_latency_p95_ms: float = 50.0
    max_error_rate: float = 0.01


@dataclass(frozen=True, slots=True)
class Health:
    """What was measured of one version on comparable rounds; None where nothing could be measured.

    ``brier`` is the sum of squared errors over the classes (0 to 2), ``error_rate`` the share of rounds without an answer.
    """

    rounds: int
    ece: float | None = None
    brier: float | None = None
    latency_p95_ms: float | None = None
    error_rate: float | None = None


def vetoes(challenger: Health, production: Health, limits: Guardrails) -> tuple[str, ...]:
    """Why the challenger may not be promoted, one sentence each; empty if nothing speaks against it.

    What was not measured is an objection: a limit that nobody looked at holds nothing.
    """
    if challenger.rounds < limits.min_rounds:
        return (f"The challenger was measured on {challenger.rounds} rounds, and {limits.min_rounds} are needed.",)
    found = (
        _worse("calibration error", challenger.ece, production.ece, limits.max_ece_increase),
        _worse("Brier score", challenger.brier, production.brier, limits.max_brier_increase),
        _above("95th percentile of latency in ms", challenger.latency_p95_ms, limits.max_latency_p95_ms),
        _above("error rate", challenger.error_rate, limits.max_error_rate),
    )
    return tuple(sentence for sentence in found if sentence is not None)


def _worse(name: str, challenger: float | None, production: float | None, allowed: float) -> str | None:
    if challenger is None or production is None:
        return f"The {name} was not measured for both versions."
    if challenger - production <= allowed:
        return None
    return f"The challenger's {name} is {challenger:.4f} against {production:.4f}; {allowed:.4f} more is allowed."


def _above(name: str, challenger: float | None, limit: float) -> str | None:
    if challenger is None:
        return f"The challenger's {name} was not measured."
    return None if challenger <= limit else f"The challenger's {name} is {challenger:.4f}; {limit:.4f} is allowed."
