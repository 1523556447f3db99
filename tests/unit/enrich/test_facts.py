"""Each derived fact, from stories that can be checked by hand."""

import pytest
from told_story import METRE_U, facts, frame, kill, said, start

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import FrameError
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.enrich.online import Enricher


def test_the_first_kill_of_a_round_opens_it_and_kills_are_counted() -> None:
    told = facts(
        start(), kill(5, "a1", "b1"), kill(6, "b2", "a2"), kill(20, "a1", "b2"), start(2), kill(3, "a1", "b1", 2)
    )
    assert [(f.get("opening_kill"), f.get("multi_kill")) for f in told] == [
        (None, None),
        (True, 1),
        (False, 1),
        (False, 2),
        (None, None),
        (True, 1),
    ]


def test_a_mates_death_is_no_opening_no_kill_and_no_trade() -> None:
    _, mate, first, second = facts(start(), kill(5, "a1", "a2"), kill(6, "b1", "a1"), kill(7, "b1", "a3"))
    assert mate == {}
    assert (first["opening_kill"], first["multi_kill"], first["trade_kill"]) == (True, 1, False)
    assert (second["opening_kill"], second["multi_kill"]) == (False, 2)


def test_a_round_that_is_joined_late_tells_no_first_kill() -> None:
    (found,) = facts(kill(50, "a1", "b1"))
    assert found == {"trade_kill": False}
    _, after = facts(kill(50, "a1", "b1"), said(EventType.FREEZE_END, 51.0))
    assert after == {}


def test_a_round_that_starts_again_is_told_again() -> None:
    told = facts(start(), kill(5, "a1", "b1"), start(), kill(4, "b1", "a1"))
    assert (told[3]["opening_kill"], told[3]["trade_kill"]) == (True, False)


@pytest.mark.parametrize(("seconds", "traded"), [(0.0, True), (5.0, True), (5.001, False)])
def test_a_trade_answers_a_mates_death_within_five_seconds(seconds: float, traded: bool) -> None:
    _, _, found = facts(start(), kill(10, "b1", "a1"), kill(10 + seconds, "a2", "b1"))
    assert found["trade_kill"] is traded
    assert found.get("traded_players") == (["a1"] if traded else None)
    assert found.get("trade_delay_s") == (seconds if traded else None)


def test_a_trade_may_answer_two_deaths_and_only_those_by_the_target() -> None:
    told = facts(start(), kill(10, "b1", "a1"), kill(11, "b1", "a2"), kill(12, "a3", "b2"), kill(13, "a3", "b1"))
    assert told[3]["trade_kill"] is False
    assert (told[4]["traded_players"], told[4]["trade_delay_s"]) == (["a1", "a2"], 2.0)


def test_mates_near_the_victim_could_trade_him() -> None:
    """a2 stands 10 m from him, a3 20 m; the killer's own team does not count, and the dead do not."""
    seen = frame(9.9, a1=0, a2=10, a3=20, b1=3, b2=4)
    _, found = facts(start(), seen, kill(10, "b1", "a1"))
    assert (found["trade_potential_count"], found["untraded_risk"]) == (1, False)
    _, near = facts(start(), seen, kill(10, "b1", "a1", target_pos=[8 * METRE_U, 0.0, 0.0]))
    assert near["trade_potential_count"] == 2
    _, _, alone = facts(start(), seen, kill(9.95, "b2", "a2"), kill(10, "b1", "a1"))
    assert (alone["trade_potential_count"], alone["untraded_risk"]) == (0, True)
    _, alone = facts(start(), frame(9.9, a1=0, a2=10, b1=3, dead="a2"), kill(10, "b1", "a1"))
    assert alone["trade_potential_count"] == 0


@pytest.mark.parametrize("t", [7.9, 10.0, 10.1])
def test_only_a_fresh_frame_before_the_event_tells_who_is_near(t: float) -> None:
    events = [start(), frame(t, a1=0, a2=10, b1=3), kill(10, "b1", "a1")]
    assert "trade_potential_count" not in facts(*events)[1]
    assert "player_speed_m_s" not in facts(*events)[1]


def test_speed_is_between_the_last_two_known_positions() -> None:
    frames = [frame(9.0, a1=0, b1=0), frame(9.125, a1=0.25, b1=0), frame(9.25, a1=0.75, b1=0), frame(9.3, a1=0.8, b1=0)]
    hit = said(EventType.DAMAGE, 9.26, actor="a1", target="b1")
    later = said(EventType.DAMAGE, 9.31, actor="a1", target="b1")
    assert facts(start(), *frames, hit)[1]["player_speed_m_s"] == 4.0
    assert facts(start(), *frames, later)[1]["player_speed_m_s"] == pytest.approx(0.55 / 0.175, abs=1e-3)
    assert "player_speed_m_s" not in facts(start(), frames[0], hit)[1]
    fallen = said(EventType.DEATH, 9.26, target="a1")
    assert facts(start(), *frames, fallen)[1]["player_speed_m_s"] == 4.0


def test_events_that_tell_positions_give_a_speed_where_there_are_no_frames() -> None:
    def at(t: float, x: float, segment: int = 0) -> CanonicalEvent:
        return said(EventType.POSITION_UPDATE, t, segment, actor="a1", pos=[x * METRE_U, 0.0, 0.0])

    told = facts(at(1.0, 0.0), at(1.5, 1.0), at(1.55, 9.0), at(4.0, 0.0), at(4.5, 3.0, 1))
    assert [f.get("player_speed_m_s") for f in told] == [None, 2.0, pytest.approx(9 / 0.55, abs=1e-3), None, None]


def test_the_objective_is_the_planted_bomb_until_it_is_gone() -> None:
    def throw(t: float, x: float) -> CanonicalEvent:
        return said(EventType.UTILITY, t, actor="b1", pos=[x * METRE_U, 0.0, 0.0])

    planted = said(EventType.BOMB_PLANTED, 30, actor="b1", pos=[0.0, 0.0, 0.0], site="a")
    told = facts(
        *(start(), throw(1, 0.0), planted, throw(31, 4.0), throw(32, 6.0), throw(33, 15.5)),
        *(said(EventType.BOMB_DEFUSED, 34, actor="a1", pos=[METRE_U, 0.0, 0.0]), throw(35, 1.0)),
    )
    assert [f.get("dist_to_objective_m") for f in told] == [None, None, None, 4.0, 6.0, 15.5, 1.0, None]
    assert [f.get("objective_control") for f in told[3:7]] == ["active", "contesting", "none", "active"]
    assert [f.get("control_intensity") for f in told[3:7]] == [0.2, 0.6, None, 0.8]


def test_sites_are_where_the_bomb_was_planted_in_earlier_rounds() -> None:
    def planted(segment: int, site: str | None, x: float) -> CanonicalEvent:
        return said(EventType.BOMB_PLANTED, 30, segment, actor="b1", pos=[x * METRE_U, 0.0, 0.0], site=site)

    def throw(segment: int) -> CanonicalEvent:
        return said(EventType.UTILITY, 1, segment, actor="b1", pos=[0.0, 0.0, 0.0])

    rounds = [(1, "a", 10.0), (2, None, 1.0), (3, "a", 14.0), (4, "b", 40.0), (5, "a", 12.5), (6, "b", 3.0)]
    events = [e for n, site, x in rounds for e in (start(n), throw(n), planted(n, site, x))]
    told = [f.get("dist_to_objective_m") for f in facts(*events, start(7), throw(7))]
    thrown = [told[3 * n + 1] for n in range(7)]
    assert thrown == [None, None, None, None, 12.0, 12.5, 12.5]
    again = facts(*events, start(4), throw(4))
    assert "dist_to_objective_m" not in again[-1]  # the round of the only plant at b was taken back


def test_an_objective_that_the_source_tells_is_taken() -> None:
    (found,) = facts(
        said(EventType.POSITION_UPDATE, 1, 0, actor="a1", pos=[12.4, 0, 8.9], objective_pos=[10.0, 0.0, 10.0])
    )
    assert found == {"dist_to_objective_m": 0.05, "objective_control": "active", "control_intensity": 0.99}


def test_money_is_told_against_the_start_of_the_round() -> None:
    told = facts(
        start(),
        said(EventType.ECONOMY_UPDATE, 0, actor="a1", money=1000, start_money=4000),
        said(EventType.ECONOMY_UPDATE, 0, actor="a2", money=3000),
        said(EventType.BUY, 0, actor="a2", money=2700, cost=300),
        said(EventType.ECONOMY_UPDATE, 1, actor="a2", money=2000),
        said(EventType.ECONOMY_UPDATE, 1, actor="b1", money=None, start_money=800),
        said(EventType.ECONOMY_UPDATE, 1, actor="b1", money=True, start_money=800),
    )
    assert [(f.get("team_econ_delta"), f.get("team_econ_players")) for f in told] == [
        (None, None),
        (-3000, 1),
        (-3000, 1),
        (-3300, 2),
        (-4000, 2),
        (None, None),
        (None, None),
    ]


def test_a_title_without_space_has_no_places() -> None:
    hit = said(EventType.DAMAGE, 1, title=Title.RPS, actor="a1", target="b1", pos=[0, 0, 0], objective_pos=[1, 0, 0])
    assert facts(hit) == [{}]


@pytest.mark.parametrize(
    "pos", [None, "here", [1, 2], [1, 2, None], [1, 2, "3"], [True, 0, 0], [1e300, 0, 0], {"x": 1}]
)
def test_a_place_that_is_none_is_unknown(pos: object) -> None:
    hit = said(EventType.DAMAGE, 1, actor="a1", target="b1", pos=pos, objective_pos=[1, 0, 0])
    assert facts(hit) == [{}]


def test_facts_that_stand_are_kept_and_events_without_facts_are_the_same() -> None:
    enricher = Enricher()
    shot = said(EventType.SHOT, 1, actor="a1", pos=[0, 0, 0])
    assert enricher.enrich(shot) is shot
    told = enricher.enrich(said(EventType.KILL, 2, actor="a1", target="b1", enriched={"source": 1, "trade_kill": True}))
    assert told.enriched == {"source": 1, "trade_kill": False}


def test_another_match_and_a_damaged_frame_are_refused() -> None:
    enricher = Enricher()
    enricher.enrich(start())
    with pytest.raises(ValueError, match=r"is of test:2:1, not of test:1:1"):
        enricher.enrich(said(EventType.KILL, 1, actor="a1", target="b1", match_id="test:2:1"))
    with pytest.raises(FrameError):
        enricher.enrich(said(EventType.POSITION_UPDATE, 1, frame=[["a1"]], teams=[]))


def test_what_is_kept_of_a_long_match_is_bounded() -> None:
    enricher = Enricher()
    sizes = []
    for n in range(1, 41):
        enricher.enrich(start(n))
        for k in range(200):
            enricher.enrich(frame(k / 8, n, a1=k, a2=0, b1=1))
        enricher.enrich(kill(25, "a1", "b1", n))
        sizes.append(len(enricher.checkpoint()))
    assert max(sizes) < sizes[2] * 1.2
