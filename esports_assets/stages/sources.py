"""Stage: which source files a day holds, and a day's matches brought up to date with them.

Belongs here: the days that there are, one version of a day's source files, reading a day again.
Does not belong here: bringing files in (``ingest.py``), where they lie (``storage/raw_shelf.py``).
"""

from datetime import date

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import reread_day
from esports_assets.storage.lake import Lake

NOTHING = combined_hash({})
"""The version of a day without source files."""


def days_of(lake: Lake, title: Title) -> list[date]:
    """Days with source files, and days that still hold matches although their files are gone, in order."""
    return sorted({*lake.raw_days(title), *lake.days(title)})


def source_version(lake: Lake, title: Title, day: date) -> str:
    """One version of the source files of a day: other bytes, another name or another file give another one."""
    return combined_hash({file.key: file.sha12 for file in lake.raw_files(title, day)})


def read_day(lake: Lake, title: Title, day: date) -> None:
    """Bring a day's matches up to date with its source files; matches whose file is gone go with it, to the last one."""
    reread_day(lake, title, day)
    if not lake.raw_files(title, day):
        backed = {r.header.match_id for r in lake.matches(title, day) if not r.raw or lake.store.exists(r.raw)}
        lake.retain(title, day, backed)
