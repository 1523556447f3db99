"""Rounds in which the source has the two sides the wrong way round, found by who handles the bomb.

Belongs here: the evidence of one match and what it says about its rounds.
Does not belong here: what a swapped round means for winners and scores (``roster.py``).

Exporters count half-times themselves. In overtime nobody changes sides after round 24, and an exporter that thinks so tells
every overtime round of the match with sides, winning team and score swapped: Ts defuse bombs that CTs planted.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from esports_assets.adapters.cs2_demo import raw
from esports_assets.canonical.vocabulary import Side

_HANDLED_BY = {
    "planted": Side.T,
    "plant_begin": Side.T,
    "picked_up": Side.T,
    "dropped": Side.T,
    "defused": Side.CT,
    "defuse_begin": Side.CT,
}
"""Only this side can do it."""


def swapped_rounds(
    demo: raw.DemoFile, told: Mapping[int, tuple[Side, Side]], team_of: Mapping[str, int]
) -> frozenset[int]:
    """The rounds whose sides are told the wrong way round; ``told`` holds the sides of teams A and B by round.

    A round's own bomb decides. A round without one follows the majority of its neighbours for which the source tells the
    same sides without a break: they share the mistake.
    """
    votes = _votes(demo, told, team_of)
    swapped: set[int] = set()
    for _, half in groupby(sorted(told), key=lambda number: told[number]):
        rounds = list(half)
        shared = sum((votes[number] for number in rounds), Counter[bool]())
        for number in rounds:
            own = votes[number]
            decisive = own if own[True] != own[False] else shared
            if decisive[False] < decisive[True]:
                swapped.add(number)
    return frozenset(swapped)


def _votes(
    demo: raw.DemoFile, told: Mapping[int, tuple[Side, Side]], team_of: Mapping[str, int]
) -> dict[int, Counter[bool]]:
    """By round: how many things that happened to the bomb contradict (True) and fit (False) the sides that are told."""
    votes: dict[int, Counter[bool]] = {number: Counter() for number in told}
    for bomb in demo.bombs:
        needed, who = _HANDLED_BY.get(bomb.type), _actor(demo, bomb)
        if needed is None or who is None or bomb.roundNumber not in told or who not in team_of:
            continue
        votes[bomb.roundNumber][told[bomb.roundNumber][team_of[who]] is not needed] += 1
    return votes


def _actor(demo: raw.DemoFile, bomb: raw.Bomb) -> str | None:
    """The source's id of who did it; None where it names nobody (``roster.who`` refuses indexes that are none)."""
    if bomb.actorIndex is None:
        return bomb.actorSteamId64
    return demo.players[bomb.actorIndex].steamId64 if 0 <= bomb.actorIndex < len(demo.players) else None
