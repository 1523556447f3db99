"""What momentum signals are worth on real matches: rate per map, false alarms, base rates, the quantiles that rules rest on.

    python benchmarks/signals.py

Data: all matches below ``cs2_demos`` of ESPORTS_REAL_DATA (default ``../shared/data``). Chances are out of fold: every match is
judged by a model that never saw it, learned as the promoted one is (with the lent prior where ``csgo_round_snapshots`` is there).
Matches run through the online window and the rules of ``esports_assets.signals``; intervals resample matches. False alarms:

MOMENTUM_SHIFT  the chance fell back to where it came from before the round was won (so also: the round was lost)
STAR_PLAYER     the player's net over the next five rounds was not above 0
ECONOMY_CRASH   the team won the round; told beside it: it bought in full after all
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.signal import AgentSignal, SignalType
from esports_assets.canonical.vocabulary import Side, Title
from esports_assets.ingest import walk
from esports_assets.models.calibrate import fit_calibration
from esports_assets.models.families.base import sigmoid
from esports_assets.models.families.registry import family_for
from esports_assets.models.families.trees import Trees
from esports_assets.models.interval import band, measure_widening
from esports_assets.models.metrics import draws
from esports_assets.models.rows import rows_of
from esports_assets.models.tasks import ROUND_WIN
from esports_assets.models.train import TrainSettings, out_of_fold
from esports_assets.signals.economy import full_buy
from esports_assets.signals.momentum import Chances, Memory, of_end, of_rows
from esports_assets.signals.shift import WITHIN_S
from esports_assets.signals.star import ROUNDS
from esports_assets.signals.voice import Voice
from esports_assets.stages.prior import learn_prior
from esports_assets.stages.snapshots import read_snapshots
from esports_assets.storage.lake import Lake
from esports_assets.windows.batch import match_windows
from esports_assets.windows.micro.parity import messages_of
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.sites import SiteBook, plants_of
from esports_assets.windows.state.online import OnlineRounds
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.streamed.message import time_of
from esports_assets.windows.view import Sites

VOICE = Voice({"model_name": "out of fold", "model_version": "0"}, "out of fold", ROUND_STATE.fingerprint)
SNAPSHOTS = Path("csgo_round_snapshots") / "csgo_round_snapshots.csv.xz"


@dataclass
class Heard:
    """One match: what was said, and what it is judged by."""

    signals: list[AgentSignal] = field(default_factory=list)
    rows: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """By round the last row of every instant: time and chance of CT."""
    ends: dict[int, RoundOver] = field(default_factory=dict)
    nets: list[np.ndarray] = field(default_factory=list)
    """Of every decided round, by player."""
    buys: dict[tuple[int, str], tuple[float, bool]] = field(default_factory=dict)
    """By round and team: equipment over the cost of a full buy, and whether the team won."""
    players: tuple[str, ...] = ()


def main() -> int:
    """Print the figures; 0 also where the data is absent."""
    root = Path(os.environ.get("ESPORTS_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not (root / "cs2_demos").is_dir():
        print("The real matches are absent (cs2_demos below ESPORTS_REAL_DATA): nothing was measured.")
        return 0
    matches = [m for path in walk([root / "cs2_demos"]) for m in read_file(SourceFile.open(path)).matches]
    matches = [match for match in matches if match.header.title is Title.CS2]
    book = SiteBook.learn([plant for match in matches for plant in plants_of(match.events)])
    sites = [book.sites(match.header.map, without=match.header.match_id) for match in matches]
    chances = _out_of_fold(matches, sites, root / SNAPSHOTS)
    heard = [_heard(match, own, chances[match.header.match_id]) for match, own in zip(matches, sites, strict=True)]
    rounds = sum(len(one.nets) for one in heard)
    print(f"{len(heard)} matches, {rounds} rounds, out of fold. Value [95 % interval over matches].")
    _shifts(heard)
    _stars(heard)
    _crashes(heard)
    return 0


def _out_of_fold(matches: Sequence[CanonicalMatch], sites: Sequence[Sites], snapshots: Path) -> dict[str, np.ndarray]:
    """By match the chance of CT with its bounds [3, rows], as the evaluation of the promoted model computes them."""
    tables = [match_windows(match, own) for match, own in zip(matches, sites, strict=True)]
    days = {match.header.match_id: match.header.day.isoformat() for match in matches}
    rows = rows_of(tables, ROUND_WIN, ROUND_STATE, days)
    family = family_for(ROUND_WIN, "multinomial_logistic", rows, _lender(snapshots))
    oof = out_of_fold(family, rows, TrainSettings())
    judged, y = oof.take(rows.seconds), rows.y[rows.seconds]
    maps = judged.calibrations(y)
    everything = fit_calibration(judged.z, y, judged.folds)
    widen = measure_widening(y, judged.z, judged.replicates, everything, judged.folds).widen
    found = np.empty((3, len(rows)))
    for mask, calibration in zip(oof.folds, maps, strict=True):
        found[0, mask] = sigmoid(calibration(oof.z[mask]))
        found[1:, mask] = band(oof.z[mask], oof.replicates[mask], widen, calibration)
    return {name: found[:, rows.match == i] for i, name in enumerate(rows.match_ids)}


def _lender(snapshots: Path) -> Trees | None:
    if not snapshots.is_file():
        return None
    with tempfile.TemporaryDirectory() as folder:
        return learn_prior(Lake(folder), ROUND_WIN, read_snapshots(snapshots)).trees


def _heard(match: CanonicalMatch, sites: Sites, chances: np.ndarray) -> Heard:
    online, memory, heard = OnlineRounds(lambda _: sites), Memory(), Heard()
    messages = sorted(messages_of(match), key=lambda message: time_of(message)[2])
    for part in (*online.feed(messages).told, *online.finish(match.header.match_id).told):
        heard.players = part.lineup.players
        if isinstance(part, RoundOver):
            heard.signals += of_end(memory, part, VOICE)
            heard.ends[part.segment] = part
            heard.nets.append(memory.form.rounds[-1].net)
            continue
        p, lo, hi = chances[:, part.seq : part.seq + len(part)]
        heard.signals += of_rows(memory, part, Chances(p, lo, hi, VOICE))
        _note(heard, part, p)
    for side in Side:
        for segment, end in heard.ends.items():
            team = end.facts.ct_team if side is Side.CT else end.facts.t_team
            worth = end.facts.equipment(side) / (full_buy(side) * (end.facts.ct == (side is Side.CT)).sum())
            heard.buys[segment, team] = (worth, end.winner is side)
    return heard


def _note(heard: Heard, rows: StateRows, p: np.ndarray) -> None:
    last = np.r_[rows.t[1:] != rows.t[:-1], True]
    own = heard.rows.setdefault(rows.segment, [])
    own += zip(rows.t[last].tolist(), p[last].tolist(), strict=True)


def _shifts(heard: Sequence[Heard]) -> None:
    changes, cases = [], []
    for number, one in enumerate(heard):
        for own in one.rows.values():
            t, p = np.array(own).T
            j = np.searchsorted(t, t - WITHIN_S)
            changes.append(np.abs(p - p[j])[t >= WITHIN_S])
        for signal in _of(one, SignalType.MOMENTUM_SHIFT):
            end = one.ends[signal.segment]
            ct = signal.team == end.facts.ct_team
            t, p = np.array(one.rows[signal.segment]).T
            chance = (p if ct else 1.0 - p)[t > (signal.t or 0.0)]
            won = end.winner is (Side.CT if ct else Side.T)
            held = won and not bool((chance <= signal.features["p_before"]).any())
            cases.append(
                (number, won, held, signal.confidence, signal.features["p_before"], signal.features["p_after"])
            )
    told = np.array(cases, dtype=np.float64)
    print(f"\nMOMENTUM_SHIFT  {_rate(told, heard)}")
    quantiles = np.quantile(np.concatenate(changes), (0.9, 0.95, 0.98))
    print(f"  change of chances within {WITHIN_S:g} s, 90, 95 and 98 % quantile: {_numbers(quantiles)}")
    print(f"  false alarms (fell back to where it came from): {_share(told, 1.0 - told[:, 2], heard)}")
    print(f"  held: {_share(told, told[:, 2], heard)}, promised by confidence: {told[:, 3].mean():.3f}")
    print(f"  won the round: {_share(told, told[:, 1], heard)}; the chance said {told[:, 5].mean():.3f}")
    print(f"  base rate, the same teams' chance before: {told[:, 4].mean():.3f}")
    for low, high in ((0.0, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 1.01)):
        some = told[(told[:, 3] >= low) & (told[:, 3] < high)]
        if len(some):
            promised, held = some[:, 3].mean(), some[:, 2].mean()
            print(
                f"  confidence {low:.1f} to {high:.1f}: {len(some):4d} told, {promised:.3f} promised, {held:.3f} held"
            )


def _stars(heard: Sequence[Heard]) -> None:
    tables = [np.stack(one.nets, axis=1) for one in heard]
    print(f"\nSTAR_PLAYER  {_rate(_numbered(heard, SignalType.STAR_PLAYER), heard)}")
    for span in range(1, ROUNDS + 1):
        sums = [np.convolve(row, np.ones(span), "valid") for table in tables for row in table]
        quantiles = np.quantile(np.concatenate(sums), (0.9, 0.99))
        print(f"  net over {span} rounds, 90 and 99 % quantile: {_numbers(quantiles)}")
    cases, base = [], []
    for number, (one, table) in enumerate(zip(heard, tables, strict=True)):
        at = {segment: k for k, segment in enumerate(one.ends)}
        for signal in _of(one, SignalType.STAR_PLAYER):
            later = table[one.players.index(signal.player_id or ""), at[signal.segment] + 1 :][:ROUNDS]
            if len(later):
                cases.append((number, later.sum() > 0, signal.confidence))
        base += [(number, row[k + 1 : k + 1 + ROUNDS].sum() > 0) for row in table for k in range(len(row) - 1)]
    told, all_of_them = np.array(cases, dtype=np.float64), np.array(base, dtype=np.float64)
    print(f"  false alarms (net of the next five rounds not above 0): {_share(told, 1.0 - told[:, 1], heard)}")
    print(f"  base rate, any player after any round: {_share(all_of_them, 1.0 - all_of_them[:, 1], heard)}")
    print(f"  mean confidence (leads all players when the rounds are drawn again): {told[:, 2].mean():.3f}")


def _crashes(heard: Sequence[Heard]) -> None:
    cases, base = [], []
    for number, one in enumerate(heard):
        crashed = {(signal.segment, signal.team) for signal in _of(one, SignalType.ECONOMY_CRASH)}
        cases += [(number, *one.buys[segment, team or ""]) for segment, team in crashed]
        base += [(number, won) for key, (worth, won) in one.buys.items() if key not in crashed and worth >= 1.0]
    told, full = np.array(cases, dtype=np.float64), np.array(base, dtype=np.float64)
    print(f"\nECONOMY_CRASH  {_rate(told, heard)}")
    print(f"  false alarms (won the round): {_share(told, told[:, 2], heard)}")
    print(f"  bought in full after all: {_share(told, told[:, 1] >= 1.0, heard)}")
    print(f"  base rate, teams that bought in full won: {_share(full, full[:, 1], heard)}")


def _of(heard: Heard, kind: SignalType) -> Iterable[AgentSignal]:
    return (signal for signal in heard.signals if signal.type is kind)


def _numbered(heard: Sequence[Heard], kind: SignalType) -> np.ndarray:
    return np.array([(number,) for number, one in enumerate(heard) for _ in _of(one, kind)], dtype=np.float64)


def _rate(told: np.ndarray, heard: Sequence[Heard]) -> str:
    return f"{len(told)} told, {_share(told, np.ones(len(told)), heard, per_match=True)} per map"


def _share(told: np.ndarray, hit: Any, heard: Sequence[Heard], *, per_match: bool = False) -> str:
    """A share of the cases (or their number per match) with its interval: matches drawn again, cases with them."""
    number = told[:, 0].astype(int)
    hits = np.bincount(number, weights=np.asarray(hit, dtype=np.float64), minlength=len(heard))
    of = np.ones(len(heard)) if per_match else np.bincount(number, minlength=len(heard)).astype(np.float64)
    drawn = draws(len(heard), 1000, 7)
    low, high = np.quantile((drawn @ hits) / (drawn @ of), (0.025, 0.975))
    value = hits.sum() / of.sum()
    return f"{value:.1f} [{low:.1f}, {high:.1f}]" if per_match else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    sys.exit(main())
