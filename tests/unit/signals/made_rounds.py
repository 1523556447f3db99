"""Final rows by hand: a match of two teams of two, with a chance for every row.

Alpha plays CT unless told otherwise; ``ev`` makes an event, ``rows`` the rows of a round, ``over`` its end.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.signals.momentum import Chances
from esports_assets.signals.voice import Voice
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.state_event import StateEvent
from esports_assets.windows.streamed.lineup import Lineup

PLAYERS, TEAMS = ("a1", "a2", "b1", "b2"), ("alpha", "alpha", "beta", "beta")
LINEUP = Lineup("made:one:1", "made:one", "de_made", False, PLAYERS, TEAMS)
ZERO_US = 1_700_000_000_000_000
ROUND_US = 150_000_000
INFO = {"model_name": "cs2.round_win.made", "model_version": "3", "probability_source": "model"}
VOICE = Voice(INFO, "cs2.round_win.made v3", ROUND_STATE.fingerprint)


def facts(
    segment: int = 1, ct: str = "alpha", winner: Side | None = None, duration_s: float | None = None
) -> RoundFacts:
    """A round."""
    other = "beta" if ct == "alpha" else "alpha"
    sides = np.array([team == ct for team in TEAMS])
    return RoundFacts(segment, ct, other, sides, 0.0, 0.0, winner, duration_s, (None,) * len(TEAMS))


def ev(t: float, kind: EventType, actor: str | None = None, target: str | None = None, **payload: object) -> StateEvent:
    """An event; its id tells what it is."""
    seats = [-1 if who is None else PLAYERS.index(who) for who in (actor, target)]
    return StateEvent(f"{kind.value}@{t:g}:{actor}:{target}", kind, t, seats[0], seats[1], payload)


def rows(
    told: Sequence[float | StateEvent],
    segment: int = 1,
    ct: str = "alpha",
    holdings: Mapping[str, tuple[float | None, float | None]] | None = None,
) -> StateRows:
    """Rows of seconds (their time) and events; ``holdings`` are money and equipment at freeze end."""
    t = [one.t if isinstance(one, StateEvent) else one for one in told]
    zero = ZERO_US + segment * ROUND_US
    bought = {
        PLAYERS.index(who): ev(
            0.0,
            EventType.ECONOMY_UPDATE,
            who,
            **{k: v for k, v in (("money", money), ("equipment_value", worth)) if v is not None},
        )
        for who, (money, worth) in (holdings or {}).items()
    }
    return StateRows(
        lineup=LINEUP,
        facts=facts(segment, ct),
        seq=0,
        t=np.array(t, dtype=np.float64),
        at_us=[zero + round(moment * 1e6) for moment in t],
        zero_us=zero,
        economy=bought,
        events=[one if isinstance(one, StateEvent) else None for one in told],
        values=np.full((len(ROUND_STATE.features), len(t)), np.nan),
    )


def chances(p: Sequence[float], half: float = 0.05, voice: Voice = VOICE) -> Chances:
    """Of CT, with an interval of equal halves."""
    middle = np.array(p, dtype=np.float64)
    return Chances(middle, middle - half, middle + half, voice)


def over(
    t: float,
    winner: Side | None,
    *last: StateEvent,
    segment: int = 1,
    ct: str = "alpha",
    reason: str | None = "t_eliminated",
) -> RoundOver:
    """The end of a round."""
    at_us = None if winner is None else ZERO_US + segment * ROUND_US + round(t * 1e6)
    decided = facts(segment, ct, winner, None if winner is None else t)
    return RoundOver(LINEUP, decided, at_us, None if winner is None else f"end{segment}", reason, tuple(last))
