"""What must be true of a whole match: named predicates over its tables.

Belongs here: one function per rule; each returns what breaks it, with the place, in a sentence. A match that breaks one is
quarantined: it stays in the lake with its findings, and nothing is computed from it.
Does not belong here: what single columns may hold (``declared.py``), who plays (``lineup.py``), what a source may write (adapters).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow.compute as pc

from esports_assets.canonical.clock import LONGEST_ROUND_S
from esports_assets.canonical.codec import of_type, rows_of
from esports_assets.canonical.declared import columns_keep_their_declaration, rows_stand_once
from esports_assets.canonical.lineup import actors_play_for_their_team, somebody_plays, teams_are_not_too_large
from esports_assets.canonical.match import INVALIDATED, CanonicalMatch, Finding
from esports_assets.canonical.space import WORLD_LIMIT_U
from esports_assets.canonical.vocabulary import EndReason, EventType, Side

AFTER_ROUND_S = 20.0
"""How long after its decision a round may still have events: exit kills, the bomb, the walk to the next freeze time."""

MAX_FREEZE_S = 600.0
"""Longest freeze time with timeouts and technical pauses that is believed, in seconds."""

POSITION_IN_MAP = "position_in_map"
"""Rule of the finding that a match goes far outside what the other matches of its map show."""

Rule = Callable[[CanonicalMatch], Iterator[tuple[str, str]]]
"""The places where a match breaks a rule, each with a sentence."""


def victims_were_alive(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """Nobody dies twice in a round without having been revived in between."""
    relevant = of_type(match.events, EventType.KILL, EventType.DEATH, EventType.SPAWN)
    dead: set[tuple[int, str]] = set()
    for segment, t_s, kind, actor, target in rows_of(relevant, "segment", "t_s", "event_type", "actor", "target"):
        if kind == "SPAWN":
            dead.discard((segment, actor))
            continue
        if (segment, target) in dead:
            when = "" if t_s is None else f" at {t_s:.2f} s"
            yield f"round {segment}{when}", f"{target} dies a second time in this round"
        dead.add((segment, target))


def times_lie_in_their_round(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """Events lie between the start of freeze time and shortly after the decision; tracks end at the decision."""
    length = {
        segment: duration
        for segment, duration in rows_of(match.rounds, "segment", "duration_s")
        if duration is not None
    }
    for segment, duration in length.items():
        if duration > LONGEST_ROUND_S:
            yield f"round {segment}", f"the round lasts {duration:.0f} s, which no round does"
    inside = match.events.filter(pc.and_(pc.is_valid(match.events["t_s"]), pc.greater(match.events["segment"], 0)))
    for name, table, margin in (("event", inside, AFTER_ROUND_S), ("track", match.tracking, 1.0)):
        segments = np.maximum(table["segment"].to_numpy(), 0)
        t_s = table["t_s"].to_numpy()
        limit = (
            np.array([length.get(s, np.inf) for s in range(int(segments.max()) + 1)]) if len(segments) else np.empty(0)
        )
        bad = (t_s < -MAX_FREEZE_S) | (t_s > limit[segments] + margin) if len(segments) else np.empty(0, bool)
        if bad.any():
            i = int(bad.argmax())
            yield (
                f"round {segments[i]}",
                f"{name} at {t_s[i]:.2f} s lies outside the round of {limit[segments[i]]:.2f} s",
            )


def positions_lie_in_the_world(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """Positions of tracks and events are finite and inside the engine's world."""
    for axis in ("x_u", "y_u", "z_u"):
        values = match.tracking[axis].to_numpy()
        bad = ~(np.abs(values) <= WORLD_LIMIT_U)
        if bad.any():
            i = int(bad.argmax())
            where = f"round {match.tracking['segment'][i].as_py()} at {match.tracking['t_s'][i].as_py():.2f} s"
            yield where, f"{match.tracking['player'][i].as_py()} has {axis} = {values[i]}"
    suspects = match.events.filter(pc.match_substring_regex(match.events["payload"], _FAR))
    for segment, kind, payload in rows_of(suspects, "segment", "event_type", "payload"):
        told = _loads(payload)
        for name in ("pos", "target_pos"):
            if not _in_world(told.get(name)):
                yield f"round {segment}", f"{kind} has {name} = {told[name]}"


_loads = msgspec.json.Decoder(dict[str, Any]).decode
_FAR = r'pos":\[(?:[^\]]*,)?-?(?:\d{5}|[\d.]+e)'
"""A coordinate of five digits or with an exponent: all that could be outside the world, and little else."""


def _in_world(place: Any) -> bool:
    """Whether a position in a payload lies in the engine's world, or there is none."""
    axes = place if isinstance(place, list) else [] if place is None else [place]
    return all(isinstance(value, int | float) and abs(value) <= WORLD_LIMIT_U for value in axes)


_REASONS = frozenset(reason.value for reason in EndReason)


def score_follows_winners(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """The score before each round is the count of rounds won before it; the winner is the team on the winning side."""
    won: dict[str, int] = {}
    names = (
        "segment",
        "ct_team",
        "t_team",
        "ct_score_before",
        "t_score_before",
        "winner_side",
        "winner_team",
        "end_reason",
    )
    for segment, ct, t, ct_score, t_score, side, team, reason in rows_of(match.rounds, *names):
        for who, score in ((ct, ct_score), (t, t_score)):
            if won.get(who, 0) != score:
                yield f"round {segment}", f"{who} has {score} rounds before it but won {won.get(who, 0)}"
        if team != (ct if side == Side.CT.value else t):
            yield f"round {segment}", f"{team} won on side {side}, where it did not play"
        if reason in _REASONS and EndReason(reason).winner.value != side:
            yield f"round {segment}", f"{side} cannot win a round that ends by {reason}"
        won[team] = won.get(team, 0) + 1


def final_score_counts_winners(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """The final score, where the source states one, is the count of rounds won."""
    won = Counter(match.rounds["winner_team"].to_pylist())
    for (payload,) in rows_of(of_type(match.events, EventType.MAP_END), "payload"):
        for team, stated in (_loads(payload).get("score") or {}).items():
            if stated is not None and stated != won[team]:
                yield "the end", f"the source states {stated} rounds for {team}, which won {won[team]} of them"


def events_are_numbered(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """Event ids are unique and ``seq`` is dense from 0."""
    seq = match.events["seq"].to_numpy()
    if not np.array_equal(seq, np.arange(len(seq))):
        yield "events", "seq is not dense from 0"
    ids = match.events["event_id"]
    if pc.count_distinct(ids).as_py() != len(ids):
        yield "events", "two events share an id"


def the_living_have_health(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """Whoever is alive has health; whoever is dead has none."""
    alive = match.tracking["alive"].to_numpy()
    health = match.tracking["health"].to_numpy()
    for bad, state in ((alive & (health <= 0), "alive"), (~alive & (health > 0), "dead")):
        if bad.any():
            i = int(bad.argmax())
            where = f"round {match.tracking['segment'][i].as_py()} at {match.tracking['t_s'][i].as_py():.2f} s"
            yield where, f"{match.tracking['player'][i].as_py()} is {state} with {health[i]} health"


def stated(rule: str) -> Rule:
    """A rule that nobody can judge by the match alone: whoever can, states it as a finding of that rule."""

    def repeat(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
        for finding in match.findings:
            if finding.rule == rule:
                yield finding.where.removeprefix(f"{match.header.match_id} "), finding.message

    return repeat


INVARIANTS: dict[str, Rule] = {
    "declared_schema": columns_keep_their_declaration,
    "rows_stand_once": rows_stand_once,
    "victim_was_alive": victims_were_alive,
    "t_within_round": times_lie_in_their_round,
    "team_of_actor": actors_play_for_their_team,
    "team_size": teams_are_not_too_large,
    "somebody_plays": somebody_plays,
    "position_in_world": positions_lie_in_the_world,
    "winner_agrees_with_score": score_follows_winners,
    "final_score": final_score_counts_winners,
    "events_are_numbered": events_are_numbered,
    "living_have_health": the_living_have_health,
    "source_stands_by_it": stated(INVALIDATED),
    POSITION_IN_MAP: stated(POSITION_IN_MAP),
}
"""Rule name to predicate."""


def broken(match: CanonicalMatch, per_rule: int = 5) -> list[Finding]:
    """Every broken invariant, at most ``per_rule`` places each; empty for a match that may be used."""
    found = []
    for name, rule in INVARIANTS.items():
        for count, (where, message) in enumerate(rule(match)):
            if count == per_rule:
                break
            found.append(Finding(name, f"{match.header.match_id} {where}", message))
    return found
