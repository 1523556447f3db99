"""What the routes of one app share. Belongs here: the parts, side by side. Does not belong here: any behaviour."""

from dataclasses import dataclass

from serving.bundles import Watcher
from serving.lineage import Lineage
from serving.match_reader import MatchReader
from serving.metrics import Metrics
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """One app's parts."""

    settings: Settings
    watcher: Watcher
    metrics: Metrics
    matches: MatchReader
    lineage: Lineage
