"""Children end with their run, grandchildren too; what a closed terminal leaves behind is found and stopped."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from esports_assets.commands.children import Children, left_over, stop_left_over

PARENT = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); time.sleep(600)"
)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _grandchild(log: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        text = log.read_text()
        if text.endswith("\n"):
            return int(text)
        time.sleep(0.05)
    raise AssertionError("the child never said who its own child is")


def _interrupted_run(home: Path) -> tuple[int, int]:
    """A run that Ctrl-C ends: the ids of its child and grandchild, which lived until then."""
    pids: list[int] = []
    try:
        with Children(home, home) as children:
            child = children.start("parent", [sys.executable, "-c", PARENT], {"A": "b"})
            pids += [child.process.pid, _grandchild(child.log)]
            assert left_over(home) == {"parent": child.process.pid}
            assert all(_lives(pid) for pid in pids)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        return pids[0], pids[1]


def test_leaving_the_block_stops_children_and_grandchildren(tmp_path: Path) -> None:
    child, grandchild = _interrupted_run(tmp_path)
    assert (_lives(child), _lives(grandchild)) == (False, False)
    assert left_over(tmp_path) == {}
    assert not (tmp_path / "children.json").exists()


def test_a_child_that_ends_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path, tmp_path) as children:
        child = children.start(
            "brief", [sys.executable, "-c", "import os; print('said', os.environ['WORD'])"], {"WORD": "x"}
        )
        child.process.wait(20)
        ended = children.first_ended()
        assert ended is child
        assert child.last_words() == "said x"


def test_left_overs_are_stopped_and_recycled_numbers_are_not(tmp_path: Path) -> None:
    children = Children(tmp_path, tmp_path)
    child = children.start("api", [sys.executable, "-c", "import time; time.sleep(600)"], {})
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        notes = json.loads((tmp_path / "children.json").read_text())
        notes["other"] = {"pid": bystander.pid, "started": 1.0}
        (tmp_path / "children.json").write_text(json.dumps(notes))
        assert stop_left_over(tmp_path) == ["api"]
        assert (_lives(child.process.pid), _lives(bystander.pid)) == (False, True)
        assert stop_left_over(tmp_path) == []
    finally:
        os.killpg(bystander.pid, 9)
        bystander.wait()
        children.stop()
