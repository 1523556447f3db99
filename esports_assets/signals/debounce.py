"""Saying a thing once: which of a player's named intents are worth a statement.

Belongs here: the rule and its memory of one match, which travels in a checkpoint.
Does not belong here: naming an intent, the statement.

An intent is told where two successive rows of a player name it, where it differs from what was told last of him in this round,
and where the same was not told of him within ``quiet_s`` of event time: a lasting intent is told once, one that shows in a
single row is not told, and one that flickers between two is told no faster than that. A row for which nothing is named breaks a
succession and changes nothing else. The rule sees rows of a round in order of time, whatever the batches.
"""

from collections.abc import Sequence

import msgspec

QUIET_S = 5.0
"""Seconds within which the same intent of the same player is not told again: the horizon that the labels look ahead."""


class Debounce(msgspec.Struct):
    """What was told of every player of a match."""

    quiet_s: float = QUIET_S
    segment: int = -1
    last: dict[str, int] = {}
    """Player to the intent that was told last in this round."""
    seen: dict[str, int] = {}
    """Player to what his latest row named."""
    told: dict[str, dict[int, float]] = {}
    """Player and intent to when it was told last, in seconds since freeze end."""

    def worth_telling(self, segment: int, t: Sequence[float], player: Sequence[str], named: Sequence[int]) -> list[int]:
        """Positions of the rows to tell, of rows of one round in order of time; negative codes name nothing."""
        if segment != self.segment:
            self.segment, self.last, self.seen, self.told = segment, {}, {}, {}
        found = []
        for i, code in enumerate(named):
            who = player[i]
            steady, self.seen[who] = self.seen.get(who) == code, code
            if code < 0 or not steady or self.last.get(who) == code:
                continue
            before = self.told.setdefault(who, {})
            if code in before and t[i] - before[code] < self.quiet_s:
                continue
            before[code] = t[i]
            self.last[who] = code
            found.append(i)
        return found
