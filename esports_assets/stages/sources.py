"""Stage: which source files a day holds, and a day's matches brought up to date with them.

Belongs here: the days that there are, one version of a day's source files and of its tables, reading a day again.
Does not belong here: bringing files in (``ingest.py``), where they lie (``storage/raw_shelf.py``).
"""

from collections.abc import Iterable
from datetime import date

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import reread_day
from esports_assets.storage.lake import Lake, MatchRecord

NOTHING = combined_hash({})
"""The version of a day without source files."""


def days_of(lake: Lake, title: Title) -> list[date]:
    """Days with source files, and days that hold matches without one (it is gone, or they came by the stream), in order."""
    return sorted({*lake.raw_days(title), *lake.days(title)})


def days_of_files(lake: Lake, title: Title) -> list[date]:
    """Days with source files, and days that still hold matches of files although these are gone, in order.

    Days of matches that came by the stream alone are none of them.
    """
    with_files = set(lake.raw_days(title))
    others = [day for day in lake.days(title) if day not in with_files]
    return sorted(with_files | {day for day in others if any(record.raw for record in lake.matches(title, day))})


def source_version(lake: Lake, title: Title, day: date) -> str:
    """One version of the source files of a day: other bytes, another name or another file give another one."""
    return combined_hash({file.key: file.sha12 for file in lake.raw_files(title, day)})


def table_version(table: str, records: Iterable[MatchRecord]) -> str:
    """One version of a table of some matches together, those in quarantine left out."""
    return combined_hash({r.header.match_id: r.versions[table] for r in records if not r.quarantined})


def read_day(lake: Lake, title: Title, day: date) -> None:
    """Bring a day's matches up to date with its source files; matches whose file is gone go with it, to the last one."""
    reread_day(lake, title, day)
    if not lake.raw_files(title, day):
        backed = {r.header.match_id for r in lake.matches(title, day) if not r.raw or lake.store.exists(r.raw)}
        lake.retain(title, day, backed)
