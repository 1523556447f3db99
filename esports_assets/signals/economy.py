"""ECONOMY_CRASH: a team that could afford a full buy no longer can.

Belongs here: the rule over what the source tells of money and equipment at freeze end, its memory, and the statement. No model.
Does not belong here: what a buy is called by a source, win probability.

Formula. A team's ``power`` in a round is what its players hold at freeze end: equipment plus the money that they kept, which is
what they had before they bought plus what they carried over; saving changes nothing. What it ``needs`` is the cheapest full buy
of its side for every player: rifle, armour and helmet at shop prices. There is a crash in the first round in which power is below
need, after a round of the same half in which it was not. Whoever is told has to be able to buy again before he is told again.

When the sides change (half-time, overtime) money starts anew: nothing is compared across that. Where the source leaves out the
money or the equipment of one player, the team's power is unknown, and nothing is said and nothing remembered of that round: an
unknown is no zero.

Confidence. The measured share of crashes after which the team lost the round (docs/signals.md).
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from esports_assets.canonical.signal import AgentSignal, Fact, SignalType
from esports_assets.canonical.vocabulary import Side
from esports_assets.signals.voice import Moment, Voice, statement
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.state.rows import StateRows
from esports_assets.windows.state_event import StateEvent
from esports_assets.windows.view import PRICES

RIFLE: Mapping[Side, float] = {Side.CT: PRICES["m4a1_silencer"], Side.T: PRICES["ak47"]}
"""The cheapest of the rifles that a full buy has, by side, in game money."""
ARMOR, HELMET = 650.0, 350.0
"""Shop prices, in game money."""
LOST = 0.753
"""Share of crashes after which the team lost the round: 174 crashes of 46 real matches (docs/signals.md)."""


class Bank(msgspec.Struct):
    """What is remembered of a match: each team's side, its players' holdings in the last round, and whether it could buy."""

    segment: int = 0
    sides: dict[str, Side] = {}
    held: dict[str, dict[str, float]] = {}
    able: dict[str, bool] = {}


def full_buy(side: Side) -> float:
    """What one player needs, in game money."""
    return RIFLE[side] + ARMOR + HELMET


def crashes(bank: Bank, rows: StateRows) -> list[AgentSignal]:
    """The statements of a round's start; call with all rows in order, the first of a round count."""
    if rows.segment == bank.segment:
        return []
    bank.segment = rows.segment
    found = []
    for side, team in ((Side.CT, rows.facts.ct_team), (Side.T, rows.facts.t_team)):
        if bank.sides.get(team) is not side:
            bank.sides[team] = side
            bank.held.pop(team, None)
            bank.able.pop(team, None)
        holdings = _holdings(rows, side)
        if holdings is None:
            continue
        need = full_buy(side) * len(holdings)
        power = sum(holdings.values())
        if power < need and bank.able.get(team, False):
            found.append(_signal(rows, side, team, bank.held[team], holdings))
        bank.able[team] = power >= need
        bank.held[team] = holdings
    return found


def _holdings(rows: StateRows, side: Side) -> dict[str, float] | None:
    """Money and equipment of each player of a side; None where the source leaves something out."""
    found: dict[str, float] = {}
    for seat, player in enumerate(rows.lineup.players):
        if rows.facts.ct[seat] != (side is Side.CT):
            continue
        told = rows.economy.get(seat)
        money, equipment = ((None if told is None else told.payload.get(name)) for name in ("money", "equipment_value"))
        if money is None or equipment is None:
            return None
        found[player] = float(money) + float(equipment)
    return found or None


def _signal(
    rows: StateRows, side: Side, team: str, before: Mapping[str, float], now: Mapping[str, float]
) -> AgentSignal:
    power, was, need, each = sum(now.values()), sum(before.values()), full_buy(side) * len(now), full_buy(side)
    summary = (
        f"{team} holds {power:.0f} in money and equipment after {was:.0f} in the round before; "
        f"a full buy of {len(now)} players costs {need:.0f}."
    )
    explanation = [Fact(summary, delta=power - was)]
    for player, held in sorted(now.items(), key=lambda item: (item[1] - before.get(item[0], item[1]), item[0])):
        event = _event(rows, player)
        change = held - before[player] if player in before else None
        lacks = "enough for" if held >= each else f"{each - held:.0f} short of"
        told = f"{player} holds {held:.0f}, {lacks} {each:.0f}"
        explanation.append(Fact(told, event.event_id, change))
    return statement(
        SignalType.ECONOMY_CRASH,
        Moment(rows.lineup, rows.segment, 0.0, rows.zero_us),
        VOICE,
        team=team,
        confidence=LOST,
        facts=explanation,
        features={
            "power": power,
            "power_before": was,
            "fall": was - power,
            "need": need,
            "players_short": sum(held < each for held in now.values()),
        },
        entities=(team, *now),
    )


def _event(rows: StateRows, player: str) -> StateEvent:
    return rows.economy[rows.lineup.players.index(player)]


_VERSION = blake2b(repr((sorted(RIFLE.items()), ARMOR, HELMET, LOST)).encode(), digest_size=4).hexdigest()
VOICE = Voice(
    info={
        "model_name": "cs2.economy.rule",
        "model_type": "rule",
        "model_alias": "",
        "model_version": _VERSION,
        "model_run_id": "",
        "data_version": "",
        "window_fingerprint": ROUND_STATE.fingerprint,
        "probability_source": "measured",
        "asset_key": "",
        "dagster_run_id": "",
    },
    version=f"cs2.economy.rule {_VERSION}",
    fingerprint=ROUND_STATE.fingerprint,
)
"""The rule speaks, whatever model is promoted."""
