"""Every intent by hand: four players on a plane, 8 frames a second, and what each did next."""

import dataclasses

import numpy as np
import pytest
from future import tiny

from esports_assets.canonical.vocabulary import Intent
from esports_assets.windows.deeds import PLANT_S, RoundDeeds, Work, deeds_by_round
from esports_assets.windows.fill import Tracks
from esports_assets.windows.labels import HORIZON_S, INTENTS, MOVE_U, Future, intents
from esports_assets.windows.view import Sites

SITES = Sites((0.0, 0.0, 0.0), (3000.0, 0.0, 0.0))
CT = np.array([True, True, False, False])
AWAY = (1500.0, 5000.0)
"""Where nobody meets anybody."""


def told(
    paths: dict[int, list[tuple[float, float, float]]],
    deeds: RoundDeeds | None = None,
    at: float = 5.0,
    dies: float = 99.0,
) -> list[str]:
    """Intent of players 0 to 3 at ``at``: paths are (t, x, y) knots, player 3 dies at ``dies``, the others stand far apart."""
    t = np.arange(0.0, 12.0, 0.125)
    position = np.zeros((len(t), 4, 3))
    for p in range(4):
        knots = paths.get(p, [(0.0, AWAY[0] + 4000.0 * p, AWAY[1])])
        for axis in (1, 2):
            position[:, p, axis - 1] = np.interp(t, [k[0] for k in knots], [k[axis] for k in knots])
    alive = np.ones((len(t), 4), dtype=bool)
    alive[t >= dies, 3] = False
    empty = np.zeros((len(t), 4))
    tracks = Tracks(t, position, empty, alive, alive, alive, empty, empty.astype(np.int64))
    codes = intents(Future(tracks, deeds or RoundDeeds(), CT, SITES, np.array([at])))
    return [INTENTS[code] if code >= 0 else "" for code in codes[0]]


def walk(x: float, y: float, dx: float, dy: float = 0.0) -> list[tuple[float, float, float]]:
    """Stands until 5 s, then walks by (dx, dy) in two seconds."""
    return [(0.0, x, y), (5.0, x, y), (7.0, x + dx, y + dy)]


def test_who_stands_holds_and_who_goes_towards_the_site_advances() -> None:
    paths = {0: [(0.0, 800.0, 0.0)], 1: walk(800.0, 5.0, -300.0), 2: walk(2700.0, 0.0, -400.0)}
    assert told(paths)[:3] == ["hold", "advance", "retreat"]  # 2 walks away from B, the nearer site


def test_an_enemy_nearby_is_what_a_player_moves_by() -> None:
    paths = {0: walk(1000.0, 4000.0, 300.0), 2: [(0.0, 2000.0, 4000.0)]}
    assert told(paths)[0] == "advance"  # towards the enemy, away from site A
    assert told(paths | {0: walk(1000.0, 4000.0, -300.0)})[0] == "retreat"


def test_moving_starts_at_its_threshold() -> None:
    assert told({0: walk(800.0, 0.0, -(MOVE_U - 1))})[0] == "hold"
    assert told({0: walk(800.0, 0.0, -(MOVE_U + 1))})[0] == "advance"


def test_after_a_plant_the_bomb_is_the_objective() -> None:
    deeds = RoundDeeds(plants=[Work(2, 1.0, 4.0, True)])
    paths = {0: walk(1000.0, 0.0, 400.0), 2: [(0.0, 3000.0, 100.0)]}
    assert told(paths, deeds)[0] == "advance"  # away from the nearer site A, towards the bomb at B
    assert told(paths)[0] == "retreat"


def test_a_peek_goes_out_and_comes_back_while_an_enemy_is_near() -> None:
    out_and_back = [(0.0, 800.0, 4000.0), (5.0, 800.0, 4000.0), (6.0, 900.0, 4000.0), (7.0, 805.0, 4000.0)]
    enemy = [(0.0, 2800.0, 4000.0)]
    assert told({0: out_and_back, 2: enemy})[0] == "peek"
    assert told({0: out_and_back})[0] == "hold"  # nobody there to peek at


def test_a_rotation_leaves_one_site_for_the_other() -> None:
    over = [(0.0, 1000.0, 0.0), (5.0, 1000.0, 0.0), (10.0, 2200.0, 0.0)]
    assert told({0: over})[0] == "rotate"
    assert told({0: [(0.0, 1600.0, 0.0), (4.0, 1000.0, 0.0), *over[1:]]})[0] != "rotate"  # was not settled at A
    assert told({0: over}, at=1.0)[0] != "rotate"  # walks out of the spawn, for all that is known


def test_a_shot_or_a_hit_within_two_seconds_is_a_fight_for_both() -> None:
    assert told({}, RoundDeeds(shots=[(7.0, 0)]))[0] == "engage"
    assert told({}, RoundDeeds(shots=[(7.01, 0), (5.0, 1)]))[:2] == ["hold", "hold"]
    assert told({}, RoundDeeds(hits=[(6.0, 0, 2)])) == ["engage", "hold", "engage", "hold"]
    assert told({}, RoundDeeds(hits=[(6.0, 0, 1)])) == ["hold"] * 4  # a team-mate


def test_a_trade_kills_the_killer_of_a_team_mate_in_time() -> None:
    deeds = RoundDeeds(shots=[(6.0, 1)], kills=[(4.0, 2, 0), (8.0, 1, 2)])
    assert told({}, deeds)[1] == "trade"  # comes before engage
    assert told({}, dataclasses.replace(deeds, kills=[(2.9, 2, 0), (8.0, 1, 2)]))[1] == "engage"  # 5.1 s is no trade
    assert told({}, dataclasses.replace(deeds, kills=[(5.1, 2, 0), (8.0, 1, 2)]))[1] == "engage"  # he has not died yet
    assert told({}, dataclasses.replace(deeds, kills=[(4.0, 2, 3), (8.0, 1, 2)]))[1] == "engage"  # not his team-mate


@pytest.mark.parametrize(("kind", "player"), [("plants", 2), ("defuses", 0)])
def test_work_begins_soon_or_goes_on(kind: str, player: int) -> None:
    def at(begin: float, end: float, path: dict[int, list[tuple[float, float, float]]] | None = None) -> str:
        return told(path or {}, RoundDeeds(shots=[(6.0, player)], **{kind: [Work(player, begin, end, False)]}))[player]

    word = kind.removesuffix("s")
    assert at(7.0, 9.0) == word  # comes before engage
    assert at(7.1, 9.0) == "engage"
    assert at(3.0, 6.0) == word
    assert at(3.0, 5.0) == "engage"  # over
    assert at(3.0, 9.0, {player: [(0.0, 0.0, 0.0), (3.0, 0.0, 0.0), (4.0, 100.0, 0.0)]}) == "engage"  # walked away


def test_the_dead_have_no_intent() -> None:
    assert told({}, dies=4.0)[3] == ""


def test_no_intent_looks_farther_ahead_than_the_horizon() -> None:
    rng, t = np.random.default_rng(0), np.arange(0.0, 30.0, 0.125)
    position = np.cumsum(rng.normal(0, 25, (len(t), 4, 3)), axis=0) * [1, 1, 0]
    alive, empty = np.ones((len(t), 4), dtype=bool), np.zeros((len(t), 4))
    deeds = RoundDeeds(shots=[(float(s), int(s) % 4) for s in rng.uniform(0, 30, 20)])
    at = np.arange(4.0, 20.0, 0.5)

    def codes(place: np.ndarray, what: RoundDeeds) -> np.ndarray:
        tracks = Tracks(t, place, empty, alive, alive, alive, empty, empty.astype(np.int64))
        return intents(Future(tracks, what, CT, SITES, at))

    for cut in (10.0, 14.0):
        other = np.where((t > cut)[:, None, None], position + 500.0, position)
        later = RoundDeeds(shots=[shot for shot in deeds.shots if shot[0] <= cut])
        settled = at + HORIZON_S <= cut
        assert settled.any()
        np.testing.assert_array_equal(codes(position, deeds)[settled], codes(other, later)[settled])


def test_deeds_of_the_tiny_demo() -> None:
    match = tiny(2)
    index = {player: i for i, player in enumerate(match.players["player"].to_pylist())}
    deeds = deeds_by_round(match.events, index)
    assert deeds[1].plants == [Work(0, 9.0, 12.5, True)]
    assert deeds[1].kills == [(6.0, 0, 2), (8.0, 3, 1), (18.0, 0, 3)]
    assert deeds[1].shots == [(5.0, 0)]  # the swing of a knife is no shot
    assert deeds[2].planted_s == 10.0
    assert deeds[2].plants == [Work(3, 10.0 - PLANT_S, 10.0, True)]  # its beginning was not told
    (defuse,) = deeds[2].defuses
    assert (defuse.player, defuse.begin_s, defuse.end_s, defuse.done) == (0, 20.0, 25.0, False)  # with a kit


def test_labels_are_of_intents_only() -> None:
    assert tuple(intent.value for intent in Intent) == INTENTS
    assert INTENTS[0] == "advance"
