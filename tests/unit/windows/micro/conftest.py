"""Puts the matches of the neighbouring folder (``future``, ``cs2_changed``) on the import path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
