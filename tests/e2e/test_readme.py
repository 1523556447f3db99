"""Everything that the README shows, done as its reader would: the front door, the questions to the API, the commands.

One `make run` stays up for all of it and is stopped with Ctrl-C at the end.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
MATCHES = 6
UP_WITHIN_S = 900.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@dataclass
class Running:
    """A `make run` that is up."""

    process: subprocess.Popen[str]
    api: str
    dagster: str
    env: dict[str, str]
    log: Path

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.api + path, timeout=20) as answer:
            return json.load(answer)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("front-door")
    api, dagster = free_port(), free_port()
    foreign = (
        "DATABASE_URL",
        "REDIS_URL",
        "LAKE_URL",
        "BUNDLES_URL",
        "MLFLOW_TRACKING_URI",
        "DAGSTER_HOME",
        "DAGSTER_PG_URL",
    )
    env = {key: value for key, value in os.environ.items() if key not in foreign}
    env |= {"ESPORTS_HOME": str(home), "API_PORT": str(api), "DAGSTER_PORT": str(dagster), "COLUMNS": "200"}
    log = home / "make.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            ["make", "run", f"MATCHES={MATCHES}", "SEED=3"],
            cwd=ROOT, env=env, stdout=sink, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + UP_WITHIN_S
            while "Ctrl-C stops everything" not in log.read_text():
                assert process.poll() is None, f"make run ended with {process.returncode}:\n{log.read_text()[-4000:]}"
                assert time.monotonic() < deadline, f"not up after {UP_WITHIN_S:.0f} s:\n{log.read_text()[-4000:]}"
                time.sleep(0.5)
            yield Running(process, f"http://127.0.0.1:{api}", f"http://127.0.0.1:{dagster}", env, log)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(60)


def blocks() -> list[str]:
    """The lines of the README's shell blocks, without comments."""
    found = re.findall(r"```sh\n(.*?)```", README, re.S)
    return [line.split("  #")[0].strip() for block in found for line in block.splitlines() if line.strip()]


def test_the_front_door_is_the_first_thing_shown() -> None:
    assert [line.split()[:2] for line in blocks()[:2]] == [["make", "run"], ["make", "test"]]


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).is_file(), f"the README links {target}, which is not there"


def test_the_commands_shown_exist() -> None:
    shown = set(re.findall(r"`esports ([a-z]+)", README)) | {"down"}
    for name in sorted(shown):
        answer = subprocess.run(
            [sys.executable, "-m", "esports_assets.cli", name, "--help"], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, f"esports {name}: {answer.stderr}"


def test_a_run_ends_with_a_promoted_model_that_answers(running: Running) -> None:
    said = running.log.read_text()
    assert "materialize the graph" in said
    assert '"model_name": "cs2.round_win.' in said
    ready = running.get("/readyz")
    assert ready["status"] == "ready", ready


def test_both_adapters_are_on_the_default_path(running: Running) -> None:
    matches = running.get("/api/v1/matches")["matches"]
    assert len(matches) == MATCHES
    assert {match["source"] for match in matches} == {"cs2_demo", "grid"}
    assert all(match["simulated"] for match in matches)


def test_every_question_shown_is_answered(running: Running) -> None:
    matches = running.get("/api/v1/matches")
    match_id = matches["matches"][0]["match_id"]
    for line in blocks():
        if not line.startswith("curl"):
            continue
        asked = line.replace("localhost:8000", running.api.removeprefix("http://")).replace("MATCH_ID", match_id)
        answer = subprocess.run(
            [*shlex.split(asked), "--fail-with-body"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, f"{line}: {answer.stdout} {answer.stderr}"
        body = json.loads(answer.stdout)
        if "predict" in line:
            assert body["probabilities"]["ct"] + body["probabilities"]["t"] == pytest.approx(1.0)
            assert body["interval"]["lo"] <= body["probabilities"]["ct"] <= body["interval"]["hi"]
            assert body["model_info"]["dagster_run_id"]


def test_win_probability_of_a_training_match_is_out_of_fold(running: Running) -> None:
    match_id = running.get("/api/v1/matches")["matches"][0]["match_id"]
    answer = running.get(f"/api/v1/matches/{match_id}/win-probability")
    assert answer["model_info"]["probability_source"] == "out_of_fold"
    for played in answer["rounds"]:
        assert all(0.0 <= point["p_ct"] <= 1.0 for point in played["points"])
        assert played["points"][-1]["p_ct"] == (1.0 if played["winner"] == "ct" else 0.0)


def test_the_dagster_ui_is_up(running: Running) -> None:
    with urllib.request.urlopen(running.dagster + "/server_info", timeout=30) as answer:
        assert "dagster_version" in json.load(answer)


def test_ctrl_c_stops_every_child(running: Running) -> None:
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert children
    os.killpg(running.process.pid, signal.SIGINT)
    running.process.wait(90)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, [child.cmdline() for child in alive]
