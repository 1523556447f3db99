"""What most commands begin with: the settings, the running servers, the environment of Dagster.

Belongs here: preparing the home and Dagster's instance folder, and telling this process where things are.
Does not belong here: starting servers (``storage/embedded.py``), commands.
"""

import os
import shutil
from pathlib import Path

from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.storage.database import connect, migrate

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder, which holds ``dagster.yaml`` and ``workspace.yaml``."""


def open_world() -> Settings:
    """Servers up, tables migrated, Dagster's instance in place, and this process's environment pointing at all of it."""
    settings = embedded.up(Settings.from_env())
    assert settings.database_url is not None
    engine = connect(settings.database_url)
    try:
        migrate(engine)
    finally:
        engine.dispose()
    prepare_dagster(settings)
    os.environ.update(settings.environment())
    return settings


def prepare_dagster(settings: Settings) -> None:
    """Put the project's instance configuration into DAGSTER_HOME, unless an operator keeps one there."""
    target = settings.dagster_home / "dagster.yaml"
    ours = settings.dagster_home.is_relative_to(settings.home)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    if ours or not target.exists():
        shutil.copyfile(ROOT / "dagster.yaml", target)
