"""The walls between the rooms, read from the imports of every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("esports_assets", "serving")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "esports_assets/canonical": ("canonical",),
    "esports_assets/enrich": ("enrich", "canonical"),
    "esports_assets/games": ("games", "canonical"),
    "esports_assets/adapters": ("adapters", "enrich", "games", "canonical"),
    "esports_assets/windows": ("windows", "games", "canonical"),
    "esports_assets/models": ("models", "windows", "games", "adapters.base", "adapters.rps", "canonical"),
    "esports_assets/analytics": ("analytics", "models", "windows", "canonical"),
    "esports_assets/signals": ("signals", "models", "windows", "canonical"),
    "esports_assets/simulate": ("simulate", "canonical"),
    "esports_assets/streams": ("streams", "canonical", "adapters", "storage"),
    "serving": (
        *("canonical", "enrich", "adapters", "windows", "games", "signals", "streams", "storage"),
        *("models.bundle", "models.contract", "models.swing"),
        *("promotion.mirror", "promotion.reports", "promotion.scores", "promotion.terms"),
    ),
}
"""Folder to the rooms of esports_assets that it may use."""

DAGSTER_LIVES_IN = ("esports_assets/defs/", "esports_assets/definitions.py", "esports_assets/orchestrate.py")
MLFLOW_LIVES_IN = ("esports_assets/promotion/registry.py",)
HEAVY = {"mlflow", "sklearn", "xgboost", "great_expectations", "statsmodels", "matplotlib", "pandas", "scipy"}
"""What every step process and the service would pay for if a module imported it at its top."""
NOT_IN_SERVING = {
    "dagster",
    "mlflow",
    "sklearn",
    "pandas",
    "xgboost",
    "great_expectations",
    "statsmodels",
    "matplotlib",
    "scipy",
    "sqlalchemy",
}


@dataclass(frozen=True)
class Import:
    """One import: where it stands, what it names, and whether importing the file runs it."""

    file: str
    line: int
    module: str
    at_top: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _walk(node: ast.AST, at_top: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        inner = at_top and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, inner
        yield from _walk(child, inner and not _is_type_checking(child))


def _imports(path: Path) -> Iterator[Import]:
    name = path.relative_to(ROOT).as_posix()
    for node, at_top in _walk(ast.parse(path.read_text(encoding="utf-8")), True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name, at_top)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            assert node.module is not None
            yield Import(name, node.lineno, node.module, at_top)
            for alias in node.names:
                yield Import(name, node.lineno, f"{node.module}.{alias.name}", at_top)


ALL = [found for package in OURS for path in sorted((ROOT / package).rglob("*.py")) for found in _imports(path)]


def _top(found: Import) -> str:
    return found.module.split(".")[0]


def test_there_is_something_to_read() -> None:
    assert len({found.file for found in ALL}) > 100
    assert any(_top(found) == "mlflow" for found in ALL)


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_a_room_uses_only_the_rooms_below_it(folder: str) -> None:
    allowed = tuple(f"esports_assets.{room}" for room in MAY_IMPORT[folder])
    wrong = [
        str(found)
        for found in ALL
        if found.file.startswith(f"{folder}/") and _top(found) in OURS and not _allowed(found.module, allowed, folder)
    ]
    assert wrong == []


def _allowed(module: str, allowed: tuple[str, ...], folder: str) -> bool:
    if module == "serving" or module.startswith("serving."):
        return folder == "serving"
    return any(module == room or module.startswith(f"{room}.") or room.startswith(f"{module}.") for room in allowed)


def test_only_replaying_reads_source_files_and_the_lake() -> None:
    """The log itself knows events, wherever they come from."""
    rooms = ("esports_assets.adapters", "esports_assets.storage.lake")
    users = {f.file for f in ALL if f.file.startswith("esports_assets/streams/") and f.module.startswith(rooms)}
    assert users == {"esports_assets/streams/replay.py"}


def test_dagster_is_wiring_only() -> None:
    assert [str(f) for f in ALL if _top(f).startswith("dagster") and not f.file.startswith(DAGSTER_LIVES_IN)] == []


def test_mlflow_is_reached_from_one_file_inside_functions() -> None:
    users = [f for f in ALL if _top(f) == "mlflow"]
    assert [str(f) for f in users if f.file not in MLFLOW_LIVES_IN or f.at_top] == []


def test_nobody_imports_the_wiring() -> None:
    may = (*DAGSTER_LIVES_IN, "esports_assets/defs/")
    wired = ("esports_assets.defs", "esports_assets.definitions")
    assert [str(f) for f in ALL if f.module.startswith(wired) and not f.file.startswith(may)] == []


def test_heavy_libraries_are_imported_inside_functions() -> None:
    assert [str(f) for f in ALL if _top(f) in HEAVY and f.at_top] == []


def test_definitions_do_not_postpone_annotations() -> None:
    """Dagster reads them at run time."""
    assert [
        str(f) for f in ALL if f.file.startswith("esports_assets/defs/") and f.module == "__future__.annotations"
    ] == []


SLIM = [
    *("serving.app", "esports_assets.windows.batch", "esports_assets.adapters.registry"),
    *("esports_assets.streams.replay", "esports_assets.streams.collect", "esports_assets.streams.deadletter"),
    *("serving.room_session", "serving.replay_session"),
    *("esports_assets.storage.publish", "esports_assets.storage.analytics"),
    "esports_assets.promotion.evidence",
]


@pytest.mark.parametrize("module", SLIM)
def test_what_must_stay_slim_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(','.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(done.stdout.strip().split(","))
    assert "esports_assets" in loaded
    assert loaded & NOT_IN_SERVING == set()


def test_the_rules_of_a_game_load_no_tables() -> None:
    """Whoever only plays (a client, a script, a worker that starts often) pays for neither numpy nor Arrow."""
    parts = ("features", "histories", "decision", "opponents", "simulate")
    modules = ", ".join(f"esports_assets.games.rps.{part}" for part in parts)
    code = f"import sys, {modules}; print(sorted({{'numpy', 'pyarrow'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ROOMS = ("serving/room", "serving/replay_", "serving/recording.py", "serving/routes/sockets.py")
ONLY_FOR_CLIENTS = {
    *("serving.recording", "serving.replay_clock", "serving.replay_session", "serving.room_ids", "serving.room_log"),
    *("serving.room_merge", "serving.room_messages", "serving.room_session", "serving.rooms"),
}


def test_the_service_loads_its_rooms_with_the_first_client() -> None:
    """The log and Arrow cost a fraction of a second that a service without viewers does not pay."""
    rooms = {module.replace(".", "/") + ".py" for module in ONLY_FOR_CLIENTS}
    early = [f for f in ALL if f.module in ONLY_FOR_CLIENTS and f.at_top and f.file not in rooms]
    assert [str(f) for f in early] == []


def test_rooms_read_no_signal_that_did_not_pass_the_gate() -> None:
    """Signals as the worker made them have names; what talks to clients does not know these."""
    ungated = ("names.MOTION", "names.SIGNALS", "release.ORIGINALS", "release.REFUSED")
    files = [path for path in (ROOT / "serving").rglob("*.py") if path.relative_to(ROOT).as_posix().startswith(ROOMS)]
    assert len(files) > 10
    assert [str(f) for f in ALL if f.file.startswith(ROOMS) and f.module.endswith(ungated)] == []
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert [name for name, text in texts.items() if "agent.signals" in text or "events:agent:motion" in text] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pandas as pd", [("pandas", True)]),
        ("def f():\n    import pandas", [("pandas", False)]),
        ("class A:\n    import pandas", [("pandas", True)]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", [("pandas", False)]),
    ],
)
def test_the_reader_tells_top_from_inside(tmp_path: Path, source: str, expected: list[tuple[str, bool]]) -> None:
    found = [(node, at_top) for node, at_top in _walk(ast.parse(source), True) if isinstance(node, ast.Import)]
    assert [(node.names[0].name, at_top) for node, at_top in found] == expected


def test_no_room_is_a_drawer() -> None:
    names = {path.stem for package in OURS for path in (ROOT / package).rglob("*")}
    assert names & {"utils", "util", "helpers", "helper", "common", "misc"} == set()
