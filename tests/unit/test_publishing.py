"""What the lake holds and the promoted model says, as SQL sees it. On a real PostgreSQL, with a real small model."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Engine, text
from tiny_intent import NAME, learned, promote_intent

from esports_assets.canonical.match import Finding, MatchHeader
from esports_assets.canonical.vocabulary import Intent, Title
from esports_assets.ingest import ingest_paths
from esports_assets.models.bundle import TrainingData, load_bundle, write_bundle
from esports_assets.models.tasks import INTENT
from esports_assets.promotion import mirror
from esports_assets.stages.maps import learn_maps
from esports_assets.stages.micro_actions import (
    StaleVersion,
    actions_of,
    promoted_voice,
    publish_micro_actions,
    withdraw_micro_actions,
)
from esports_assets.stages.publishing import Published, outcomes_of, publish_rounds, transaction, withdraw_rounds
from esports_assets.stages.windowing import micro_day
from esports_assets.storage import publish
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore

DEMO = Path(__file__).parents[1] / "fixtures" / "cs2_demo" / "v3_two_rounds" / "input.zip"
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def engine(fresh_database_url: str) -> Iterator[Engine]:
    found = connect(fresh_database_url)
    migrate(found)
    yield found
    found.dispose()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path / "lake")
    ingest_paths([DEMO], found)
    micro_day(found, Title.CS2, day_of(found), learn_maps(found, Title.CS2))
    return found


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "bundles")


def header_of(lake: Lake) -> MatchHeader:
    [record] = lake.matches(Title.CS2)
    return record.header


def day_of(lake: Lake) -> date:
    return header_of(lake).day


def table(engine: Engine, name: str, order: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY {order}")).mappings()]


def said(lake: Lake, engine: Engine, objects: ObjectStore, at: datetime = NOW) -> Published:
    return publish_micro_actions(lake, engine, promoted_voice(objects, INTENT), day_of(lake), lambda: at)


def promote(objects: ObjectStore, version: str, *matches: str, fingerprint: str = "") -> None:
    """Another version of the small model, which learned from these matches."""
    promote_intent(objects)
    contract = load_bundle(objects, NAME, "1").contract
    contract = msgspec.structs.replace(contract, version=version, training_data=TrainingData("v", matches))
    if fingerprint:
        contract = msgspec.structs.replace(contract, window_fingerprint=fingerprint)
    write_bundle(objects, contract, learned().graph)
    mirror.write_alias(objects, NAME, "Production", version)


def keep_out_of_fold(lake: Lake, version: str, intent: Intent, *, but: int = 0) -> int:
    """Out-of-fold predictions that are sure of one intent, of all rows but the first ones; how many rows there are."""
    rows = lake.read_windows(header_of(lake), "player_micro")
    kept = rows.select(["match_id", "segment", "t_s", "player"]).replace_schema_metadata(None)
    for name in INTENT.classes:
        sure = np.full(rows.num_rows, 0.9998 if name == intent.value else 0.000025, dtype=np.float32)
        kept = kept.append_column(f"p_{name}", pa.array(sure))
    kept = kept.slice(but)
    order = np.random.default_rng(1).permutation(kept.num_rows)  # the order of rows is nobody's business
    lake.write_predictions(header_of(lake), "intent", NAME, version, kept.take(order), {"kind": "out_of_fold"})
    return int(rows.num_rows)


def test_rounds_and_both_outcomes_of_each_are_published_once(lake: Lake, engine: Engine) -> None:
    [record] = lake.matches(Title.CS2)
    done = publish_rounds(lake, engine, Title.CS2, day_of(lake))
    assert (done.matches, done.rows, done.changed) == (1, 2, 6)
    assert withdraw_rounds(lake, engine, Title.CS2) == []
    rounds = lake.read("rounds", record.header).to_pylist()
    found = table(engine, "rounds", "segment")
    assert [{name: row[name] for name in rounds[0]} for row in found] == rounds
    assert {row["data_version"] for row in found} == {record.versions["rounds"]}
    outcomes = table(engine, "macro_outcomes", "segment, side")
    assert [(row["segment"], row["side"]) for row in outcomes] == [(1, "ct"), (1, "t"), (2, "ct"), (2, "t")]
    for row in outcomes:
        played = rounds[row["segment"] - 1]
        assert row["team"] == played[f"{row['side']}_team"]
        assert row["round_win"] == (played["winner_team"] == row["team"])
        assert row["site_executed"] == (played["planted_t_s"] is not None)
    before = found, outcomes
    again = publish_rounds(lake, engine, Title.CS2, day_of(lake))
    assert again == replace(done, changed=0)
    assert (table(engine, "rounds", "segment"), table(engine, "macro_outcomes", "segment, side")) == before


def test_a_match_in_quarantine_is_withdrawn(lake: Lake, engine: Engine, objects: ObjectStore) -> None:
    publish_rounds(lake, engine, Title.CS2, day_of(lake))
    said(lake, engine, objects)
    header = header_of(lake)
    fault = Finding("final_score", header.match_id, "does not add up")
    lake.write_match(replace(lake.load(header), findings=(fault,)))
    assert publish_rounds(lake, engine, Title.CS2, day_of(lake)).matches == 0
    assert withdraw_rounds(lake, engine, Title.CS2) == [header.match_id]
    assert withdraw_micro_actions(lake, engine, Title.CS2) == [header.match_id]
    for name in ("rounds", "macro_outcomes", "micro_actions"):
        assert table(engine, name, "1") == []


def rounds_with(*values: tuple[int, str, str, int | None, int | None]) -> list[dict[str, Any]]:
    return [
        {
            "match_id": "m",
            "map": "de_mill",
            "segment": segment,
            "ct_team": ct,
            "t_team": t,
            "ct_equipment_value": worth,
            "t_equipment_value": other,
            "ct_buy": "full",
            "t_buy": None,
            "winner_side": "t",
            "winner_team": t,
            "end_reason": "bomb_exploded",
            "planted_t_s": 0.0,
            "planted_site": "a",
        }
        for segment, ct, t, worth, other in values
    ]


def test_what_a_round_came_to() -> None:
    rounds = rounds_with(
        (1, "a", "b", 4000, 4200), (2, "a", "b", 0, 20000), (3, "b", "a", 800, None), (5, "b", "a", 1, 1)
    )
    told = {(row["segment"], row["team"]): row for row in outcomes_of(list(reversed(rounds)))}
    assert len(told) == 8
    assert {key: row["econ_delta"] for key, row in told.items()} == {
        (1, "a"): -4000,
        (1, "b"): 15800,
        (2, "a"): None,
        (2, "b"): None,  # the teams change sides
        (3, "b"): None,
        (3, "a"): None,  # round 4 is not known
        (5, "b"): None,
        (5, "a"): None,  # the last one
    }
    assert [told[1, team]["round_win"] for team in "ab"] == [False, True]
    assert told[1, "a"]["site_executed"] is True, "planted at second 0 is planted"
    assert told[1, "a"]["outcome_meta"]["opponent"] == "b"
    assert told[1, "b"]["outcome_meta"]["equipment_value"] == 4200


def test_without_a_promoted_model_rules_speak_and_say_so(lake: Lake, engine: Engine, objects: ObjectStore) -> None:
    done = said(lake, engine, objects)
    found = table(engine, "micro_actions", "signal_id")
    assert done.rows == done.changed == len(found) > 0
    assert {row["probability_source"] for row in found} == {"rules"}
    assert {(row["confidence"], row["probabilities"]) for row in found} == {(None, None)}
    assert {(row["batch"], row["live"]) for row in found} == {(True, False)}


def test_the_promoted_version_speaks_of_matches_that_it_never_saw(
    lake: Lake, engine: Engine, objects: ObjectStore
) -> None:
    said(lake, engine, objects)
    promote(objects, "2", "m0")
    done = said(lake, engine, objects)
    found = table(engine, "micro_actions", "segment, t_s, player")
    assert done.rows == len(found) > 0
    assert {(row["model_name"], row["model_version"], row["probability_source"]) for row in found} == {
        (NAME, "2", "model")
    }
    voice = promoted_voice(objects, INTENT)
    assert voice.model is not None
    windows = lake.read_windows(header_of(lake), "player_micro")
    place = {key: i for i, key in enumerate(zip(*(windows[n].to_pylist() for n in ("segment", "t_s", "player"))))}  # noqa: B905
    x = np.column_stack([windows[f.name].to_numpy() for f in voice.model.contract.features]).astype(np.float32)
    p = voice.model.predict(x)[0]
    for row in found:
        asked = p[place[row["segment"], row["t_s"], row["player"]]]
        assert row["probabilities"] == pytest.approx(dict(zip(INTENT.classes, asked.tolist(), strict=True)), abs=1e-5)
        assert row["confidence"] == pytest.approx(row["probabilities"][row["intent"]], abs=1e-5)
    [first] = [r for r in lake.read("rounds", header_of(lake)).to_pylist() if r["segment"] == found[0]["segment"]]
    assert found[0]["event_ts"] == first["started_at"] + timedelta(seconds=found[0]["t_s"])


def test_of_matches_that_it_learned_from_it_speaks_out_of_fold(
    lake: Lake, engine: Engine, objects: ObjectStore
) -> None:
    """With predictions that are sure of one intent: whatever else is said would come from the model itself, or from labels."""
    match_id = header_of(lake).match_id
    promote(objects, "2", match_id)
    keep_out_of_fold(lake, "2", Intent.PLANT)
    done = said(lake, engine, objects)
    found = table(engine, "micro_actions", "signal_id")
    assert done.rows == len(found) > 0
    assert {(row["intent"], row["probability_source"], row["model_version"]) for row in found} == {
        ("plant", "out_of_fold", "2")
    }
    assert {round(row["confidence"], 3) for row in found} == {1.0}
    promote(objects, "3", "m0")
    said(lake, engine, objects)
    others = {row["signal_id"] for row in table(engine, "micro_actions", "signal_id")}
    assert others & {row["signal_id"] for row in found} == set()


def test_rows_without_an_out_of_fold_prediction_are_not_spoken_of(
    lake: Lake, engine: Engine, objects: ObjectStore
) -> None:
    promote(objects, "2", header_of(lake).match_id)
    total = keep_out_of_fold(lake, "2", Intent.PLANT)
    keep_out_of_fold(lake, "2", Intent.PLANT, but=total // 2)
    windows = lake.read_windows(header_of(lake), "player_micro").slice(total // 2)
    known = set(zip(*(windows[name].to_pylist() for name in ("segment", "t_s", "player")), strict=True))
    said(lake, engine, objects)
    found = table(engine, "micro_actions", "signal_id")
    assert found
    assert {(row["segment"], row["t_s"], row["player"]) for row in found} <= known


def test_a_match_whose_predictions_are_gone_stays_unspoken(lake: Lake, engine: Engine, objects: ObjectStore) -> None:
    match_id = header_of(lake).match_id
    promote(objects, "2", "m0")
    assert said(lake, engine, objects).rows > 0
    promote(objects, "3", match_id)
    done = said(lake, engine, objects)
    assert (done.rows, done.unspoken) == (0, (match_id,))
    assert table(engine, "micro_actions", "signal_id") == []


def test_published_again_nothing_changes(lake: Lake, engine: Engine, objects: ObjectStore) -> None:
    promote(objects, "2", "m0")
    first = said(lake, engine, objects)
    before = table(engine, "micro_actions", "signal_id")
    again = said(lake, engine, objects, NOW + timedelta(days=1))
    assert again == replace(first, changed=0)
    assert table(engine, "micro_actions", "signal_id") == before
    assert {row["generated_at"] for row in before} == {NOW}


def test_what_was_said_live_by_another_version_stays_beside_it(
    lake: Lake, engine: Engine, objects: ObjectStore
) -> None:
    promote(objects, "2", "m0")
    live = actions_of(lake, header_of(lake), promoted_voice(objects, INTENT))
    assert live
    with transaction(engine) as cursor:
        publish.upsert_micro_actions(cursor, live)
    same = said(lake, engine, objects)
    assert same.rows == len(table(engine, "micro_actions", "signal_id")) == len(live), (
        "the same statements, the same ids"
    )
    promote(objects, "3", "m0")
    newer = said(lake, engine, objects)
    found = table(engine, "micro_actions", "signal_id")
    assert len(found) == len(live) + newer.rows
    assert {row["model_version"] for row in found if row["batch"]} == {"3"}
    assert {row["model_version"] for row in found if row["live"]} == {"2"}


def test_a_version_of_another_window_is_refused_with_what_to_do(objects: ObjectStore) -> None:
    promote(objects, "2", "m0", fingerprint="another")
    with pytest.raises(StaleVersion, match="promote a version of today's window first"):
        promoted_voice(objects, INTENT)


def test_labels_are_never_read(
    lake: Lake, engine: Engine, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(objects, "2", "m0")
    voice = promoted_voice(objects, INTENT)
    before = actions_of(lake, header_of(lake), voice)
    read = Lake.read_windows
    monkeypatch.setattr(Lake, "read_windows", lambda *args: read(*args).drop_columns(["intent"]))
    assert actions_of(lake, header_of(lake), voice) == before
