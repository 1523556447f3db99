"""Everything that the README shows, done as its reader would: the front door, the questions to the API, the commands.

One `make run` stays up for the questions and is stopped with Ctrl-C; the commands then work on what it left.
`make run DATA=... ONCE=1` is the command that ``test_run_again.py`` executes.
"""

import json
import math
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from esports_assets.adapters.registry import ADAPTERS
from esports_assets.commands import question

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
ESPORTS = Path(sys.executable).with_name("esports")
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
def running() -> Iterator[Running]:
    home = Path(tempfile.mkdtemp(prefix="esports-test-"))  # pytest's own place is closed to PostgreSQL's user at times
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
            shutil.rmtree(home, ignore_errors=True)


def blocks() -> list[str]:
    """The lines of the README's shell blocks, without comments."""
    found = re.findall(r"```sh\n(.*?)```", README, re.S)
    return [line.split("  #")[0].strip() for block in found for line in block.splitlines() if line.strip()]


def test_the_front_door_is_the_first_thing_shown() -> None:
    assert [line.split()[:2] for line in blocks()[:2]] == [["make", "run"], ["make", "test"]]


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).is_file(), f"the README links {target}, which is not there"


def test_every_command_shown_is_executed_below() -> None:
    shown = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", README, re.M)
        for name in re.findall(r"`(?:esports )?([a-z]+)", cell)
    }
    assert shown == set(EXECUTED)


@pytest.mark.parametrize("line", [line for line in blocks() if line.startswith("make ")])
def test_the_targets_shown_are_there(line: str) -> None:
    """`make` says what it would do: the targets and their words are those of the Makefile."""
    # `make test` runs this one, with arguments of its own
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key != "ARGS"}
    command = [*shlex.split(line), "-n"]
    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    expected = {
        "make run": ".venv/bin/esports run",
        "make test": ".venv/bin/python -m pytest -n 2 --dist loadfile",
        "make run DATA=path/to/matches ONCE=1": '.venv/bin/esports run --data "path/to/matches" --once',
    }
    assert " ".join(said.replace("\\\n", " ").splitlines()[-1].split()) == expected[line]


def test_the_formats_named_are_those_that_the_adapters_read() -> None:
    named = set(re.findall(r"`(\.[a-z.]+)`", README.partition("## The `esports` command")[0]))
    assert named == {suffix for adapter in ADAPTERS for suffix in adapter.suffixes}


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


def test_a_match_that_is_played_becomes_reviews_and_statements(running: Running) -> None:
    """`make run` has a worker: what README's section on live shows, with a simulated file."""
    source = sorted(path for path in Path(running.env["ESPORTS_HOME"]).rglob("*.zip") if "simulated" in str(path))[0]
    [played] = json.loads(esports(running, "replay", str(source), "--speed", "max", "--json"))
    assert played["appended"] == played["sent"] > 1_000
    key = (Path(running.env["ESPORTS_HOME"]) / "operator.key").read_text().split()[-1]
    wait_for(lambda: asked(running, "/api/v1/reviews/pending", key)["reviews"])
    waiting = asked(running, "/api/v1/reviews/pending?limit=1000", key)["reviews"]
    assert {review["agent_name"] for review in waiting} <= {"intent", "momentum"}
    assert {review["subject"]["match_id"] for review in waiting} == {played["match_id"]}
    assert json.loads(esports(running, "deadletter", "list", "--json")) == []


def wait_for(condition: Callable[[], Any], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.5)


def asked(running: Running, path: str, key: str) -> Any:
    request = urllib.request.Request(running.api + path, headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_ctrl_c_stops_every_child(running: Running) -> None:
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert children
    os.killpg(running.process.pid, signal.SIGINT)
    running.process.wait(90)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, [child.cmdline() for child in alive]


EXECUTED = (
    "up",
    "down",
    "simulate",
    "ingest",
    "materialize",
    "evaluate",
    "promote",
    "rollback",
    "serve",
    "live",
    "replay",
    "land",
    "deadletter",
    "train",
    "promotion",
    "causal",
    "parity",
    "keys",
    "doctor",
    "env",
)
"""The commands that the tests below execute as the README shows them."""


def esports(running: Running, *arguments: str, **env: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        [str(ESPORTS), *arguments], cwd=ROOT, env={**running.env, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"esports {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def left(running: Running) -> Iterator[Running]:
    """The home of the run after it, with its servers up again."""
    assert {row["running"] for row in json.loads(esports(running, "up", "--json"))} == {"yes"}
    yield running
    assert set(json.loads(esports(running, "down", "--json"))["stopped"]) >= {"postgres", "valkey"}
    assert esports(running, "down").strip() == "Nothing was running."


def test_simulate_ingest_and_evaluate(left: Running, tmp_path: Path) -> None:
    files = json.loads(
        esports(left, "simulate", "--matches", "4", "--seed", "1", "--out", str(tmp_path / "in"), "--json")
    )["files"]
    assert len(files) == 4
    report = json.loads(esports(left, "ingest", *files, "--json", LAKE_URL=str(tmp_path / "lake")))
    assert (len(report["matches"]), report["refusals"], report["quarantined"], report["duplicates"]) == (4, [], [], [])
    scored = json.loads(esports(left, "evaluate", "cs2.round_win", "--data", files[0], "--data", files[1], "--json"))
    assert (scored["n_matches"], scored["alias"]) == (2, "Production")
    assert set(scored["metrics"]) == {"log_loss", "brier", "ece", "auc", "accuracy"}


def test_live_land_parity_and_keys(left: Running, tmp_path: Path) -> None:
    out = str(tmp_path / "in")
    (source,) = json.loads(esports(left, "simulate", "--matches", "1", "--seed", "77", "--out", out, "--json"))["files"]
    with left.log.with_name("live.log").open("w") as sink:
        worker = subprocess.Popen([str(ESPORTS), "live"], cwd=ROOT, env=left.env, stdout=sink, stderr=sink)
        try:
            log = left.log.with_name("logs") / "live-1.log"
            wait_for(lambda: log.is_file() and "the worker is ready" in log.read_text())
            [played] = json.loads(esports(left, "replay", source, "--speed", "max", "--json"))
        finally:
            worker.terminate()
            worker.wait(30)
    landed = json.loads(esports(left, "land", "--once", "--json"))
    assert played["match_id"] in landed["landed"]
    compared = json.loads(esports(left, "parity", "--data", source, "--json"))
    assert (compared["rows_different"], compared["first_difference"]) == (0, None)
    assert compared["rows_compared"] > 1_000
    assert [key["role"] for key in json.loads(esports(left, "keys", "list", "--json"))] == ["operator"]


def test_promote_and_rollback(left: Running) -> None:
    before = set(re.findall(r'"model_name": "(cs2\.round_win\.[a-z_]+)"', left.log.read_text()))
    [other] = {"cs2.round_win.multinomial_logistic", "cs2.round_win.xgboost"} - before
    entry = json.loads(esports(left, "promote", other, "--json"))
    assert (entry["registered_name"], entry["decision"]) == (other, "promote")
    back = json.loads(esports(left, "rollback", "cs2.round_win", "--reason", "it was only a try", "--json"))
    assert ({back["registered_name"]}, back["decision"]) == (before, "rollback")
    assert "it was only a try" in back["reason"]


def test_materialize_a_selection(left: Running) -> None:
    ran = json.loads(esports(left, "materialize", "group:windows", "--json"))
    assert ran["success"]
    assert "windows__cs2__round_state" in ran["steps"]
    assert not [step for step in ran["steps"] if step.startswith(("models", "canonical"))]


def test_train_says_what_is_due(left: Running) -> None:
    told = json.loads(esports(left, "train", "--dry-run", "--simulated", "2", "--json"))
    families = ("experts", "feedforward_nn", "multinomial_logistic", "xgboost")
    aliases = ("Production", "B", "shadow1", "shadow2")
    assert {(row["model"], row["alias"]) for row in told} == {
        (f"rps.next_move.{family}", alias) for family in families for alias in aliases
    }
    assert {row["said"] for row in told} == {"would be trained"}


def test_promotion_is_simulated(left: Running) -> None:
    words = ("--effect", "0.05", "--games", "400", "--trials", "40", "--json")
    told = json.loads(esports(left, "promotion", "simulate", *words))
    assert told.keys() == {"trials", "swap_rate", "rollback_rate", "games_to_decision"}
    assert told["trials"] == 40


def test_causal_finds_a_known_effect(left: Running, tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = ["t,y,a,b"]
    for _ in range(600):
        a, b = rng.gauss(0, 1), rng.gauss(0, 1)
        t = int(rng.random() < 1 / (1 + math.exp(-0.5 * a)))
        rows.append(f"{t},{2.0 * t + a + rng.gauss(0, 1)},{a},{b}")
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    words = ("--data", str(table), "--treatment", "t", "--outcome", "y", "--covariates", "a,b", "--json")
    told = json.loads(esports(left, "causal", *words))
    low, high = told["interval"]
    assert low < 2.0 < high
    assert 1.7 < told["estimate"] < 2.3
    assert told["verdict"] == "supported"


def test_serve_answers_alone(left: Running) -> None:
    port = str(free_port())
    with left.log.with_name("serve.log").open("w") as sink:
        serving = subprocess.Popen(
            [str(ESPORTS), "serve"], cwd=ROOT, env={**left.env, "API_PORT": port}, stdout=sink, stderr=sink
        )
        try:
            question.wait_until(f"http://127.0.0.1:{port}/readyz", 60, lambda: None)
        finally:
            serving.terminate()
            serving.wait(30)


def test_the_doctor_finds_this_home_well(left: Running) -> None:
    """Whatever it says of the machine's own packages and disk."""
    done = subprocess.run([str(ESPORTS), "doctor", "--json"], env=left.env, capture_output=True, text=True, check=False)
    found = {entry["check"]: entry["well"] for entry in json.loads(done.stdout)}
    assert found.keys() >= {"home", "postgres", "valkey", "API_PORT", "DAGSTER_HOME", "LAKE_URL", "BUNDLES_URL"}
    assert [check for check, well in found.items() if not well and check not in ("packages", "disk")] == []


def test_env_makes_plain_dagster_work(left: Running) -> None:
    script = 'eval "$("$ESPORTS" env)" && "$DAGSTER" instance info'
    env = {**left.env, "ESPORTS": str(ESPORTS), "DAGSTER": str(ESPORTS.with_name("dagster"))}
    said = subprocess.run(["sh", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert f"{left.env['ESPORTS_HOME']}/dagster" in said
    assert re.search(r"schedule_storage:\s+current: [0-9a-f]{12}", said), said
