"""The service stands on its own install: what training needs is neither imported nor importable there."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import tiny_bundle as tiny

from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from serving.derivation import window_fingerprint

ROOT = Path(__file__).parents[2]
HEAVY = ("dagster", "mlflow", "sklearn", "pandas", "xgboost")
ROW = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5}


def _environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("BUNDLES_URL", "LAKE_URL", "VIRTUAL_ENV")}
    return kept | {"PYTHONPATH": str(ROOT)} | changes


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
    environment = _environment(ESPORTS_HOME=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def _post(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.slow
def test_the_serving_extra_alone_serves_a_prediction(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv is not None, "this test needs uv, which the dev extra installs"
    venv = tmp_path / "venv"
    python = str(venv / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True, timeout=120)
    lock = str(ROOT / "requirements-serving.lock")
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", lock]
    subprocess.run(install, check=True, timeout=400, env=_environment())
    find = f"import importlib.util as u; print([n for n in {HEAVY} if u.find_spec(n)])"
    found = subprocess.run([python, "-c", find], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

    store = ObjectStore(tmp_path / "bundles")
    write_bundle(store, tiny.contract(window_fingerprint=window_fingerprint("cs2/round_state")), tiny.graph())
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = _environment(ESPORTS_HOME=str(tmp_path), API_PORT=str(port))
    with (tmp_path / "log").open("w") as log:
        service = subprocess.Popen(
            [python, "-m", "serving.app"], env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        status, body = _ask(f"http://127.0.0.1:{port}/api/v1/predict/{tiny.TASK}", service)
    finally:
        service.terminate()
        code = service.wait(timeout=30)
    assert status == 200, body
    assert body["probabilities"]["ct"] == pytest.approx(0.8429, abs=1e-3)
    assert body["model_info"]["model_name"] == tiny.REGISTERED
    assert code in (0, -15), (tmp_path / "log").read_text()


def _ask(url: str, service: subprocess.Popen[bytes]) -> tuple[int, dict[str, Any]]:
    deadline = time.monotonic() + 60
    while True:
        try:
            return _post(url, {"features": ROW})
        except urllib.error.URLError:
            assert service.poll() is None, "the service ended before it answered"
            assert time.monotonic() < deadline, "the service did not answer within a minute"
            time.sleep(0.05)
