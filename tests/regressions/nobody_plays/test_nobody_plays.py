"""A file whose list of players is empty gave a match with rounds and nobody in them, on which the windows failed.

Such a match breaks an invariant and is quarantined with a sentence.
"""

from dataclasses import replace

from tiny_match import tiny_match

from esports_assets.canonical.invariants import broken


def test_a_match_of_rounds_without_players_is_quarantined() -> None:
    match = tiny_match()
    assert match.rounds.num_rows
    found = broken(replace(match, players=match.players.slice(0, 0)))
    assert [(f.rule, f.message) for f in found if f.rule == "somebody_plays"] == [
        ("somebody_plays", f"nobody is listed, and {match.rounds.num_rows} rounds were played")
    ]
    assert not [f for f in broken(match) if f.rule == "somebody_plays"]
