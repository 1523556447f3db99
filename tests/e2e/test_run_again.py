"""`esports run --data FOLDER --once` on source files: interrupted in the ingest and in the graph, completed, and once more.

One home sees all four runs, in this order: what an interrupted run leaves behind is what the next one starts from.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from esports_assets.simulate.write import simulate_matches

ROOT = Path(__file__).resolve().parents[2]
MATCHES = 6
WITHIN_S = 600.0
GONE_WITHIN_S = 20.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@dataclass
class Ended:
    """A run that is over: its exit code, what it printed, and processes of its home that outlived it."""

    code: int
    out: str
    said: str
    outlived: list[str] = field(default_factory=list)

    @property
    def report(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Home:
    """Where the runs keep their state, and the command that they are."""

    folder: Path
    sources: Path
    env: dict[str, str]

    def run(self, interrupt: Callable[[psutil.Process, str], bool] | None = None) -> Ended:
        """One run, which Ctrl-C ends as soon as ``interrupt`` says so of its process and of what it has printed."""
        out, err = self.folder.parent / "out", self.folder.parent / "err"
        command = [
            str(Path(sys.executable).with_name("esports")),
            "run",
            "--data",
            str(self.sources),
            "--once",
            "--json",
        ]
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=stdout, stderr=stderr, start_new_session=True
            )
            try:
                deadline = time.monotonic() + WITHIN_S
                while process.poll() is None:
                    assert time.monotonic() < deadline, f"not done after {WITHIN_S:.0f} s: {err.read_text()[-2000:]}"
                    if interrupt is not None and interrupt(psutil.Process(process.pid), err.read_text()):
                        os.killpg(process.pid, signal.SIGINT)
                        process.wait(60)
                    time.sleep(0.05)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(10)
        return Ended(process.returncode, out.read_text(), err.read_text(), self._outlived())

    def _outlived(self) -> list[str]:
        deadline = time.monotonic() + GONE_WITHIN_S
        while (alive := self._alive()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return alive

    def _alive(self) -> list[str]:
        """Command lines of every process that was started for this home, whoever its parent is by now."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("ESPORTS_HOME") == str(self.folder):
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:  # gone meanwhile, a zombie, or somebody else's
                continue
        return found

    def files(self, *folders: str) -> dict[str, tuple[int, bytes]]:
        """Every file below some folders of the home, with the time of its last change and its bytes."""
        found = [file for folder in folders for file in (self.folder / folder).rglob("*") if file.is_file()]
        return {str(file.relative_to(self.folder)): (file.stat().st_mtime_ns, file.read_bytes()) for file in found}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reads_in_parallel(run: psutil.Process, said: str) -> bool:
    """Whether the run's reading processes are at work."""
    if "ingest ..." not in said:
        return False
    readers = 0
    for child in run.children():
        try:
            readers += "spawn_main" in " ".join(child.cmdline())
        except psutil.Error:
            continue
    return readers >= 2


@dataclass
class Story:
    """The four runs, and the state after the third and the fourth."""

    in_ingest: Ended
    in_graph: Ended
    whole: Ended
    again: Ended
    before: dict[str, tuple[int, bytes]]
    after: dict[str, tuple[int, bytes]]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not pytest's own place: another session closes that to the user of the embedded PostgreSQL."""
    made = Path(tempfile.mkdtemp(prefix="esports-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def story(folder: Path) -> Story:
    home = folder / "home"
    foreign = {"DATABASE_URL", "REDIS_URL", "LAKE_URL", "BUNDLES_URL", "MLFLOW_TRACKING_URI", "DAGSTER_HOME"}
    env = {name: value for name, value in os.environ.items() if name not in {*foreign, "DAGSTER_PG_URL"}}
    env |= {"ESPORTS_HOME": str(home), "API_PORT": str(_free_port()), "DAGSTER_PORT": str(_free_port())}
    simulate_matches(folder / "sources", MATCHES, 3, formats=("mixed",))
    its = Home(home, folder / "sources", env)
    in_ingest = its.run(_reads_in_parallel)
    in_graph = its.run(lambda _, said: "materialize the graph ..." in said and (home / "lake" / "windows").is_dir())
    whole = its.run()
    before = its.files("lake", "bundles", "mlflow")
    again = its.run()
    return Story(in_ingest, in_graph, whole, again, before, its.files("lake", "bundles", "mlflow"))


def test_ctrl_c_in_the_ingest_leaves_no_process(story: Story) -> None:
    assert story.in_ingest.code == 130, story.in_ingest.said
    assert story.in_ingest.outlived == []
    assert "ingest stopped after" in story.in_ingest.said
    assert "Stopped before it was complete: the same again goes on from here." in story.in_ingest.said
    assert "Traceback" not in story.in_ingest.said


def test_ctrl_c_in_the_graph_leaves_no_process(story: Story) -> None:
    assert story.in_graph.code == 130, story.in_graph.said
    assert story.in_graph.outlived == []
    assert "materialize the graph stopped after" in story.in_graph.said
    assert "Stopped before it was complete" in story.in_graph.said


def test_the_next_run_completes_with_an_answer_and_ends(story: Story) -> None:
    assert story.whole.code == 0, story.whole.said
    assert story.whole.outlived == []
    report = story.whole.report
    assert report["graph"]["success"]
    told = report["prediction"]["model_info"]
    assert told["model_name"].startswith("cs2.round_win.")
    assert (told["model_alias"], told["dagster_run_id"]) == ("Production", report["graph"]["run_id"])
    assert sum(report["prediction"]["probabilities"].values()) == pytest.approx(1.0)


def test_a_second_start_learns_nothing_again_and_is_faster(story: Story) -> None:
    assert story.again.code == 0, story.again.said
    assert story.again.outlived == []
    whole, again = story.whole.report, story.again.report
    assert again["prediction"]["model_info"] == whole["prediction"]["model_info"]
    assert again["prediction"]["probabilities"] == whole["prediction"]["probabilities"]
    changed = {name for name in {*story.before, *story.after} if story.before.get(name) != story.after.get(name)}
    assert changed == set()
    learning = "models__cs2__round_win"
    assert again["graph"]["steps"][learning] < whole["graph"]["steps"][learning] / 2
    assert again["stages"]["materialize the graph"] < whole["stages"]["materialize the graph"]
