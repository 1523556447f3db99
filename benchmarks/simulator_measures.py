"""What the simulator's benchmark measures of a CS2 match, real or simulated.

Belongs here: reading the demo formats as plainly as possible (on purpose not through the adapters: a mistake that simulator
and adapter share would be invisible), and collecting samples, shares and rates.
Does not belong here: comparing them (``simulator_distance.py``).
"""

import json
import lzma
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

TIMES = (5, 15, 30, 45, 60, 75, 90)


class Measures:
    """What is measured, collected over matches."""

    def __init__(self) -> None:
        self.samples: dict[str, list[float]] = defaultdict(list)
        self.shares: dict[str, Counter[str]] = defaultdict(Counter)
        self.matches = 0
        self.rounds = 0

    def wins(self, group: str, key: str, won: bool) -> None:
        """Count one case of a rate."""
        self.shares[f"{group}|{key}"]["won" if won else "lost"] += 1

    def rate(self, group: str, key: str) -> tuple[float, int]:
        """A rate and the number of cases behind it."""
        counts = self.shares[f"{group}|{key}"]
        total = sum(counts.values())
        return (counts["won"] / total if total else float("nan")), total


def open_demo(path: Path) -> dict[str, Any]:
    """A demo file as {stem: content}, players by index, replay columns absolute."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            demo = {n[:-5]: json.loads(archive.read(n)) for n in archive.namelist() if n.endswith(".json")}
        for track in demo["replay"]["rounds"]:
            for player in track["players"]:
                for name in ("x", "y", "z"):
                    player[name] = np.cumsum(player[name])
        return demo
    demo = json.loads(lzma.decompress(path.read_bytes()))
    index = {player["steamId64"]: i for i, player in enumerate(demo["players"])}
    for rows in (demo["kills"], demo["damages"], demo["bombs"], demo["player-economies"], demo["grenades"]):
        for row in rows:
            for name in [n for n in row if n.endswith("teamId64") or n == "steamId64"]:
                short = "playerIndex" if name == "steamId64" else name[: -len("SteamId64")] + "Index"
                row[short] = index.get(row[name])
    for track in demo["replay"]["rounds"]:
        for player in track["players"]:
            player["playerIndex"] = index[player["steamId64"]]
    return demo


def measure(demo: dict[str, Any], m: Measures) -> None:
    """Add one match."""
    m.matches += 1
    team_of = [player["teamKey"] for player in demo["players"]]
    by_round: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for name in ("kills", "damages", "bombs", "player-economies", "grenades"):
        grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in demo[name]:
            grouped[row["roundNumber"]].append(row)
        by_round[name] = grouped
    tracks = {track["roundNumber"]: track for track in demo["replay"]["rounds"]}
    for rnd in demo["rounds"]:
        number = rnd["roundNumber"]
        side_of = [rnd["teamASide"] if key == "teamA" else rnd["teamBSide"] for key in team_of]
        rows = {name: sorted(grouped[number], key=lambda r: r.get("tick", 0)) for name, grouped in by_round.items()}
        measure_round(rnd, rows, side_of, tracks[number], m)


def measure_round(
    rnd: dict[str, Any], rows: dict[str, list[dict[str, Any]]], side_of: list[str], track: dict[str, Any], m: Measures
) -> None:
    """Add one round."""
    m.rounds += 1
    zero, end = rnd["freezeEndTick"], rnd["endTick"]
    t_won = rnd["winnerSide"] == "t"
    m.wins("T wins", "round", t_won)
    m.shares["end reason"][rnd["endReason"]] += 1
    m.samples["round length s"].append((end - zero) / 64)
    buys = {rnd["teamASide"]: rnd["teamAEconomy"], rnd["teamBSide"]: rnd["teamBEconomy"]}
    for side in ("t", "ct"):
        m.shares[f"buy {side}"][buys[side]] += 1
    frames = min(track["frameCount"], (end - track["startTick"]) // 8 + 1)
    players = sorted(track["players"], key=lambda p: p["playerIndex"])
    xyz = np.stack([[p[c][:frames] for c in ("x", "y", "z")] for p in players]).astype(float)
    alive = np.stack([np.asarray(p["flags"][:frames]) & 1 for p in players]).astype(bool)
    is_t = np.array([side_of[p["playerIndex"]] == "t" for p in players])
    motion(xyz, alive, is_t, m)
    fights(rows, side_of, zero, end, xyz, alive, is_t, m)
    states(rows, side_of, zero, end, t_won, m)
    equip = [
        sum(e["equipmentValue"] for e in rows["player-economies"] if side_of[e["playerIndex"]] == s)
        for s in ["t", "ct"]
    ]
    m.samples["team equipment"].extend(equip)
    gap = (equip[0] - equip[1]) / 1000
    band = "<-12" if gap < -12 else "-12..-4" if gap < -4 else "-4..4" if gap <= 4 else "4..12" if gap <= 12 else ">12"
    m.wins("T wins by equipment gap k$", band, t_won)
    m.samples["grenades thrown"].append(len(rows["grenades"]))


def motion(xyz: np.ndarray, alive: np.ndarray, is_t: np.ndarray, m: Measures) -> None:
    """Speeds, and how near enemies are as the round goes on."""
    if xyz.shape[2] < 2:
        return
    speed = np.linalg.norm(np.diff(xyz[:, :2], axis=2), axis=1) * 8
    both = alive[:, 1:] & alive[:, :-1]
    m.samples["speed u/s"].extend(speed[both][::7].tolist())
    for side, mask in (("T", is_t), ("CT", ~is_t)):
        for lo, hi in ((0, 15), (15, 30), (30, 60), (60, 115)):
            part = speed[mask, lo * 8 : hi * 8][both[mask, lo * 8 : hi * 8]]
            if part.size:
                m.samples[f"mean speed {side} {lo}-{hi}s"].append(float(part.mean()))
    for t in TIMES:
        if t * 8 >= xyz.shape[2]:
            break
        at = xyz[:, :, t * 8]
        live = alive[:, t * 8]
        ts, cts = at[is_t & live], at[~is_t & live]
        if len(ts) and len(cts):
            gaps = np.linalg.norm(ts[:, None] - cts[None], axis=2)
            m.samples[f"nearest enemy at {t}s"].extend(gaps.min(axis=1).tolist())
        for group in (ts, cts):
            if len(group) > 1:
                gaps = np.linalg.norm(group[:, None] - group[None], axis=2) + np.eye(len(group)) * 1e9
                m.samples["nearest mate u"].extend(gaps.min(axis=1).tolist())


def fights(
    rows: dict[str, list[dict[str, Any]]],
    side_of: list[str],
    zero: int,
    end: int,
    xyz: np.ndarray,
    alive: np.ndarray,
    is_t: np.ndarray,
    m: Measures,
) -> None:
    """Damage and kills."""
    m.shares["kills"]["rounds"] += 1
    hurt = [
        d
        for d in rows["damages"]
        if zero <= d["tick"] <= end
        and d["attackerIndex"] is not None
        and side_of[d["attackerIndex"]] != side_of[d["victimIndex"]]
    ]
    m.wins("rounds with", "damage", bool(hurt))
    if hurt:
        m.samples["first contact s"].append((hurt[0]["tick"] - zero) / 64)
    kills = [k for k in rows["kills"] if k["tick"] <= end]
    m.samples["kills per round"].append(len(kills))
    if kills:
        m.samples["first kill s"].append((kills[0]["tick"] - zero) / 64)
        m.samples["damage events per kill"].append(len(hurt) / len(kills))
    last: dict[int, int] = {}
    for k in kills:
        killer, victim = k["killerIndex"], k["victimIndex"]
        m.wins("kills that are", "headshots", bool(k["headshot"]))
        if killer is None or side_of[killer] == side_of[victim]:
            continue
        a, b = k["killerPosition"], k["victimPosition"]
        if a and b:
            m.samples["killer to victim u"].append(float(np.hypot(a["x"] - b["x"], a["y"] - b["y"])))
        frame = min((k["tick"] - zero) // 8, xyz.shape[2] - 1)
        enemies = (is_t != is_t[victim]) & alive[:, frame]
        enemies[killer] = True
        gaps = np.linalg.norm(xyz[enemies, :, frame] - xyz[victim, :, frame], axis=1)
        m.samples["nearest enemy at kill u"].append(float(gaps.min()))
        m.wins("kills that are", "answers within 5 s", victim in last and k["tick"] - last[victim] <= 320)
        last[killer] = k["tick"]
        m.shares["weapon"][k["weapon"]] += 1


def states(
    rows: dict[str, list[dict[str, Any]]], side_of: list[str], zero: int, end: int, t_won: bool, m: Measures
) -> None:
    """Who wins from which situation."""
    count = {"t": 5, "ct": 5}
    m.wins("T wins", "5v5", t_won)
    for k in rows["kills"]:
        if k["tick"] > end:
            break
        count[side_of[k["victimIndex"]]] -= 1
        m.wins("T wins", f"{count['t']}v{count['ct']}", t_won)
    planted = [b for b in rows["bombs"] if b["type"] == "planted"]
    m.wins("rounds with", "plant", bool(planted))
    if planted:
        tick = planted[0]["tick"]
        m.samples["plant s"].append((tick - zero) / 64)
        m.wins("T wins", "after plant", t_won)
        dead = Counter(side_of[k["victimIndex"]] for k in rows["kills"] if k["tick"] <= tick)
        gap = dead["ct"] - dead["t"]
        m.wins("T wins after plant, alive gap", f"{max(-2, min(2, gap)):+d}", t_won)
        m.shares["site"][str(planted[0]["site"])] += 1
    survivors = {
        s: 5 - sum(side_of[k["victimIndex"]] == s for k in rows["kills"] if k["tick"] <= end) for s in ("t", "ct")
    }
    m.samples["survivors of winner"].append(survivors["t" if t_won else "ct"])
    m.samples["survivors of loser"].append(survivors["ct" if t_won else "t"])


def collect(paths: Iterable[Path]) -> Measures:
    """Measure files."""
    m = Measures()
    for path in paths:
        measure(open_demo(path), m)
    return m
