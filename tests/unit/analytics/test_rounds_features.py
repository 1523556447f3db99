"""Round features counted by eye: both teams of every round, and nothing after the contact in what precedes it."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from made_round_match import MATCH, actions, made_match

from esports_assets.analytics.pretreatment import PostTreatment, check_order
from esports_assets.analytics.rounds import RoundFeatures, dataset_of, export_parquet, round_features
from esports_assets.analytics.rounds_columns import (
    FEATURES,
    INTENT_COUNTS,
    OUTCOMES,
    ROUND_FEATURES,
    Known,
    precedes,
    quantity,
)
from esports_assets.analytics.rounds_order import order_of
from esports_assets.canonical.vocabulary import Intent
from esports_assets.stages.publishing import outcomes_of

EARLY = ("is_ct", "losing_streak", "start_money", "equipment_value", "spacing_to_contact_u", "utility_to_contact")


def features(*said: dict[str, Any]) -> RoundFeatures:
    match = made_match()
    return round_features(match, outcomes_of(match.rounds.to_pylist()), actions(*said))


def rows(found: RoundFeatures) -> dict[tuple[int, str], dict[str, Any]]:
    return {(row["segment"], row["team"]): row for row in found.table.to_pylist()}


def test_teams_without_micro_actions_are_kept_with_zeros() -> None:
    found = features()
    assert found.findings == ()
    assert [(row["segment"], row["team"], row["side"]) for row in found.table.to_pylist()] == [
        *(
            (1, "alpha", "ct"),
            (1, "beta", "t"),
            (2, "alpha", "ct"),
            (2, "beta", "t"),
            (3, "beta", "ct"),
            (3, "alpha", "t"),
        )
    ]
    for row in found.table.to_pylist():
        assert [row[name] for name in INTENT_COUNTS.values()] == [0.0] * 9
        assert (row["action_count"], row["action_diversity"], row["mean_confidence"]) == (0.0, 0.0, None)


def test_all_nine_intents_are_counted_over_the_round_and_before_the_contact() -> None:
    said = [{"intent": intent.value, "t_s": 2.0 + 2 * k, "confidence": k / 10} for k, intent in enumerate(Intent)]
    own = rows(features(*said))[1, "alpha"]
    assert [own[f"{intent.value}_count"] for intent in Intent] == [1.0] * 9
    # The contact is at 10 s: statements of 2, 4, 6 and 8 s precede it, the one of 10 s does not.
    assert [own[f"{intent.value}_to_contact"] for intent in Intent] == [1.0] * 4 + [0.0] * 5
    assert own["action_count"] == own["action_diversity"] == 9.0
    assert own["mean_confidence"] == pytest.approx(0.4)
    assert rows(features(*said))[1, "beta"]["action_count"] == 0.0


def test_a_statement_without_team_is_its_players() -> None:
    found = features({"team": None, "player": "b2"}, {"team": None, "player": "a1"}, {"team": None, "player": "a2"})
    assert rows(found)[1, "beta"]["advance_count"] == 1.0
    assert rows(found)[1, "alpha"]["advance_count"] == 2.0
    assert found.findings == ()


def test_what_cannot_be_counted_is_a_finding_and_other_matches_and_maps_are_passed_over() -> None:
    found = features(
        *({"segment": 9}, {"team": None, "player": "nobody"}, {"intent": "dance"}),
        *({"match_id": "test:other:1"}, {"map": "de_other"}, {"t_s": None}),
    )
    assert [finding.message for finding in found.findings] == [
        "1 micro-actions are not counted: intent 'dance' is none of the nine",
        "2 micro-actions are not counted: round or team is none of the match",
    ]
    own = rows(found)[1, "alpha"]
    assert (own["advance_count"], own["advance_to_contact"]) == (1.0, 0.0)  # only the one without a time is counted


def test_economy_and_score_are_those_of_freeze_end() -> None:
    own, other = rows(features())[1, "alpha"], rows(features())[1, "beta"]
    names = ("equipment_value", "money", "full_buy", "armored", "helmets", "kits", "grenades_held", "buy")
    assert [own[name] for name in names] == [5000.0, 150.0, 1.0, 2.0, 1.0, 1.0, 3.0, "full"]
    assert (own["start_money"], other["start_money"]) == (1700.0, None)
    assert [other[name] for name in names] == [1500.0, None, 0.0, 1.0, 0.0, 0.0, 2.0, "eco"]
    third = rows(features())[3, "alpha"]
    assert [third[name] for name in names] == [None] * 8
    assert [third[name] for name in ("score_before", "opponent_score_before", "losing_streak")] == [1.0, 1.0, 1.0]
    assert [rows(features())[2, team]["losing_streak"] for team in ("alpha", "beta")] == [0.0, 1.0]


def test_the_contact_parts_what_precedes_it_from_what_came_of_it() -> None:
    own, other = rows(features())[1, "alpha"], rows(features())[1, "beta"]
    assert own["time_to_contact_s"] == other["time_to_contact_s"] == 10.0  # the hit before freeze end is none
    assert (own["first_hit"], other["first_hit"]) == (1.0, 0.0)
    assert (own["opening_kill_for"], own["opening_kill_against"]) == (1.0, 0.0)
    assert (other["opening_kill_for"], other["opening_kill_against"]) == (0.0, 1.0)
    assert (own["utility_to_contact"], other["utility_to_contact"]) == (0.0, 1.0)
    assert rows(features())[3, "beta"]["time_to_contact_s"] == 8.0
    assert rows(features())[3, "beta"]["opening_kill_for"] == 1.0


def test_a_round_without_contact_has_no_figures_up_to_it() -> None:
    for team in ("alpha", "beta"):
        own = rows(features())[2, team]
        early = [f.name for f in FEATURES if f.known in (Known.CONTACT, Known.OPENING)]
        assert [own[name] for name in early] == [None] * len(early)


def test_utility_tempo_and_blindness() -> None:
    own, other = rows(features())[1, "alpha"], rows(features())[1, "beta"]
    assert [other[name] for name in ("smokes", "flashbangs", "hegrenades", "molotovs", "decoys")] == [1, 1, 0, 0, 0]
    assert (own["utility_count"], other["utility_count"]) == (0.0, 2.0)
    assert other["blinded_s"] == 2.0  # the blindness of his own mate is none that he gave to opponents
    assert own["events_per_s"] == pytest.approx(2 / 40)
    assert other["events_per_s"] == pytest.approx(4 / 40)


def test_speed_and_spacing() -> None:
    own, other = rows(features())[1, "alpha"], rows(features())[1, "beta"]
    assert own["speed_to_contact_u_s"] == pytest.approx(50.0)  # one of two walks 100 u/s
    assert own["speed_u_s"] == pytest.approx(50.0 * 20 / 79)  # for 20 of the 79 steps
    assert (other["speed_u_s"], other["spacing_u"]) == (0.0, 400.0)  # b2 alone has no mate and no distance
    expected = sum((300.0**2 + (100.0 * t) ** 2) ** 0.5 for t in range(10)) / 10
    assert own["spacing_to_contact_u"] == pytest.approx(expected)
    assert rows(features())[3, "alpha"]["speed_u_s"] is None


def test_outcomes_are_those_published() -> None:
    found = rows(features())
    assert [found[s, "alpha"]["round_win"] for s in (1, 2, 3)] == [1.0, 0.0, 0.0]
    assert [found[s, "beta"]["round_win"] for s in (1, 2, 3)] == [0.0, 1.0, 1.0]
    assert [found[s, team]["site_executed"] for s in (1, 2) for team in ("alpha", "beta")] == [0.0, 0.0, 1.0, 1.0]
    assert [found[1, team]["econ_delta"] for team in ("alpha", "beta")] == [4000.0, 18500.0]
    assert found[3, "alpha"]["econ_delta"] is None


def test_a_round_without_outcome_is_told() -> None:
    match = made_match()
    with pytest.raises(KeyError, match="round 2 of test:made:1 has no outcome for alpha"):
        round_features(match, outcomes_of(match.rounds.to_pylist()[:1]), actions())


def test_every_quantity_says_its_unit_and_when_it_is_known() -> None:
    for one in (*FEATURES, *OUTCOMES):
        column = ROUND_FEATURES.column(one.name)
        assert column.unit, one.name
        assert column.doc.endswith(f"known {one.known.told}")
    assert {one.known for one in FEATURES} == set(Known) - {Known.AFTER}
    assert {one.known for one in OUTCOMES} == {Known.AFTER}


def test_the_pre_treatment_rule_is_the_order_of_the_round() -> None:
    assert precedes("equipment_value", "opening_kill_for")
    assert precedes("spacing_to_contact_u", "opening_kill_for")
    assert not precedes("opening_kill_for", "opening_kill_for")
    assert not precedes("advance_count", "opening_kill_for")
    assert precedes("advance_count", "round_win")
    check_order(order_of("opening_kill_for", "round_win", EARLY), EARLY)
    check_order(order_of("full_buy", "round_win", ("start_money", "losing_streak")), ("start_money", "losing_streak"))
    for treatment, late in (("opening_kill_for", "first_hit"), ("full_buy", "helmets"), ("utility_count", "speed_u_s")):
        with pytest.raises(PostTreatment, match=f"{late} is measured after the treatment"):
            check_order(order_of(treatment, "round_win", (late,)), (late,))
    with pytest.raises(PostTreatment, match="outcome begins no later"):
        check_order(order_of("round_win", "econ_delta", ()), ())
    with pytest.raises(LookupError, match="has no quantity 'speed_mean'"):
        quantity("speed_mean")


def test_a_dataset_has_one_id_whatever_the_order_of_its_matches(tmp_path: Path) -> None:
    one = made_match()
    other = made_match(match_id="test:made:2")
    parts = [round_features(m, outcomes_of(m.rounds.to_pylist()), actions()).table for m in (one, other)]
    table, dataset_id = dataset_of(parts)
    again, same = dataset_of(parts[::-1])
    assert dataset_id == same
    assert table.num_rows == again.num_rows == 12
    assert table["match_id"].to_pylist() == [MATCH] * 6 + ["test:made:2"] * 6
    assert (
        export_parquet(table, tmp_path / "one.parquet") == export_parquet(again, tmp_path / "two.parquet") == dataset_id
    )
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    read = pq.read_table(tmp_path / "one.parquet")
    assert read.schema.metadata[b"dataset_id"] == dataset_id.encode()
    assert read.schema.field("money").metadata[b"unit"] == b"game money"
    assert not set(read.column_names) & {"player", "player_id", "player_name"}
    assert dataset_of([])[0].num_rows == 0


def test_the_keys_hold_the_map() -> None:
    assert ROUND_FEATURES.key == ("match_id", "map", "segment", "team")
