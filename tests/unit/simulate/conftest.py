"""Simulated matches that several tests look at."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from esports_assets.simulate.match import SimulatedMatch, simulate
from esports_assets.simulate.write import simulate_matches

SEED = 11
MATCHES = 6


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six matches as demos, the first two also as GRID files."""
    out = tmp_path_factory.mktemp("simulated")
    demos = simulate_matches(out / "demo", MATCHES, SEED)
    return demos + simulate_matches(out / "grid", 2, SEED, formats=("grid",))


@pytest.fixture(scope="session")
def demos(files: list[Path]) -> list[dict[str, Any]]:
    """The demo archives as {stem: content}."""
    found = []
    for path in files:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found.append({name[:-5]: json.loads(archive.read(name)) for name in archive.namelist()})
    return found


@pytest.fixture(scope="session")
def matches() -> list[SimulatedMatch]:
    """The same matches as facts."""
    return [simulate(SEED, index) for index in range(MATCHES)]
