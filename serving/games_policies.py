"""Whom a player may play against: policies with a model behind them, and the scripted bots that stand in for one.

Belongs here: names, families and stand-ins, and what a name that nobody plays is answered.
Does not belong here: which version of a model plays (``games_assignment.py``), how a bot chooses (``games_turns.py``).
"""

from dataclasses import dataclass

from esports_assets.games.rps.opponents import OPPONENTS, Scripted
from serving.errors import ApiError, quoted

TASK = "rps.next_move"
"""What every model here predicts: the player's next move."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Somebody to play against. Without a ``family`` it is a scripted bot; with one, ``bot`` plays where no model does."""

    name: str
    bot: Scripted
    family: str | None = None

    @property
    def registered(self) -> str | None:
        """The registered model behind it."""
        return None if self.family is None else f"{TASK}.{self.family}"


def _policy(name: str, bot: str, family: str | None = None) -> Policy:
    return Policy(name, OPPONENTS[bot], family)


POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        _policy("brian", "bob", "feedforward_nn"),
        _policy("forrest", "cal", "xgboost"),
        _policy("logan", "dan", "multinomial_logistic"),
        _policy("mixture", "dan", "experts"),
        _policy("bob", "bob"),
        _policy("cal", "cal"),
        _policy("dan", "dan"),
    )
}
"""All policies by name."""
DEFAULT = "brian"
FAMILIES: tuple[str, ...] = tuple(policy.family for policy in POLICIES.values() if policy.family is not None)
REGISTERED: tuple[str, ...] = tuple(f"{TASK}.{family}" for family in FAMILIES)
"""Every registered model that plays."""


def policy_named(name: str) -> Policy:
    """The policy of that name; ApiError 422 lists those there are."""
    policy = POLICIES.get(name)
    if policy is None:
        raise ApiError(422, "unknown_policy", f"{quoted(name)} is no policy; policies are {', '.join(POLICIES)}.")
    return policy
