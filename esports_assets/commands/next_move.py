"""``esports evaluate rps.next_move``: families of the next move on people they have never seen.

Belongs here: files to games, and the report as a table or JSON.
Does not belong here: the protocol (``models/rps/people.py``), scoring promoted models of other tasks (``scoring.py``).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from esports_assets.adapters.base import Refusal, SourceFile
from esports_assets.adapters.rps.human import HumanGame, read_human
from esports_assets.commands.console import print_json, print_table, say
from esports_assets.ingest import walk
from esports_assets.models.rps.people import evaluate_people, measured
from esports_assets.models.rps.people_rows import PeopleRows, people_rows
from esports_assets.models.tasks import NEXT_MOVE
from esports_assets.scoring import NothingToScore, promoted
from esports_assets.settings import Settings
from esports_assets.storage.objects import ObjectStore


def tell_people(paths: Sequence[Path], settings: Settings, as_json: bool) -> None:
    """Evaluate and print; NothingToScore where the files hold no game of people."""
    games, refusals = read_people(paths)
    if not games:
        raise NothingToScore(f"{NEXT_MOVE.name}: no game of people in these files")
    rows = people_rows(games)
    result = evaluate_people(rows)
    result["promoted"] = score_promoted(rows, settings)
    result["refusals"] = [str(refusal) for refusal in refusals]
    if as_json:
        print_json(result)
        return
    say(
        f"{result['task']}: {result['rows']} rounds of {result['people']} people in {result['games']} games, "
        "each judged by models of other people"
    )
    lines = [("chosen", result["metrics"]), *((n, f["metrics"]) for n, f in result["families"].items())]
    lines += [(name, found["metrics"]) for name, found in result["baselines"].items()]
    table = [{"model": name, **{k: _cell(v) for k, v in metrics.items()}} for name, metrics in lines]
    print_table("Next move, with intervals clustered by people", table, as_json=False)


def read_people(paths: Sequence[Path]) -> tuple[list[HumanGame], list[Refusal]]:
    """The games of people in the files (folders are walked) and the rows that were refused."""
    games: list[HumanGame] = []
    refusals: list[Refusal] = []
    for path in walk(paths):
        reading = read_human(SourceFile.open(path))
        games += reading.games
        refusals += reading.refusals
    return games, refusals


def score_promoted(people: PeopleRows, settings: Settings) -> dict[str, Any] | None:
    """What the promoted version says of the same rounds, as it is; None where nothing is promoted."""
    try:
        model, version = promoted(NEXT_MOVE, ObjectStore(settings.bundles_url))
    except NothingToScore:
        return None
    rows = people.by_window[model.contract.window]
    probability, _ = model.predict(np.ascontiguousarray(rows.x))
    name = model.contract.registered_name
    return {"model": name, "version": version, "metrics": measured(rows.y, probability.astype(np.float64), rows.match)}


def _cell(metric: dict[str, float | None]) -> str:
    lo, hi = metric["lo"], metric["hi"]
    return f"{metric['value']:.4f}" if lo is None or hi is None else f"{metric['value']:.4f} [{lo:.4f}, {hi:.4f}]"
