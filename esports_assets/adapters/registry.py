"""The one table from source to adapter.

Belongs here: the list of adapters and the choice among them.
Does not belong here: anything that only one of them needs.
"""

from esports_assets.adapters.base import Adapter, Reading, Refusal, SourceFile
from esports_assets.adapters.cs2_demo.adapter import Cs2DemoAdapter
from esports_assets.adapters.enriching import Enriching
from esports_assets.adapters.grid.adapter import GridAdapter
from esports_assets.adapters.rps.adapter import RpsAdapter

ADAPTERS: tuple[Adapter, ...] = tuple(Enriching(adapter) for adapter in (Cs2DemoAdapter(), RpsAdapter(), GridAdapter()))
"""In order of preference; the first that recognises a file reads it."""


def adapter_for(file: SourceFile) -> Adapter | None:
    """The adapter that recognises the file, or None."""
    return next((adapter for adapter in ADAPTERS if adapter.recognises(file)), None)


def read_file(file: SourceFile) -> Reading:
    """Read a file with the adapter that recognises it; a file that nobody recognises is refused by name."""
    adapter = adapter_for(file)
    if adapter is None:
        known = ", ".join(f"{a.name} ({', '.join(a.suffixes)})" for a in ADAPTERS)
        reason = f"no adapter recognises this file; known sources: {known}"
        return Reading(refusals=(Refusal(file.name, "", reason, "WrongFormat"),))
    return adapter.read(file)
