"""Any adapter, with the derived facts of its events: what the registry makes of each, so that all inherit them.

Belongs here: the wrapping, and a version that changes with the facts.
Does not belong here: the facts (``esports_assets/enrich``).
"""

from collections.abc import Sequence
from dataclasses import replace

from esports_assets.adapters.base import Adapter, Reading, SourceFile
from esports_assets.enrich.batch import enriched
from esports_assets.enrich.facts import ENRICHMENT_VERSION


class Enriching:
    """An adapter whose matches carry the facts of ``ENRICHED_KEYS``."""

    def __init__(self, bare: Adapter) -> None:
        self._bare = bare
        self.name: str = bare.name
        self.version: str = f"{bare.version}.{ENRICHMENT_VERSION}"
        self.suffixes: Sequence[str] = bare.suffixes

    def recognises(self, file: SourceFile) -> bool:
        """Whether the file looks like the adapter's source."""
        return self._bare.recognises(file)

    def read(self, file: SourceFile) -> Reading:
        """Everything the file says, and what follows from it."""
        reading = self._bare.read(file)
        return replace(reading, matches=tuple(enriched(match) for match in reading.matches))
