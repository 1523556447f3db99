"""Who asks and what they may: roles, scopes and the principal of a request.

Belongs here: the order of roles and what a principal may receive.
Does not belong here: proving who somebody is (``auth.py``, ``keys.py``, ``tokens.py``), what an action needs (at the action).
"""

from dataclasses import dataclass
from enum import StrEnum

from serving.gate import Audience


class Role(StrEnum):
    """What somebody may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Reads what is public."""
    ANALYST = "analyst"
    """Receives gated signals for analysts, asks for reviews, comments on them."""
    REVIEWER = "reviewer"
    """Sees what is ungated in order to decide about it."""
    OPERATOR = "operator"
    """Decides about what was escalated, feeds events, manages keys."""

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what another may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Scope(StrEnum):
    """Part of the API that a key may be limited to."""

    READ = "read"
    REVIEWS = "reviews"
    INGEST = "ingest"
    LIVE = "live"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a name for logs and audits, a role, and the identity that limits and leases count by."""

    name: str
    role: Role
    identity: str
    scopes: frozenset[Scope] = frozenset((Scope.ALL,))

    @property
    def anonymous(self) -> bool:
        """Whether nobody proved to be anybody."""
        return self.identity.startswith("ip:")

    @property
    def audiences(self) -> frozenset[Audience]:
        """Whose channels this one may receive."""
        if self.role.covers(Role.ANALYST):
            return frozenset(Audience)
        return frozenset((Audience.PUBLIC,) if self.anonymous else (Audience.PUBLIC, Audience.EDUCATIONAL))

    def may_use(self, scope: Scope) -> bool:
        """Whether the key reaches this part of the API."""
        return Scope.ALL in self.scopes or scope in self.scopes


def anonymous(address: str) -> Principal:
    """Anybody, at an address."""
    return Principal("anonymous", Role.VIEWER, f"ip:{address}", frozenset((Scope.READ, Scope.LIVE)))
