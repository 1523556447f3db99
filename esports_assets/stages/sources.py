"""Stage: which source files a day holds.

Belongs here: one version of a day's source files.
Does not belong here: bringing files in (``ingest.py``), where they lie (``storage/raw_shelf.py``).
"""

from datetime import date

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.lake import Lake


def source_version(lake: Lake, title: Title, day: date) -> str:
    """One version of the source files of a day: other bytes, another name or another file give another one."""
    return combined_hash({file.key: file.sha12 for file in lake.raw_files(title, day)})
