"""Partitions: one set of days per title; matches live inside a day.

Belongs here: partition definitions, and how a run says which days it covers.
Does not belong here: finding out which days there are (``orchestrate.py`` and sensors register them).
"""

from collections.abc import Collection, Sequence

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from esports_assets.canonical.vocabulary import Title


def days_of(title: Title) -> dg.DynamicPartitionsDefinition:
    """Days with matches of a title. Dynamic, because a source without dates files its matches under 1970-01-01."""
    return dg.DynamicPartitionsDefinition(name=f"{title.value}_days")


CS2_DAYS = days_of(Title.CS2)


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of one run over all days from the first to the last, in the order in which they were registered."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def stretches(wanted: Collection[str], registered: Sequence[str]) -> list[list[str]]:
    """The wanted days in stretches that hold no other day, in the order in which they were registered."""
    found: list[list[str]] = []
    stretch: list[str] = []
    for day in (*registered, ""):
        if day in wanted:
            stretch.append(day)
        elif stretch:
            found.append(stretch)
            stretch = []
    return found
