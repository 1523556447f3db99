"""Matches of the lake as the API shows them: the index, and window rows with their probabilities.

Belongs here: reading the lake (pyarrow comes in on first use) and choosing between the model and its out-of-fold
predictions. Blocking: routes call it in a thread.
Does not belong here: series and swings (``winprob.py``), HTTP routes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from esports_assets.canonical.decision import DECIDED_BY, DECISIVE
from serving.errors import ApiError, quoted
from serving.served import ServedModel
from serving.winprob import End, Player, Row

if TYPE_CHECKING:
    import pyarrow as pa

    from esports_assets.storage.lake import Lake, MatchRecord

_MATCH_ID = re.compile(r"[a-z0-9_.\-]+(:[a-z0-9_.\-]+)*")
_CHUNK = 2048
_ROUND = ("segment", "ct_team", "t_team", "winner_side", "end_reason", "duration_s")
_INSTANT_S = 1e-6


@dataclass(frozen=True, slots=True)
class MatchRows:
    """Window rows of a match in order, with their probabilities and where those come from."""

    record: "MatchRecord"
    rows: tuple[Row, ...]
    source: str
    ends: dict[int, End]
    players: dict[str, Player]


class MatchReader:
    """Reads one lake."""

    def __init__(self, lake_url: str) -> None:
        self._url = lake_url
        self._opened: Lake | None = None

    @property
    def _lake(self) -> "Lake":
        if self._opened is None:
            from esports_assets.storage.lake import Lake

            self._opened = Lake(self._url)
        return self._opened

    def matches(
        self, title: str | None, day: date | None, simulated: bool | None, quarantined: bool | None
    ) -> list[dict[str, Any]]:
        """Every match of the lake that fits, latest day first, then by id; those in quarantine are marked."""
        found = []
        for known in self._lake.titles():
            if title is not None and known.value != title:
                continue
            for summary in map(_summary, self._lake.matches(known, day)):
                if simulated in (None, summary["simulated"]) and quarantined in (None, summary["quarantined"]):
                    found.append(summary)
        return sorted(found, key=lambda match: (-date.fromisoformat(match["day"]).toordinal(), match["match_id"]))

    def match(self, match_id: str) -> "MatchRecord":
        """The match of this id; ApiError 404 if the lake has none."""
        if _MATCH_ID.fullmatch(match_id) and ".." not in match_id:
            for title in self._lake.titles():
                record = self._lake.find(title, match_id)
                if record is not None:
                    return record
        raise ApiError(
            404, "unknown_match", f"The lake has no match {quoted(match_id)}; GET /api/v1/matches lists them."
        )

    def rows(self, record: "MatchRecord", served: ServedModel) -> MatchRows:
        """Window rows of the match with what the model says, or said out of fold if it was trained on the match."""
        header = record.header
        if record.quarantined:
            said = f"The match {header.match_id} is in quarantine, so nothing is computed from it"
            raise ApiError(409, "quarantined", f"{said}: {record.quarantined[0]}.")
        table = self._windows(record, served)
        trained = header.match_id in served.contract.training_data.matches
        rows = self._out_of_fold(record, served, table) if trained else _asked(served, table)
        rounds = self._lake.read("rounds", header, list(_ROUND)).to_pylist()
        ends = self._ends(record, rounds)
        return MatchRows(record, rows, "out_of_fold" if trained else "model", ends, self._players(record, rounds))

    def _windows(self, record: "MatchRecord", served: ServedModel) -> "pa.Table":
        from esports_assets.storage.lake import KeyNotFound

        window = served.contract.window
        match_id = record.header.match_id
        try:
            table = self._lake.read_windows(record.header, window.split("/")[-1])
        except KeyNotFound as error:
            raise ApiError(409, "no_windows", f"The window {window} of {match_id} is not in the lake yet.") from error
        made_by = (table.schema.metadata or {}).get(b"fingerprint", b"").decode()
        expected = served.contract.window_fingerprint
        if made_by and made_by != expected:
            said = f"The window {window} of {match_id} was made with fingerprint {made_by}"
            raise ApiError(409, "stale_windows", f"{said}, the model reads {expected}; materialize it again.")
        missing = sorted(set(served.names) - set(table.column_names))
        if missing:
            said = f"The window {window} of {match_id} lacks {missing[0]}"
            raise ApiError(409, "stale_windows", f"{said}, which the model reads; materialize it again.")
        return table.sort_by([("segment", "ascending"), ("seq", "ascending")])

    def _out_of_fold(self, record: "MatchRecord", served: ServedModel, table: "pa.Table") -> tuple[Row, ...]:
        contract = served.contract
        header = record.header
        short = contract.task.split(".", 1)[1]
        stored = self._lake.read_predictions(
            header.title, short, contract.registered_name, contract.version, header.match_id
        )
        if stored is None:
            said = f"{contract.registered_name} v{contract.version} was trained on {header.match_id}"
            message = f"{said} and its out-of-fold predictions of it are not in the lake."
            raise ApiError(409, "no_out_of_fold", message)
        by_instant = {
            key: values
            for key, *values in zip(
                _instants(stored),
                stored["lo"].to_pylist(),
                stored["hi"].to_pylist(),
                stored[f"p_{contract.positive_class}"].to_pylist(),
                strict=True,
            )
        }
        known = [by_instant.get(key) for key in _instants(table)]
        keep = [i for i, values in enumerate(known) if values is not None]
        values = [value for value in known if value is not None]
        return _rows(table.take(keep), [v[2] for v in values], [v[0] for v in values], [v[1] for v in values])

    def _players(self, record: "MatchRecord", rounds: Sequence[dict[str, Any]]) -> dict[str, Player]:
        """Every player with his team and his side in every round."""
        rows = self._lake.read("players", record.header, ["player", "player_name", "team"]).to_pylist()
        found = {}
        for row in rows:
            own = {
                r["segment"]: "ct" if r["ct_team"] == row["team"] else "t" for r in rounds if row["team"] in _teams(r)
            }
            found[row["player"]] = Player(row["player_name"], row["team"], own)
        return found

    def _ends(self, record: "MatchRecord", rounds: Sequence[dict[str, Any]]) -> dict[int, End]:
        """How every decided round ended, and the event that ended it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names = ["segment", "t_s", "seq", "event_id", "event_type", "actor", "target"]
        events = self._lake.read("events", record.header, names)
        events = events.filter(pc.is_in(events["event_type"].cast("string"), pa.array(sorted(DECISIVE))))
        by_segment: dict[int, list[dict[str, Any]]] = {}
        for event in events.sort_by("seq").to_pylist():
            by_segment.setdefault(event["segment"], []).append(event)
        found = {}
        for row in rounds:
            if row["winner_side"] is not None and row["duration_s"] is not None:
                event = _deciding(row, by_segment.get(row["segment"], ()))
                found[row["segment"]] = End(row["winner_side"], row["end_reason"], row["duration_s"], event)
        return found


def _deciding(
    played: dict[str, Any], events: Sequence[dict[str, Any]]
) -> tuple[str, str, str | None, str | None] | None:
    """The last event of the kind that ended the round at the instant of its end; what comes later decided nothing."""
    kinds = DECIDED_BY.get(played["end_reason"], DECISIVE)
    at_the_end = [
        event
        for event in events
        if event["event_type"] in kinds
        and event["t_s"] is not None
        and abs(event["t_s"] - played["duration_s"]) <= _INSTANT_S
    ]
    if not at_the_end:
        return None
    last = at_the_end[-1]
    return last["event_id"], last["event_type"], last["actor"], last["target"]


def _teams(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["ct_team"], row["t_team"]


def _instants(table: "pa.Table") -> list[tuple[Any, ...]]:
    """What identifies a row of a match."""
    columns = [table[name].to_pylist() for name in ("segment", "row_kind", "event_id", "t_s")]
    return [(s, kind, event, None if event else round(t, 3)) for s, kind, event, t in zip(*columns, strict=True)]


def _asked(served: ServedModel, table: "pa.Table") -> tuple[Row, ...]:
    import pyarrow as pa

    columns = [table[name].cast(pa.float32()).to_numpy() for name in served.names]
    matrix = np.ascontiguousarray(np.column_stack(columns), dtype=np.float32)
    positive: list[float] = []
    lower: list[float | None] = []
    upper: list[float | None] = []
    for start in range(0, len(matrix), _CHUNK):
        probability, low, high = served.predict(matrix[start : start + _CHUNK])
        positive += probability[:, served.model.positive].tolist()
        lower += low if low is not None else [None] * len(probability)
        upper += high if high is not None else [None] * len(probability)
    return _rows(table, positive, lower, upper)


def _rows(
    table: "pa.Table", positive: Sequence[float], lower: Sequence[float | None], upper: Sequence[float | None]
) -> tuple[Row, ...]:
    names = ("segment", "t_s", "row_kind", "event_id", "event_type", "actor", "target")
    columns = zip(*(table[name].to_pylist() for name in names), strict=True)
    numbers = zip(positive, lower, upper, strict=True)
    return tuple(
        Row(segment, t_s, kind, p, lo, hi, event_id, event_type, actor, target)
        for (segment, t_s, kind, event_id, event_type, actor, target), (p, lo, hi) in zip(columns, numbers, strict=True)
    )


def _summary(record: "MatchRecord") -> dict[str, Any]:
    header = record.header
    return {
        "match_id": header.match_id,
        "series_id": header.series_id,
        "title": header.title.value,
        "map": header.map,
        "day": header.day.isoformat(),
        "source": header.source,
        "simulated": header.simulated,
        "rounds": record.rows.get("rounds"),
        "data_version": record.data_version,
        "quarantined": bool(record.quarantined),
        "reasons": [str(finding) for finding in record.quarantined],
    }
