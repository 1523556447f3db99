"""The picture in the README shows the graph as it is."""

import json
import struct
from pathlib import Path

ROOT = Path(__file__).parents[2]


def text_of_png(data: bytes, keyword: str) -> str:
    """The text chunk of this keyword."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        if kind == b"tEXt" and body.split(b"\0")[0] == keyword.encode():
            return body.split(b"\0", 1)[1].decode()
        at += size + 12
    raise AssertionError(f"the picture has no text {keyword}")


def test_the_picture_is_of_this_graph() -> None:
    script: dict[str, object] = {"__file__": str(ROOT / "docs" / "draw_graph.py"), "__name__": "draw_graph"}
    exec((ROOT / "docs" / "draw_graph.py").read_text(), script)
    graph = script["shown"](json.loads((ROOT / "tests" / "graph" / "graph.json").read_text()))  # type: ignore[operator]
    shown = text_of_png((ROOT / "docs" / "graph.png").read_bytes(), "Description")
    assert shown == script["digest"](graph), "run `python docs/draw_graph.py`"  # type: ignore[operator]
