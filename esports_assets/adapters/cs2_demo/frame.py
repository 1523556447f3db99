"""What frames a match: start and end of the map and of each round, and what everybody carries when a round begins.

Belongs here: events that come from the records of match, rounds and economies.
Does not belong here: what players do (``deeds.py``), the macro table (``adapter.py``).
"""

from collections.abc import Iterable, Iterator, Sequence

from esports_assets.adapters.cs2_demo import raw
from esports_assets.adapters.cs2_demo.rows import Happening, RowReader
from esports_assets.canonical.vocabulary import EventType, Side


def map_and_rounds(reader: RowReader, match: raw.MatchInfo) -> Iterator[Happening]:
    """Start and end of the map and of each round."""
    roster = reader.roster
    rounds = [info.raw for info in roster.rounds.values()]
    lineup = {roster.players[i]: roster.team(i) for i in range(len(roster.players))}
    names = dict(zip(roster.teams, roster.team_names, strict=True))
    start = {"teams": names, "players": lineup, "tick_rate": roster.ticks_per_s}
    yield Happening(rounds[0].startTick, EventType.MAP_START, 0, "match", 0, start)
    for number in roster.rounds:
        yield from _round(reader, number)
    score = _score(reader, match)
    best = max(score, key=lambda team: score[team]) if len(set(score.values())) == 2 else None
    ended = {"score": score, "winner_team": best}
    yield Happening(rounds[-1].endTick, EventType.MAP_END, 0, "match", 1, ended, team=best)


def _score(reader: RowReader, match: raw.MatchInfo) -> dict[str, int]:
    """The final score as the source tells it, corrected for the rounds that it gives to the wrong team."""
    roster = reader.roster
    rounds, teams = roster.rounds.values(), roster.teams
    told = (match.teamA.score, match.teamB.score)
    claimed = [sum(info.raw.winnerTeamKey == key for info in rounds) for key in ("teamA", "teamB")]
    counted = [sum(info.winner == team for info in rounds) for team in (0, 1)]
    score = {team: told[i] - claimed[i] + counted[i] for i, team in enumerate(teams)}
    swapped = ", ".join(str(number) for number, info in roster.rounds.items() if info.swapped)
    if swapped:
        mended = f"the bomb of rounds {swapped} is handled by the other side: sides and winners mended, score {score}"
        reader.remark("sides_swapped", "rounds", mended)
    return score


def _round(reader: RowReader, number: int) -> Iterator[Happening]:
    roster, info = reader.roster, reader.roster.rounds[number]
    entry, winner = info.raw, info.reason.winner
    ct = 0 if info.sides[0] is Side.CT else 1
    teams = {"ct_team": roster.teams[ct], "t_team": roster.teams[1 - ct]}
    before = {**teams, "ct_score": info.score(Side.CT), "t_score": info.score(Side.T)}
    buys = (entry.teamAEconomy, entry.teamBEconomy)
    bought = {**before, "ct_buy": buys[ct], "t_buy": buys[1 - ct]}
    team = teams[f"{winner.value}_team"]
    after = {**teams, **{f"{s.value}_score": info.score(s) + (s is winner) for s in (Side.CT, Side.T)}}
    ended = {**after, "winner_side": winner.value, "winner_team": team, "reason": info.reason.value}
    yield Happening(entry.startTick, EventType.ROUND_START, number, "round_start", number, bought)
    yield Happening(entry.freezeEndTick, EventType.FREEZE_END, number, "freeze_end", number, before)
    yield Happening(entry.endTick, EventType.ROUND_END, number, "round_end", number, ended, team=team, side=winner)


def economies(reader: RowReader, rows: Sequence[raw.Economy]) -> Iterable[Happening]:
    """Money and equipment of each player at freeze end."""
    stale = {row.roundNumber for row in rows if row.moneySpent > row.startMoney}

    def build(number: int, row: raw.Economy) -> tuple[Happening]:
        return (_economy(reader, number, row, row.roundNumber not in stale),)

    return reader.each("player-economies", reader.opened.numbered("player-economies", rows), build)


def _economy(reader: RowReader, number: int, row: raw.Economy, known: bool) -> Happening:
    place = f"player-economies[{number}]"
    info = reader.round_of(row.roundNumber, place)
    player = reader.player(row.steamId64, row.playerIndex, place)
    if not known:
        told = f"round {row.roundNumber} tells the money before overtime's reset; dropped"
        reader.remark("stale_money", place, told)
    payload = {
        "money": row.startMoney - row.moneySpent if known else None,
        "start_money": row.startMoney if known else None,
        "spent": row.moneySpent,
        "equipment_value": row.equipmentValue,
        "armor": row.hasArmor,
        "helmet": row.hasHelmet,
        "kit": row.hasDefuseKit,
        "primary": row.primaryWeapon and reader.weapon(row.primaryWeapon, place),
        "secondary": row.secondaryWeapon and reader.weapon(row.secondaryWeapon, place),
        "grenades": row.grenades,
        "grenade_count": row.grenadeCount,
        "buy": row.type,
    }
    tick = info.raw.freezeEndTick
    return Happening(tick, EventType.ECONOMY_UPDATE, row.roundNumber, "economy", number, payload, player)
