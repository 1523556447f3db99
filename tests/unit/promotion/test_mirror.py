"""Markers: their exact text, and that nothing else is taken for one."""

from pathlib import Path

import pytest
import tiny_bundle as tiny

from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path)


def test_alias_marker_is_exactly_one_line(store: ObjectStore) -> None:
    mirror.write_alias(store, tiny.REGISTERED, "Production", "7")
    assert store.get(f"bundles/{tiny.REGISTERED}/.alias_Production") == f"{tiny.REGISTERED}@Production v7\n".encode()
    assert mirror.read_alias(store, tiny.REGISTERED, "Production") == "7"


def test_aliases_lists_what_is_there_and_clear_withdraws(store: ObjectStore) -> None:
    mirror.write_alias(store, tiny.REGISTERED, "shadow1", "3")
    mirror.write_alias(store, tiny.REGISTERED, "Production", "2")
    assert mirror.aliases(store, tiny.REGISTERED) == {"Production": "2", "shadow1": "3"}
    assert mirror.clear_alias(store, tiny.REGISTERED, "shadow1") is True
    assert mirror.clear_alias(store, tiny.REGISTERED, "shadow1") is False
    assert mirror.aliases(store, tiny.REGISTERED) == {"Production": "2"}
    assert mirror.read_alias(store, tiny.REGISTERED, "B") is None


def test_champion_is_the_registered_name(store: ObjectStore) -> None:
    assert mirror.read_champion(store, tiny.TASK) is None
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    assert store.get("bundles/.champion_cs2.round_win") == tiny.REGISTERED.encode()
    assert mirror.read_champion(store, tiny.TASK) == tiny.REGISTERED
    with pytest.raises(mirror.MarkerError, match="not a model of the task"):
        mirror.write_champion(store, tiny.TASK, "cs2.other_task.xgboost")


@pytest.mark.parametrize("alias", ["latest", "v1", "production", "", "../B"])
def test_only_the_four_aliases_exist(store: ObjectStore, alias: str) -> None:
    with pytest.raises(mirror.MarkerError, match="aliases are Production, B, shadow1, shadow2"):
        mirror.write_alias(store, tiny.REGISTERED, alias, "1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{tiny.REGISTERED}@Production v1",
        f"{tiny.REGISTERED}@B v1\n",
        f"{tiny.REGISTERED}@Production v../2\n",
        "cs2.round_win.xgboost@Production v1\n",
        "\xff\xfe",
    ],
)
def test_a_marker_that_is_not_one_is_refused(store: ObjectStore, text: str) -> None:
    store.put(f"bundles/{tiny.REGISTERED}/.alias_Production", text.encode("latin-1"))
    with pytest.raises(mirror.MarkerError, match="holds"):
        mirror.read_alias(store, tiny.REGISTERED, "Production")


@pytest.mark.parametrize("text", ["", "nonsense", "cs2.other_task.xgboost", "../../etc"])
def test_a_champion_that_is_not_one_is_refused(store: ObjectStore, text: str) -> None:
    store.put("bundles/.champion_cs2.round_win", text.encode())
    with pytest.raises(mirror.MarkerError, match="instead of a registered name of cs2"):
        mirror.read_champion(store, tiny.TASK)


@pytest.mark.parametrize("name", ["cs2", "cs2.round_win", "CS2.round_win.x", "a/b.c.d", "a.b.c.d", "a.b.c\n"])
def test_names_are_checked_before_any_key_is_built(store: ObjectStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a registered name"):
        mirror.write_alias(store, name, "B", "1")
    assert store.list() == []
