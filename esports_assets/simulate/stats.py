"""Sums over a match: player statistics and clutches, as the exports carry them.

Belongs here: counting what happened.
Does not belong here: anything that happens.
"""

from collections import Counter, defaultdict
from typing import Any

from esports_assets.simulate.match import SimulatedMatch
from esports_assets.simulate.record import Kill, RoundRecord

_NUMBER_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}


def clutches(record: RoundRecord) -> list[dict[str, Any]]:
    """Who was the last of a side against how many, and how it ended (ticks since freeze end)."""
    alive = set(range(10))
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    for kill in record.kills:
        alive.discard(kill.victim)
        for side in ("t", "ct"):
            own = [i for i in alive if record.sides[i] == side]
            enemies = len(alive) - len(own)
            if len(own) != 1 or not enemies or side in seen:
                continue
            seen.add(side)
            hero = own[0]
            later = [k for k in record.kills if k.tick > kill.tick]
            found.append(
                {
                    "roundNumber": record.number,
                    "tick": kill.tick,
                    "clutcherIndex": hero,
                    "opponentCount": enemies,
                    "won": record.winner == side,
                    "survived": all(k.victim != hero for k in record.kills),
                    "killCount": sum(k.killer == hero for k in later),
                }
            )
    return found


def player_stats(match: SimulatedMatch) -> list[dict[str, Any]]:
    """One row of totals per player."""
    count: list[Counter[str]] = [Counter() for _ in range(10)]
    blind: list[dict[str, float]] = [defaultdict(float) for _ in range(10)]
    for record in match.rounds:
        _count_round(record, count, blind)
    rounds = len(match.rounds)
    return [_row(i, rounds, count[i], blind[i]) for i in range(10)]


def _count_round(record: RoundRecord, count: list[Counter[str]], blind: list[dict[str, float]]) -> None:
    kills_of: Counter[int] = Counter()
    good: set[int] = set(range(10)) - {k.victim for k in record.kills}
    for n, kill in enumerate(record.kills):
        _count_kill(kill, n == 0, count, kills_of, good)
    for player, kills in kills_of.items():
        count[player][_NUMBER_WORDS[min(kills, 5)] + "KillCount"] += 1
    for d in record.damages:
        if record.sides[d.attacker] == record.sides[d.victim]:
            continue
        count[d.attacker]["damageHealth"] += d.health
        count[d.attacker]["damageArmor"] += d.armor
        if d.weapon in ("hegrenade", "inferno"):
            count[d.attacker]["utilityDamage"] += d.health
    for b in record.bombs:
        count[b.actor]["bombPlantCount"] += b.kind == "planted"
        count[b.actor]["bombDefuseCount"] += b.kind == "defused"
    for f in record.blinds:
        same = record.sides[f.flasher] == record.sides[f.flashed]
        blind[f.flasher]["team" if same else "enemy"] += f.seconds
    for c in clutches(record):
        word = _NUMBER_WORDS[c["opponentCount"]].capitalize()
        count[c["clutcherIndex"]][f"vs{word}Count"] += 1
        count[c["clutcherIndex"]][f"vs{word}{'Won' if c['won'] else 'Lost'}Count"] += 1
    for i in good:
        count[i]["kastRounds"] += 1


def _count_kill(kill: Kill, first: bool, count: list[Counter[str]], kills_of: Counter[int], good: set[int]) -> None:
    count[kill.victim]["deaths"] += 1
    count[kill.victim]["bombDeathCount" if kill.killer is None else "combatDeathCount"] += 1
    count[kill.victim]["firstDeathCount"] += first
    if kill.killer is None:
        return
    own = count[kill.killer]
    own["kills"] += 1
    own["headshotCount"] += kill.headshot
    own["firstKillCount"] += first
    own["tradeKillCount"] += kill.trade
    kills_of[kill.killer] += 1
    good.add(kill.killer)
    if kill.traded_victim_of is not None:
        count[kill.traded_victim_of]["tradeDeathCount"] += 1
        good.add(kill.traded_victim_of)
    if kill.assister is not None:
        count[kill.assister]["assists"] += 1
        good.add(kill.assister)
    if kill.flash_assister is not None:
        count[kill.flash_assister]["flashAssistCount"] += 1


_COUNTS = (
    "kills", "deaths", "assists", "damageHealth", "damageArmor", "utilityDamage", "headshotCount", "firstKillCount",
    "firstDeathCount", "tradeKillCount", "tradeDeathCount", "noScopeKillCount", "wallbangKillCount", "collateralKillCount",
    "bombPlantCount", "bombDefuseCount", "oneKillCount", "twoKillCount", "threeKillCount", "fourKillCount", "fiveKillCount",
    *(f"vs{word}{end}Count" for word in ("One", "Two", "Three", "Four", "Five") for end in ("", "Won", "Lost")),
    "kastRounds", "flashAssistCount",
)  # fmt: skip


def _row(index: int, rounds: int, count: Counter[str], blind: dict[str, float]) -> dict[str, Any]:
    return {
        "playerIndex": index,
        "rounds": rounds,
        **{name: int(count[name]) for name in _COUNTS},
        "enemyFlashDurationSeconds": round(blind["enemy"], 3),
        "teamFlashDurationSeconds": round(blind["team"], 3),
        "combatDeathCount": int(count["combatDeathCount"]),
        "bombDeathCount": int(count["bombDeathCount"]),
        "adr": round(count["damageHealth"] / rounds, 2),
        "kast": round(100 * count["kastRounds"] / rounds, 3),
        "averageUtilityDamagePerRound": round(count["utilityDamage"] / rounds, 2),
    }
