"""What must be true of every simulated demo."""

from typing import Any

import numpy as np

from esports_assets.simulate.geometry import geometry

Demo = dict[str, Any]
WINNER = {"ct_win": "ct", "t_win": "t", "bomb_defused": "ct", "target_bombed": "t", "time_ran_out": "ct"}


def test_says_that_it_is_simulated(demos: list[Demo]) -> None:
    for demo in demos:
        assert demo["manifest"]["simulated"] is True
        assert demo["manifest"]["exporter"]["name"] == "esports simulator"
        assert demo["match"]["simulated"] is True
        assert {f"{name}.json" for name in demo} - {"manifest.json"} == set(demo["manifest"]["files"].values())


def test_score_is_the_count_of_winners_and_sides_swap(demos: list[Demo]) -> None:
    for demo in demos:
        wins = {"teamA": 0, "teamB": 0}
        for number, row in enumerate(demo["rounds"], 1):
            assert row["roundNumber"] == number
            assert (row["teamAScoreBefore"], row["teamBScoreBefore"]) == (wins["teamA"], wins["teamB"])
            assert row["winnerSide"] == WINNER[row["endReason"]]
            assert row[f"{row['winnerTeamKey']}Side"] == row["winnerSide"]
            assert {row["teamASide"], row["teamBSide"]} == {"t", "ct"}
            if number <= 24:
                assert (row["teamASide"] == demo["rounds"][0]["teamASide"]) == (number <= 12)
            wins[row["winnerTeamKey"]] += 1
        assert wins == {key: demo["match"][key]["score"] for key in wins}
        high, low = max(wins.values()), min(wins.values())
        assert (high == 13 and low <= 11) or (high >= 16 and (high - 16) % 3 == 0 and high - 4 <= low <= high - 2 + 1)


def test_ticks_are_monotone(demos: list[Demo]) -> None:
    for demo in demos:
        last = 0
        for row in demo["rounds"]:
            assert last < row["startTick"] < row["freezeEndTick"] < row["endTick"]
            last = row["endTick"]
        for name in ("kills", "damages", "bombs"):
            ticks = [row["tick"] for row in demo[name]]
            assert ticks == sorted(ticks), name
        ends = {row["roundNumber"]: row["endTick"] for row in demo["rounds"]}
        for name in ("kills", "damages", "bombs"):
            assert all(row["tick"] <= ends[row["roundNumber"]] for row in demo[name]), name


def test_victims_are_alive_and_health_adds_up(demos: list[Demo]) -> None:
    for demo in demos:
        for number in range(1, len(demo["rounds"]) + 1):
            health = dict.fromkeys(range(10), 100)
            hits = [d for d in demo["damages"] if d["roundNumber"] == number]
            for hit in hits:
                assert hit["victimHealthBefore"] == health[hit["victimIndex"]] > 0
                assert 0 <= hit["victimArmorAfter"] <= 100
                health[hit["victimIndex"]] -= hit["healthDamage"]
                assert health[hit["victimIndex"]] >= 0
            kills = [k for k in demo["kills"] if k["roundNumber"] == number]
            victims = [k["victimIndex"] for k in kills]
            assert len(set(victims)) == len(victims)
            killed = {k["victimIndex"] for k in kills if k["killerIndex"] is not None}
            assert killed == {i for i, hp in health.items() if hp == 0}


def test_plants_are_made_by_attackers_on_a_site(demos: list[Demo]) -> None:
    for demo in demos:
        sites = geometry(demo["match"]["mapName"])
        rounds = {row["roundNumber"]: row for row in demo["rounds"]}
        for bomb in demo["bombs"]:
            team = demo["players"][bomb["actorIndex"]]["teamKey"]
            side = rounds[bomb["roundNumber"]][f"{team}Side"]
            assert side == ("ct" if bomb["type"].startswith("defuse") else "t")
            if bomb["type"] == "planted":
                where = bomb["position"]
                assert sites.square((where["x"], where["y"])) in sites.plant_squares[bomb["site"]]
        planted = {b["roundNumber"] for b in demo["bombs"] if b["type"] == "planted"}
        for row in demo["rounds"]:
            if row["endReason"] in ("bomb_defused", "target_bombed"):
                assert row["roundNumber"] in planted
            if row["endReason"] == "time_ran_out":
                assert row["roundNumber"] not in planted


def test_money_stays_within_the_rules(demos: list[Demo]) -> None:
    for demo in demos:
        for row in demo["player-economies"]:
            assert 0 <= row["moneySpent"] <= row["startMoney"] <= 16_000
            assert row["grenadeCount"] == len(row["grenades"]) <= 4
        for track in demo["replay"]["rounds"]:
            for player in track["players"]:
                money = np.cumsum(player["money"])
                assert money.min() >= 0
                assert money.max() <= 16_000


def test_nobody_jumps_and_tracks_agree_with_events(demos: list[Demo]) -> None:
    for demo in demos:
        deaths = {(k["roundNumber"], k["victimIndex"]): k["tick"] for k in demo["kills"]}
        for track in demo["replay"]["rounds"]:
            number, frames = track["roundNumber"], track["frameCount"]
            ticks = track["startTick"] + np.arange(frames) * track["tickStep"]
            assert ticks[-1] >= demo["rounds"][number - 1]["endTick"]
            for player in track["players"]:
                assert all(len(player[c]) == frames for c in player if c != "playerIndex")
                alive = np.array(player["flags"]) & 1 == 1
                xyz = np.cumsum([player["x"], player["y"], player["z"]], axis=1)
                steps = np.linalg.norm(np.diff(xyz, axis=1), axis=0)
                assert steps[alive[1:]].max(initial=0) <= 90
                death = deaths.get((number, player["playerIndex"]))
                expected = np.ones(frames, bool) if death is None else ticks < death
                assert (alive == expected).all()
                assert ((np.array(player["hp"]) > 0) == alive).all()
