"""The carried-over label is found on a table small enough to read."""

import pyarrow as pa

from esports_assets.models.label_checks import find_label_carryover


def _table(*rounds: str, match: str = "m") -> pa.Table:
    rows = [(match, i, label) for i, labels in enumerate(rounds) for label in labels]
    return pa.table({name: [row[k] for row in rows] for k, name in enumerate(("match", "segment", "label"))})


def test_first_snapshots_with_the_winner_before_are_found() -> None:
    found = find_label_carryover(_table("CCC", "CTT", "TCC", "CCC"))  # rounds 2 and 3 start with the label before
    assert (found.rounds, found.changed_rounds, found.carried, found.rows_wrong) == (4, 2, 2, 2)
    assert found.share == 1.0
    assert not found.passed
    assert "2 of 2 rounds won by another side than the one before (100.0%)" in str(found)


def test_right_labels_pass() -> None:
    found = find_label_carryover(_table("CCC", "TTT", "CCC"))
    assert (found.changed_rounds, found.carried, found.share, found.passed) == (2, 0, 0.0, True)


def test_the_first_round_of_a_match_follows_no_other() -> None:
    both = pa.concat_tables([_table("CC", match="m1"), _table("TT", match="m2")])
    found = find_label_carryover(both)
    assert (found.changed_rounds, found.share, found.passed) == (0, None, True)
    assert "nothing can be said" in str(found)


def test_an_empty_table_says_nothing() -> None:
    assert find_label_carryover(_table()).share is None
