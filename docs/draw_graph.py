"""Draws ``docs/graph.png`` from the snapshot of the asset graph (``tests/graph/graph.json``): ``python docs/draw_graph.py``.

The picture carries the digest of what it shows, so that a test tells when it is out of date.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parents[1]
SNAPSHOT, PICTURE = ROOT / "tests" / "graph" / "graph.json", ROOT / "docs" / "graph.png"
STAGES = {
    "raw": "source files as they came",
    "canonical": "one language of events",
    "windows": "features, past only",
    "models": "candidates",
    "evaluation": "judged on whole matches",
    "promotion": "decided, in the ledger",
    "bundles": "what serving reads",
    "publish": "what SQL sees",
    "serving": "answers",
}
WIDTH, HEIGHT = 2.0, 0.62


def shown(snapshot: dict[str, Any]) -> dict[str, Any]:
    """What the picture shows: asset key to group, upstreams, and the names of its blocking checks."""
    blocking = [name for name, check in snapshot["checks"].items() if check["blocking"]]
    return {
        key: {
            "group": asset["group"],
            "deps": sorted(asset["deps"]),
            "gates": sum(name.startswith(f"{key}:") for name in blocking),
        }
        for key, asset in sorted(snapshot["assets"].items())
    }


def digest(graph: dict[str, Any]) -> str:
    """Identifies what is shown."""
    return hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).hexdigest()


def draw(graph: dict[str, Any]) -> bytes:
    """The picture as PNG."""
    import io

    columns = {stage: [key for key in graph if graph[key]["group"] == stage] for stage in STAGES}
    tallest = max(len(keys) for keys in columns.values())
    place = {
        key: (2.6 * x, (tallest - len(keys)) / 2 + len(keys) - 1 - y)
        for x, keys in enumerate(columns.values())
        for y, key in enumerate(keys)
    }
    figure = Figure(figsize=(2.6 * len(STAGES) / 1.35, (tallest + 1.4) / 1.35))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-1.3, 2.6 * len(STAGES) - 1.3), ylim=(-0.9, tallest + 0.5))
    axes.axis("off")
    for key, node in graph.items():
        for upstream in node["deps"]:
            _arrow(axes, place[upstream], place[key])
    for key, (x, y) in place.items():
        _box(axes, x, y, key, graph[key]["gates"])
    for x, (stage, meaning) in enumerate(STAGES.items()):
        axes.text(2.6 * x, tallest + 0.15, stage, ha="center", weight="bold", fontsize=12)
        axes.text(2.6 * x, tallest - 0.15, meaning, ha="center", fontsize=8, color="0.4")
    axes.text(-1.2, -0.75, "◆ blocking checks", fontsize=8, color="#b3541e")
    sink = io.BytesIO()
    figure.savefig(sink, dpi=110, metadata={"Software": None, "Description": digest(graph)})
    return sink.getvalue()


def _box(axes: Any, x: float, y: float, key: str, gates: int) -> None:
    title, thing = key.split("/", 1)[1].split("/") if key.count("/") == 2 else ("", key.split("/")[1])
    corner = (x - WIDTH / 2, y - HEIGHT / 2)
    style = "round,pad=0.02,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle=style, facecolor="#e8f4ee", edgecolor="#2a8a5b", zorder=4)
    )
    axes.text(x, y + 0.08, thing, ha="center", va="center", fontsize=10, zorder=5)
    axes.text(x, y - 0.18, title, ha="center", va="center", fontsize=7, color="0.4", zorder=5)
    if gates:
        axes.text(
            x + WIDTH / 2 - 0.06, y + 0.16, f"◆{gates}", ha="right", va="center", fontsize=8, color="#b3541e", zorder=5
        )


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    same = start[0] == end[0]
    sideways = WIDTH / 2
    style = {"arrowstyle": "->", "color": "0.55", "lw": 0.9, "connectionstyle": f"arc3,rad={0.5 if same else 0.0}"}
    begin = (start[0] - sideways if same else start[0] + sideways, start[1])
    axes.annotate("", xy=(end[0] - sideways, end[1]), xytext=begin, arrowprops=style)


if __name__ == "__main__":
    PICTURE.write_bytes(draw(shown(json.loads(SNAPSHOT.read_text()))))
