"""Rows of the window as columns: what batch and stream both hand out.

Belongs here: picking the living from what the kernel measured, and the window's table.
Does not belong here: when a row is due.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.vocabulary import Side
from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.micro.block import Stack
from esports_assets.windows.micro.kernel import Measured
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.spec import WindowSpec
from esports_assets.windows.streamed.lineup import Lineup


@dataclass(frozen=True, slots=True)
class MicroRows:
    """Rows (N) of one round of one match, in order of time, then side, then player."""

    lineup: Lineup
    segment: int
    ct: tuple[bool, ...]
    t: Floats
    player: Ints
    """Position in the lineup."""
    values: Floats
    """(features, N), NaN where unknown; features in the order of ``PLAYER_MICRO``."""
    place: npt.NDArray[np.int64]
    """Position in ``words``, -1 where unknown."""
    weapon: npt.NDArray[np.int64]
    words: Sequence[str]

    def __len__(self) -> int:
        return len(self.t)

    def records(self) -> Iterator[dict[str, Any]]:
        """Row by row: identity, ``features`` by name (None where unknown), place and weapon."""
        values = self.values.T.tolist()
        for i, t in enumerate(self.t.tolist()):
            player = int(self.player[i])
            yield {
                **{name: getattr(self.lineup, name) for name in ("match_id", "series_id", "map", "simulated")},
                "segment": self.segment,
                "player": self.lineup.players[player],
                "team": self.lineup.teams[player],
                "side": side_of(self.ct[player]).value,
                "t_s": t,
                "place": self._word(self.place[i]),
                "weapon": self._word(self.weapon[i]),
                "features": {
                    name: None if value != value else value
                    for name, value in zip(PLAYER_MICRO.feature_names, values[i], strict=True)
                },
            }

    def only(self, at: int) -> "MicroRows":
        """One row alone."""
        row = slice(at, at + 1)
        return replace(
            self,
            t=self.t[row],
            player=self.player[row],
            values=self.values[:, row],
            place=self.place[row],
            weapon=self.weapon[row],
        )

    def _word(self, code: np.int64) -> str | None:
        return self.words[int(code)] if code >= 0 else None


def side_of(ct: bool) -> Side:
    """The side of a player."""
    return Side.CT if ct else Side.T


def picked(
    measured: Measured,
    stack: Stack,
    block: int,
    at: slice,
    t: Floats,
    lineup: Lineup,
    segment: int,
    ct: tuple[bool, ...],
    words: Sequence[str],
) -> MicroRows:
    """The living of one block among the instants ``at`` of what was measured; ``t`` are those instants."""
    living = measured.living[at]
    row, seat = np.nonzero(living)
    values = measured.values[:, at][:, living]
    place, weapon = (_codes(codes[at][living]) for codes in (measured.place, measured.weapon))
    return MicroRows(lineup, segment, ct, t[row], stack.seats[block][seat], values, place, weapon, words)


def _codes(values: Floats) -> npt.NDArray[np.int64]:
    return np.where(np.isnan(values), -1, values).astype(np.int64)


def micro_table(parts: Iterable[MicroRows], spec: WindowSpec = PLAYER_MICRO) -> pa.Table:
    """The window's table of any rows."""
    parts = [part for part in parts if len(part)]
    columns: dict[str, Any] = {
        "match_id": _joined(parts, lambda part: _repeated(part, part.lineup.match_id)),
        "series_id": _joined(parts, lambda part: _repeated(part, part.lineup.series_id)),
        "map": _joined(parts, lambda part: _repeated(part, part.lineup.map)),
    }
    columns |= {
        "simulated": _all(parts, lambda part: np.full(len(part), part.lineup.simulated), bool),
        "segment": _all(parts, lambda part: np.full(len(part), part.segment), np.int16),
        "t_s": _all(parts, lambda part: part.t, np.float64),
        "player": _joined(parts, lambda part: (part.player, part.lineup.players)),
        "team": _joined(parts, lambda part: (part.player, part.lineup.teams)),
        "side": _joined(parts, lambda part: (part.player, [side_of(ct).value for ct in part.ct])),
        "place": _joined(parts, lambda part: (part.place, part.words)),
        "weapon": _joined(parts, lambda part: (part.weapon, part.words)),
    }
    values = np.concatenate([part.values for part in parts], axis=1) if parts else np.empty((len(spec.features), 0))
    for feature, column in zip(spec.features, values, strict=True):
        missing = np.isnan(column)
        columns[feature.name] = pa.array(column, pa.float64(), mask=missing if missing.any() else None)
    return table_of(spec.table, columns)


def _repeated(part: MicroRows, word: str) -> tuple[Ints, Sequence[str]]:
    return np.zeros(len(part), dtype=np.int64), (word,)


def _all(parts: Sequence[MicroRows], values: Callable[[MicroRows], Any], dtype: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *(values(part) for part in parts)]).astype(dtype)


def _joined(
    parts: Sequence[MicroRows], coded: Callable[[MicroRows], tuple[Ints, Sequence[str]]]
) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Codes of all parts in one numbering; negative stays null."""
    numbering: dict[str, int] = {}
    codes = [np.empty(0, np.int32)]
    for part in parts:
        own, words = coded(part)
        mapping = np.array([*(numbering.setdefault(word, len(numbering)) for word in words), -1], dtype=np.int32)
        codes.append(mapping[own])
    return np.concatenate(codes), list(numbering)
