"""The tiny match of format 2.0 with something changed in its source."""

from collections.abc import Callable
from typing import Any

from tiny_demo import V2_NAME, packed, sections

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch


def changed(change: Callable[[dict[str, Any]], None]) -> CanonicalMatch:
    """The match after the change."""
    parts = sections(2)
    change(parts)
    (match,) = read_file(SourceFile(V2_NAME, packed(2, parts))).matches
    return match
