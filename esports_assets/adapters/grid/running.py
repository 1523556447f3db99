"""What a series is as of its last event: the state that its deltas add up to, and whether the source stands by it.

Belongs here: bringing the state to just after an event, and the marks of invalidation.
Does not belong here: the algebra of trees (``state.py``), games and rounds (``decoder.py``).
"""

from esports_assets.adapters.grid import mapping, raw
from esports_assets.adapters.grid.state import apply_delta, disagreements, overlay


class RunningState:
    """The state of one series; ``invalid_since`` is the place from which the source does not stand by it, else None."""

    def __init__(self) -> None:
        self.tree: raw.State = {}
        self.invalid_since: str | None = None

    def follow(self, event: raw.Event, place: str) -> list[str]:
        """Bring the state to just after the event; tells where its delta and its state disagree (the state stands)."""
        delta, after = event.seriesStateDelta, event.seriesState
        found = list(disagreements(self.tree, delta, after)) if delta and after else []
        if after and event.includesFullState:
            self.tree = after
        else:
            apply_delta(self.tree, delta or {})
            overlay(self.tree, after or {})
        self._judge(event, place)
        return found

    def _judge(self, event: raw.Event, place: str) -> None:
        """The feed's own verdict on the series, by an event of its own, else by the state's field."""
        if event.type in mapping.VALIDITY:
            self.tree["valid"] = mapping.VALIDITY[event.type]
        if self.tree.get("valid") is False:
            self.invalid_since = self.invalid_since or place
        elif self.tree.get("valid") is True:
            self.invalid_since = None
