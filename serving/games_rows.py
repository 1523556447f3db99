"""What a running game can be asked about its player's next move: a row for each window that models of the game read.

Belongs here: windows by name with their columns, and their rows kept up round by round.
Does not belong here: what the columns mean (``games/rps/contract.py``, ``games/rps/experts/signs.py``), asking a model.

The declarations of the windows load Arrow, so their names stand here once more; a model of another fingerprint is refused when it
is loaded, and a test compares these columns with the declared ones.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from esports_assets.games.rps.contract import FEATURE_NAMES
from esports_assets.games.rps.experts.signs import SIGNS, PersonSigns
from esports_assets.games.rps.features import FeatureState
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.values import RoundValues

FIFTY, PERSON = "rps/next_move", "rps/next_move_signs"
WINDOWS: dict[str, tuple[str, ...]] = {FIFTY: FEATURE_NAMES, PERSON: (*SIGNS, "last_move")}
"""Window to its columns."""
PLACES = {window: {name: place for place, name in enumerate(names)} for window, names in WINDOWS.items()}
Rows = dict[str, tuple[float, ...]]


@dataclass(slots=True)
class GameRows:
    """The rows before the next round. ``signs`` costs some tenths of a millisecond a round: it is kept where a model reads it."""

    features: FeatureState = field(default_factory=FeatureState)
    signs: PersonSigns | None = None

    @classmethod
    def of(cls, windows: Collection[str]) -> "GameRows":
        """Rows of these windows, before the first round; the fifty are always there."""
        return cls(signs=PersonSigns() if PERSON in windows else None)

    def see(self, user: Move, bot: Move, values: RoundValues) -> None:
        """Take over a round that was played."""
        self.features = self.features.after(user, bot, values)
        if self.signs is not None:
            self.signs.update(bot.ordinal, user.ordinal)

    def at(self, values: RoundValues) -> Rows:
        """The rows of the next round, by window."""
        rows: Rows = {FIFTY: tuple(self.features.row(values))}
        if self.signs is not None:
            rows[PERSON] = (*self.signs.row(self.signs.last), float(self.signs.last))
        return rows
