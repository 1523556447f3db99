"""Which events decide a round of two sides, by the reason that the source gives for its end.

Belongs here: the table. Does not belong here: finding the event in a match, what it is worth.
"""

from collections.abc import Mapping

from esports_assets.canonical.vocabulary import EndReason

DECISIVE = frozenset(("KILL", "DEATH", "BOMB_DEFUSED", "BOMB_EXPLODED"))
"""Events that can end a round."""
DECIDED_BY: Mapping[str, frozenset[str]] = {
    EndReason.T_ELIMINATED: frozenset(("KILL", "DEATH")),
    EndReason.CT_ELIMINATED: frozenset(("KILL", "DEATH")),
    EndReason.BOMB_DEFUSED: frozenset(("BOMB_DEFUSED",)),
    EndReason.BOMB_EXPLODED: frozenset(("BOMB_EXPLODED",)),
    EndReason.TIME_EXPIRED: frozenset(),
}
"""Events that end a round for a reason: whoever dies in the explosion decides nothing, the explosion did."""
