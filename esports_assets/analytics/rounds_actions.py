"""Statements of intent counted by round and team.

Belongs here: from signals or rows of ``micro_actions`` to the declared table, and from that to counts.
Does not belong here: what is said and by whom (``signals/``, ``stages/micro_actions.py``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from esports_assets.analytics.rounds_columns import INTENT_COUNTS, INTENT_COUNTS_TO_CONTACT, ROUND_ACTIONS
from esports_assets.canonical.codec import rows_of, table_of
from esports_assets.canonical.match import CanonicalMatch, Finding
from esports_assets.canonical.signal import AgentSignal

_NAMES = ROUND_ACTIONS.names


@dataclass(slots=True)
class Said:
    """What was said of one team in one round: time (None: not told), intent and confidence of each statement."""

    at: list[tuple[float | None, str, float | None]] = field(default_factory=list)

    def counts(self, contact_s: float | None) -> dict[str, float | None]:
        """Columns of the features; those up to the first contact are null where there was none.

        A statement without a time is counted for the round, and in no count that ends at the contact.
        """
        said = [intent for _, intent, _ in self.at]
        early = [intent for t, intent, _ in self.at if t is not None and contact_s is not None and t < contact_s]
        trust = [confidence for *_, confidence in self.at if confidence is not None]
        return {
            **{name: float(said.count(intent)) for intent, name in INTENT_COUNTS.items()},
            **{
                name: None if contact_s is None else float(early.count(intent))
                for intent, name in INTENT_COUNTS_TO_CONTACT.items()
            },
            "action_count": float(len(said)),
            "action_diversity": float(len(set(said))),
            "mean_confidence": sum(trust) / len(trust) if trust else None,
        }


def actions_of_signals(signals: Iterable[AgentSignal]) -> pa.Table:
    """The declared table of statements as the worker or ``stages/micro_actions.py`` makes them."""
    rows = [
        (s.match_id, s.map, s.segment, s.t, s.player_id, s.team, s.intent.value, s.confidence)
        for s in signals
        if s.intent is not None
    ]
    return _table(rows)


def actions_of_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The declared table of rows of ``micro_actions``; read only those with ``batch``, one version per match."""
    return _table([tuple(row[name] for name in _NAMES) for row in rows])


def _table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_NAMES)
    return table_of(ROUND_ACTIONS, dict(zip(_NAMES, map(list, columns), strict=True)))


def said_by_round(match: CanonicalMatch, actions: pa.Table) -> tuple[dict[tuple[int, str], Said], list[Finding]]:
    """What was said of each team in each round of a match, and what could not be counted.

    Statements of other matches or maps are passed over. One whose team is null is its player's team's; one of nobody that
    played, of no round of the match or of none of the nine intents is a finding, not a zero.
    """
    header = match.header
    team_of = dict(rows_of(match.players, "player", "team"))
    found = {
        (segment, team): Said()
        for segment, *teams in rows_of(match.rounds, "segment", "ct_team", "t_team")
        for team in teams
    }
    lost: Counter[str] = Counter()
    for match_id, name, segment, t, player, team, intent, confidence in rows_of(actions, *_NAMES):
        if (match_id, name) != (header.match_id, header.map):
            continue
        key = (segment, team if team is not None else team_of.get(player, ""))
        if intent not in INTENT_COUNTS:
            lost[f"intent {intent!r} is none of the nine"] += 1
        elif key not in found:
            lost["round or team is none of the match"] += 1
        else:
            found[key].at.append((t, intent, confidence))
    return found, [
        Finding("action_not_counted", header.match_id, f"{count} micro-actions are not counted: {reason}")
        for reason, count in sorted(lost.items())
    ]
