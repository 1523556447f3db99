"""The window ``cs2/player_form``: what the earlier rounds of a match say about each player, as of freeze end of a round.

Belongs here: row 000-21 as a table, one row per player and round, with opening duels, time alive and utility measured.
Does not belong here: the tallies themselves (``history.py``, ``tally.py``).
"""

from typing import Any

import numpy as np
import pyarrow as pa

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import Side
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.history import DAMAGE_PER_KILL, PRIOR_ROUNDS, PlayerHistory
from esports_assets.windows.spec import PLAYER_COLUMNS, Feature, WindowSpec
from esports_assets.windows.state_event import events_by_round
from esports_assets.windows.tally import tally_round, team_histories

PLAYER_FORM = WindowSpec(
    name="cs2/player_form",
    version="1",
    features=(
        Feature("kills_per_round", "kills per round", "Kills of opponents per earlier round", True, 0),
        Feature("opening_duel_success", "share", "First kills of a round among the first duels he was in", True, 0, 1),
        Feature("time_alive_avg_s", "s", "Mean time alive after freeze end per earlier round", True, 0),
        Feature("utility_per_round", "grenades per round", "Grenades thrown per earlier round", True, 0),
        Feature("rating", "kills per round", "Duels won minus lost, shrunk towards an average player"),
    ),
    parameters=(("prior_rounds", PRIOR_ROUNDS), ("damage_per_kill", DAMAGE_PER_KILL)),
    rows=PLAYER_COLUMNS,
    key=("match_id", "segment", "player"),
    row_doc="one row per player and round, as of its freeze end, from earlier rounds of the match only",
)
"""Form of the players of a CS2 match."""


def player_form_table(match: CanonicalMatch) -> pa.Table:
    """The window of a match; the first round knows nothing yet: null, and a rating of 0."""
    players, team_of = match.players["player"].to_pylist(), match.players["team"].to_pylist()
    events = events_by_round(match.events, {player: i for i, player in enumerate(players)})
    teams, form = team_histories(match), [PlayerHistory() for _ in players]
    rows: list[dict[str, Any]] = []
    for row in match.rounds.to_pylist():
        facts = RoundFacts.of(row, team_of, events.get(row["segment"], []))
        shared = {name: row[name] for name in ("match_id", "series_id", "map", "simulated", "segment")}
        for i, player in enumerate(players):
            side = Side.CT if facts.ct[i] else Side.T
            known = {name: None if np.isnan(value) else value for name, value in form[i].form().items()}
            rows.append({**shared, "player": player, "team": team_of[i], "side": side.value, **known})
        tally_round(facts, events.get(row["segment"], []), teams, form)
    table = PLAYER_FORM.table
    return table_of(table, {name: [row[name] for row in rows] for name in table.names})
