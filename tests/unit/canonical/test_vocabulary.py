"""The closed vocabulary: every member says what it means, and payload declarations cover every event type."""

import ast
from enum import StrEnum
from pathlib import Path

import pytest

from esports_assets.canonical import vocabulary
from esports_assets.canonical.payload import EVENT_RANK, PAYLOAD_KEYS
from esports_assets.canonical.vocabulary import EndReason, EventType, Side

ENUMS = [value for value in vars(vocabulary).values() if isinstance(value, type) and issubclass(value, StrEnum)]
ENUMS.remove(StrEnum)


def _sentences() -> dict[tuple[str, str], str]:
    """(enum, member) to the docstring that follows it."""
    tree = ast.parse(Path(vocabulary.__file__).read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for member, after in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(member, ast.Assign)
                    and isinstance(after, ast.Expr)
                    and isinstance(after.value, ast.Constant)
                ):
                    (name,) = member.targets
                    assert isinstance(name, ast.Name)
                    found[node.name, name.id] = str(after.value.value)
    return found


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_member_has_a_sentence(enum: type[StrEnum]) -> None:
    sentences = _sentences()
    for member in enum:
        assert sentences.get((enum.__name__, member.name), "").endswith("."), f"{enum.__name__}.{member.name}"


def test_enums_are_closed() -> None:
    with pytest.raises(ValueError, match="BACKFLIP"):
        EventType("BACKFLIP")


def test_sides_oppose_each_other() -> None:
    assert Side.CT.opponent is Side.T
    assert Side.T.opponent is Side.CT


def test_who_wins_by_which_end() -> None:
    assert {reason for reason in EndReason if reason.winner is Side.T} == {
        EndReason.CT_ELIMINATED,
        EndReason.BOMB_EXPLODED,
    }


def test_every_event_type_declares_its_payload_and_rank() -> None:
    assert set(PAYLOAD_KEYS) == set(EventType)
    assert set(EVENT_RANK) == set(EventType)
    assert all(text for keys in PAYLOAD_KEYS.values() for text in keys.values())


def test_causes_stand_before_effects() -> None:
    order = [EventType.MAP_START, EventType.ROUND_START, EventType.FREEZE_END, EventType.ECONOMY_UPDATE, EventType.SHOT]
    order += [EventType.DAMAGE, EventType.KILL, EventType.BOMB_DEFUSED, EventType.ROUND_END, EventType.MAP_END]
    ranks = [EVENT_RANK[kind] for kind in order]
    assert ranks == sorted(set(ranks))
