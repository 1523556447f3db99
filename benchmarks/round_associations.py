"""What of rounds goes with winning them on real matches, and how much of it repeats on the other half of the matches.

    python benchmarks/round_associations.py [--bundles FOLDER] [--export FILE]

Data: all matches below ``cs2_demos`` of ESPORTS_REAL_DATA (default ``../shared/data``). Statements of intent come from rules, or
from the promoted version in an object store (``--bundles``; of matches that it learned from its own statements are read here,
where the graph reads those out of fold). Every quantity of ``round_features`` is analysed with every outcome as one family; then
matches are split at random many times: what is found in one half (Benjamini-Hochberg, 5 %) is looked for in the other, where it
repeats if it has the same direction and a p-value of at most 5 % of its own.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.analytics.association import STANDARD, Plan, analyse
from esports_assets.analytics.association_results import Association
from esports_assets.analytics.rounds import dataset_of, export_parquet, round_features
from esports_assets.analytics.rounds_actions import actions_of_signals
from esports_assets.analytics.rounds_columns import OUTCOMES, Known, quantity
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import Intent, Title
from esports_assets.ingest import walk
from esports_assets.models.tasks import INTENT
from esports_assets.signals.debounce import Debounce
from esports_assets.signals.motion import Instants, of_table, statements
from esports_assets.signals.speaker import Floats, Speaker, rules_speaker
from esports_assets.stages.micro_actions import promoted_voice
from esports_assets.stages.publishing import outcomes_of
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.sites import SiteBook, plants_of
from esports_assets.windows.view import Sites

SPLITS = 20
STRONGEST = 10
Ask = Callable[[Instants], Floats | None]


def main() -> int:
    """Print the report; 0 also where the data is absent."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--bundles", type=Path)
    asked.add_argument("--export", type=Path)
    given = asked.parse_args()
    root = Path(os.environ.get("ESPORTS_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not (root / "cs2_demos").is_dir():
        print("The real matches are absent (cs2_demos below ESPORTS_REAL_DATA): nothing was measured.")
        return 0
    table = _table(root / "cs2_demos", given.bundles)
    if given.export:
        print(f"dataset {export_parquet(table, given.export)} in {given.export}")
    began = time.process_time()
    found = analyse(table, STANDARD)
    print(f"{len(found)} tests as one family in {time.process_time() - began:.1f} s of the processor")
    _report(found)
    _repeat(table, STANDARD)
    return 0


def _table(folder: Path, bundles: Path | None) -> pa.Table:
    matches = [m for path in walk([folder]) for m in read_file(SourceFile.open(path)).matches]
    matches = [match for match in matches if match.header.title is Title.CS2]
    book = SiteBook.learn([plant for match in matches for plant in plants_of(match.events)])
    speaker, ask = _speaker(bundles)
    tables, spent = [], 0.0
    for match in matches:
        said = actions_of_signals(
            _said(match, book.sites(match.header.map, without=match.header.match_id), speaker, ask)
        )
        began = time.process_time()
        features = round_features(match, outcomes_of(match.rounds.to_pylist()), said)
        spent += time.process_time() - began
        for finding in features.findings:
            print(finding)
        tables.append(features.table)
    table, dataset = dataset_of(tables)
    print(
        f"{len(matches)} matches, {table.num_rows} rows of rounds and teams, dataset {dataset}; intents by {speaker.version}"
    )
    print(f"features: {1e3 * spent / len(matches):.0f} ms of the processor a match")
    return table


def _speaker(bundles: Path | None) -> tuple[Speaker, Ask]:
    if bundles is None:
        return rules_speaker([intent.value for intent in Intent]), lambda _: None
    voice = promoted_voice(ObjectStore(bundles), INTENT)
    if voice.model is None:
        raise SystemExit(f"{bundles} holds no promoted version of {INTENT.name}")
    return voice.speaker, lambda rows: voice.model.predict(rows.x)[0]


def _said(match: CanonicalMatch, sites: Sites, speaker: Speaker, ask: Ask) -> Iterator:
    debounce = Debounce()
    for rows in of_table(player_micro_table(match, sites)):
        yield from statements(rows, ask(rows), speaker, debounce, None)


def _report(found: Sequence[Association]) -> None:
    told = [one for one in found if one.estimate is not None]
    print(
        f"{len(told)} measured, {sum(one.significant for one in told)} discoveries at 5 % (BH), "
        f"{sum((one.p_by or 0.0) <= 0.05 for one in told)} (BY), {sum(one.significant and one.stable for one in told)} also stable"
    )
    for title, ranks in (("known before or at the first contact", True), ("known with the outcome", False)):
        for outcome in OUTCOMES:
            own = [
                one
                for one in told
                if one.outcome == outcome.name
                and one.metric == "spearman"
                and (quantity(one.feature).known < Known.DURING) == ranks
            ]
            print(f"\n{outcome.name}, {title}: Spearman's rho [95 % interval by match]")
            for one in sorted(own, key=lambda one: -abs(one.estimate or 0.0))[:STRONGEST]:
                print(f"  {one.feature:24s}{one.estimate:+.3f} [{one.lo:+.3f}, {one.hi:+.3f}]  {_trust(one)}")


def _trust(one: Association) -> str:
    stable = f"repeats in {one.stability:.0%} of splits"
    return f"BH {one.p_bh:.2g}, BY {one.p_by:.2g}, {stable}, {one.n} rounds as {one.layout}"


def _repeat(table: pa.Table, plan: Plan) -> None:
    """What is found in one half of the matches and looked for in the other."""
    ids = np.array(sorted(set(table["match_id"].to_pylist())))
    words = table["match_id"].cast(pa.string())
    random, strongest = np.random.default_rng(11), []
    shares: dict[str, list[tuple[float, float, float]]] = {"discoveries": [], "stable discoveries": []}
    for _ in range(SPLITS):
        first = random.permutation(ids)[: len(ids) // 2].tolist()
        inside = pc.is_in(words, pa.array(first))
        here, there = (analyse(table.filter(mask), plan) for mask in (inside, pc.invert(inside)))
        pairs = [(a, b) for a, b in zip(here, there, strict=True) if a.significant]
        for name, own in (("discoveries", pairs), ("stable discoveries", [pair for pair in pairs if pair[0].stable])):
            same = np.mean([a.direction == b.direction for a, b in own])
            shares[name].append((len(own), same, np.mean([_repeats(a, b) for a, b in own])))
        rhos = [(a, b) for a, b in pairs if a.metric == "spearman" and a.outcome == "round_win"]
        rhos.sort(key=lambda pair: -abs(pair[0].estimate or 0.0))
        strongest.append(sum(_repeats(a, b) for a, b in rhos[:STRONGEST]))
    print(f"\n{SPLITS} random halves of the matches, looked for in the other half:")
    for name, found in shares.items():
        number, same, again = np.array(found).T
        print(
            f"  {name}: {number.mean():.0f} in a half; {same.mean():.1%} have the same direction (worst split {same.min():.1%}), "
            f"{again.mean():.1%} repeat (worst split {again.min():.1%})"
        )
    print(f"  {STRONGEST} strongest rhos with round_win: {np.mean(strongest):.1f} repeat (fewest {min(strongest)})")


def _repeats(one: Association, other: Association) -> bool:
    return one.direction == other.direction and other.p is not None and other.p <= 0.05


if __name__ == "__main__":
    sys.exit(main())
