"""The service stands on its own install: what training needs is neither imported nor importable there."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_bundle as tiny
import tiny_lake as made

from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from serving.derivation import window_fingerprint

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-serving.lock"
HEAVY = ("dagster", "mlflow", "sklearn", "pandas", "xgboost")
ROW = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5}


def _environment(**changes: str) -> dict[str, str]:
    """This process's, without what would lead to another environment, source tree or store."""
    foreign = ("BUNDLES_URL", "LAKE_URL", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name not in foreign} | changes


def test_importing_and_making_the_app_pulls_in_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
import sys
from serving.app import create_app
from serving.derivation import derivation_of, window_fingerprint
from serving.settings import Settings
create_app(Settings())
derivation_of("cs2/round_state"), window_fingerprint("cs2/round_state")
print([name for name in {(*HEAVY, "numba", "scipy", "matplotlib")} if name in sys.modules])
"""
    environment = _environment(ESPORTS_HOME=str(tmp_path), PYTHONPATH=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_a_service_without_a_log_loads_neither_redis_nor_what_reads_sources(tmp_path: Path) -> None:
    """They are a quarter of the time to start."""
    unused = ("redis", "pyarrow", "esports_assets.adapters", "esports_assets.streams.log", "serving.feed")
    code = f"""
import sys
from serving.app import create_app
from serving.settings import Settings
create_app(Settings())
print([name for name in {unused} if name in sys.modules])
"""
    environment = _environment(ESPORTS_HOME=str(tmp_path), PYTHONPATH=str(ROOT), REDIS_URL="", DATABASE_URL="")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def _run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=_environment(), check=False, **more)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the locked packages and ``esports-assets[serving]``, built from this tree."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv is not None, "this test needs uv, which the dev extra installs"
    folder = tmp_path_factory.mktemp("slim")
    python = folder / "venv" / "bin" / "python"
    _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    install = (uv, "pip", "install", "--quiet", "--python", str(python))
    _run(*install, "--require-hashes", "-r", str(LOCK))
    _run(*install, "--constraints", str(LOCK), f"esports-assets[serving] @ {wheel.as_uri()}")
    return python


@pytest.mark.slow
def test_the_extra_and_its_lock_name_the_same_packages(slim: Path) -> None:
    """Installing the extra over its lock adds and changes nothing, and the lock holds nothing that the extra does not need."""
    installed = json.loads(_run(str(slim), "-c", _CLOSURE))
    assert installed["unmet"] == []
    assert installed["needed"] == installed["present"]
    assert installed["present"] == _locked(slim)


_CLOSURE = """
import json
from importlib.metadata import distribution, distributions
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as name_of

present = {name_of(found.name): found.version for found in distributions()}
needed, unmet, todo = set(), [], [("esports-assets", frozenset(("serving",)))]
seen = set()
while todo:
    name, extras = todo.pop()
    if (name, extras) in seen:
        continue
    seen.add((name, extras))
    needed.add(name)
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        other = name_of(wanted.name)
        if other not in present or not wanted.specifier.contains(present[other], prereleases=True):
            unmet.append(f"{name} wants {text}, installed is {present.get(other)}")
        else:
            todo.append((other, frozenset(wanted.extras)))
needed.discard("esports-assets")
present.pop("esports-assets")
print(json.dumps({"present": present, "needed": {name: present[name] for name in needed}, "unmet": unmet}))
"""


def _locked(python: Path) -> dict[str, str]:
    """The packages of the lock that belong on this machine."""
    read = """
import json, sys
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

lines = [line.split(" \\\\")[0] for line in open(sys.argv[1]) if line[0] not in "# \\n"]
pins = [Requirement(line) for line in lines]
fit = [pin for pin in pins if not pin.marker or pin.marker.evaluate()]
print(json.dumps({canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in fit}))
"""
    found: dict[str, str] = json.loads(_run(str(python), "-c", read, str(LOCK)))
    return found


@pytest.mark.slow
def test_what_training_needs_cannot_be_imported_there(slim: Path) -> None:
    code = f"""
found = []
for name in {HEAVY}:
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        assert error.name == name, error
    else:
        found.append(name)
print(found)
"""
    assert _run(str(slim), "-c", code).strip() == "[]"


@pytest.fixture
def service(slim: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a service process of that environment, over a promoted model and a lake of small matches."""
    fingerprint = window_fingerprint("cs2/round_state")
    store = ObjectStore(tmp_path / "bundles")
    write_bundle(store, tiny.contract(window_fingerprint=fingerprint), tiny.graph())
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    lake = Lake(tmp_path / "lake")
    lake.write_match(made.match(made.BETA))
    lake.write_windows(made.BETA, "round_state", made.windows(made.BETA), {"fingerprint": fingerprint})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [str(slim), "-m", "serving.app"],
            env=_environment(ESPORTS_HOME=str(tmp_path), API_PORT=str(port)),
            cwd=tmp_path,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        _until_answering(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        code = process.wait(timeout=30)
    assert code in (0, -15), log.read_text()


def _until_answering(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"the service ended before it answered: {log.read_text()}"
        assert time.monotonic() < deadline, f"the service did not answer within a minute: {log.read_text()}"
        time.sleep(0.05)


def _ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: dict[str, Any] = json.load(answer)
    return content


@pytest.mark.slow
def test_the_serving_extra_alone_serves_predictions_and_win_probability(service: str) -> None:
    body = _ask(f"{service}/api/v1/predict/{tiny.TASK}", {"features": ROW})
    assert body["probabilities"]["ct"] == pytest.approx(0.8429, abs=1e-3)
    assert body["model_info"]["model_name"] == tiny.REGISTERED
    assert [match["match_id"] for match in _ask(f"{service}/api/v1/matches")["matches"]] == [made.BETA.match_id]
    told = _ask(f"{service}/api/v1/matches/{made.BETA.match_id}/win-probability")
    assert told["model_info"]["probability_source"] == "model"
    points = told["rounds"][0]["points"]
    assert [point["t_s"] for point in points] == [0.0, 1.0, 2.0, 60.0]
    assert points[0]["p_ct"] == pytest.approx(0.5, abs=1e-3)
    assert points[-1]["p_ct"] == 1.0
    assert [swing["event_type"] for swing in told["swings"]] == ["KILL", "BOMB_PLANTED", "KILL"]
    assert [player["player"] for player in told["players"]] == ["p:a", "p:b"]
