"""The worked example of docs/add-a-source.md runs as it stands."""

import re
from pathlib import Path
from typing import Any

from esports_assets.adapters.base import SourceFile
from esports_assets.canonical.codec import events_of
from esports_assets.canonical.invariants import broken

HOW_TO = Path(__file__).parents[2] / "docs" / "add-a-source.md"


def _example() -> Any:
    (block,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, str(HOW_TO), "exec"), names)
    return names["CoinAdapter"]()


def test_the_example_reads_matches_and_refuses_lines() -> None:
    data = b"g7 1 ann R\ng7 1 bob P\ng7 2 ann\ng7 2 bob X\ng8 1 ann S\n"
    result = _example().read(SourceFile("2026-05-17.coin", data))
    assert [(m.header.match_id, m.header.day.isoformat(), m.players.num_rows) for m in result.matches] == [
        ("coin:g7:1", "2026-05-17", 2),
        ("coin:g8:1", "2026-05-17", 1),
    ]
    assert [(e.seq, e.actor, e.payload["move"]) for e in events_of(result.matches[0].events)] == [
        (0, "coin:ann", "rock"),
        (1, "coin:bob", "paper"),
    ]
    assert [broken(match) for match in result.matches] == [[], []]
    assert [str(r) for r in result.refusals] == [
        "2026-05-17.coin: line 3: not `<game> <hand> <player> <move>`: not enough values to unpack (expected 4, got 3)",
        "2026-05-17.coin: line 4: no throw 'X' in hand 2",
    ]


def test_the_files_it_names_exist() -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    root = HOW_TO.parents[1]
    for path in re.findall(r"`((?:esports_assets|tests)/[\w./]+\.py)`", text):
        assert (root / path).is_file(), path
    for name in re.findall(r"`(\w+\.(?:py|yaml))`", text):
        assert any(root.glob(f"esports_assets/adapters/**/{name}")) or any(root.glob(f"tests/**/{name}")), name
