"""What came after: the only code that may look ahead.

Belongs here: labels, each a documented function of what happened later.
Does not belong here: anything that a feature may read.
"""

from esports_assets.canonical.vocabulary import Side


def ct_won(winner: Side) -> int:
    """1 if the CT side won the round, 0 if the T side did. Horizon: the end of the round."""
    return int(winner is Side.CT)
