"""The window ``cs2/player_micro`` with what each player did next: the table that intent is learned from.

Belongs here: putting the label beside the features of a match, and the declared table that results.
Does not belong here: features (``windows/micro/``, which see the past only), labels (``windows/labels.py``, which look ahead).
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import Column, Kind, Table
from esports_assets.windows.deeds import RoundDeeds, deeds_by_round
from esports_assets.windows.fill import Tracks
from esports_assets.windows.labels import INTENTS, Future, intents
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.view import Sites

LABEL = "intent"
LABELS_VERSION = "1"
"""Code version of the labels: bump it when ``windows/labels.py`` or ``deeds.py`` says something else of the same match."""

_BARE = PLAYER_MICRO.table
PLAYER_MICRO_LABELLED = Table(
    _BARE.name,
    f"{_BARE.doc} With the intent that its next seconds show.",
    (*_BARE.columns, Column(LABEL, Kind.CATEGORY, "Label: what the player did next", nullable=True, allowed=INTENTS)),
    key=_BARE.key,
    version=f"{_BARE.version}.{LABELS_VERSION}",
)
"""The window's table and the label, null where the future is not known."""

Ints = npt.NDArray[np.int64]


def labelled_table(match: CanonicalMatch, sites: Sites | None = None) -> pa.Table:
    """Features and label of every living player twice a second."""
    sites = sites or Sites()
    table = player_micro_table(match, sites)
    codes = label_codes(match, sites, table)
    words = pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32(), mask=codes < 0), pa.array(INTENTS, pa.string())
    ).cast(PLAYER_MICRO_LABELLED.arrow.field(LABEL).type)
    return table.append_column(PLAYER_MICRO_LABELLED.arrow.field(LABEL), words).cast(PLAYER_MICRO_LABELLED.arrow)


def label_codes(match: CanonicalMatch, sites: Sites, table: pa.Table) -> Ints:
    """The position in ``INTENTS`` of every row's label, -1 where the future is not known."""
    players = match.players["player"].to_pylist()
    index = {player: i for i, player in enumerate(players)}
    team_of = match.players["team"].to_pylist()
    tracks, deeds = Tracks.split(match.tracking, players), deeds_by_round(match.events, index)
    ct_team = dict(zip(match.rounds["segment"].to_pylist(), match.rounds["ct_team"].to_pylist(), strict=True))
    segment, t = table["segment"].to_numpy(), table["t_s"].to_numpy()
    who = np.array([index.get(player, -1) for player in table["player"].to_pylist()], dtype=np.int64)
    codes = np.full(len(t), -1, dtype=np.int64)
    for number, frames in tracks.items():
        rows = np.flatnonzero((segment == number) & (who >= 0))
        if not len(rows) or number not in ct_team:
            continue
        at, place = np.unique(t[rows], return_inverse=True)
        ct = np.array([team == ct_team[number] for team in team_of])
        told = intents(Future(frames, deeds.get(number, RoundDeeds()), ct, sites, at))
        codes[rows] = told[place, who[rows]]
    return codes
