"""One cycle of a registered model in play: its versions judged by their games, its challengers by their scores.

Belongs here: which comparison is due, what may change while one is played, and the report of it, over the cursor of a
transaction.
Does not belong here: the rules (``sequential.py``, ``ranking.py``), carrying a ruling out (``promote.py``), when cycles run.

Where B is the version that Production replaced, the pair is watched for a rollback, by games since the swap; any other B is a
challenger. While their race is open, B keeps its slot: only the shadows behind it change places, because another B would
begin with nothing. A report is written before the move that follows from it, so that it counts to the time before.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from esports_assets.promotion.evidence import load_accuracy, load_evidence, load_health, load_paired
from esports_assets.promotion.ranking import Ranking, ranked
from esports_assets.promotion.reports import AliasAccuracy, AliasRanking, Report, report_of, since_swap
from esports_assets.promotion.sequential import (
    DEFAULT_TERMS,
    OPEN,
    Evidence,
    Judgement,
    Ruling,
    Terms,
    judge,
    judge_rollback,
    retraining_waits,
)
from esports_assets.promotion.terms import Alias

CHALLENGERS = (Alias.B, Alias.SHADOW1, Alias.SHADOW2)


@dataclass(frozen=True, slots=True)
class InPlay:
    """The versions of one registered model: Production, and B, shadow1, shadow2 as far as there are any, in this order.

    ``replaced`` is the version that Production took the place of, and ``swapped_at`` when; None where it was the first.
    """

    registered_name: str
    production: int
    challengers: tuple[int, ...]
    replaced: int | None = None
    swapped_at: datetime | None = None

    def __post_init__(self) -> None:
        versions = (self.production, *self.challengers)
        if not 1 <= len(self.challengers) <= len(CHALLENGERS) or len(set(versions)) != len(versions):
            raise ValueError(f"{self.registered_name} needs one to three challengers, each another version: {versions}")


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a cycle came to. ``waits`` says why no version may be retrained now; None if nothing speaks against it."""

    judgement: Judgement
    ranking: Ranking
    report: Report
    waits: str | None


def judge_cycle(cursor: Any, models: InPlay, now: datetime, *, source: str, terms: Terms = DEFAULT_TERMS) -> Cycle:
    """Judge Production and B and rank the challengers; nothing is written or moved."""
    evidence, judgement = _judged(cursor, models, terms)
    ranking = _ranked(cursor, models, judgement, terms)
    since = since_swap(cursor, models.registered_name, models.production, models.challengers[0])
    report = report_of(
        *(models.registered_name, judgement, since),
        source=source,
        ranking=ranking,
        alias_rankings=tuple(_places(cursor, models, ranking)),
        alias_accuracies=tuple(_accuracies(cursor, models)),
    )
    return Cycle(judgement, ranking, report, retraining_waits(evidence, judgement, now, terms))


def _judged(cursor: Any, models: InPlay, terms: Terms) -> tuple[Evidence, Judgement]:
    name, challenger = models.registered_name, models.challengers[0]
    if challenger == models.replaced:
        since = load_evidence(cursor, name, models.production, challenger, since=models.swapped_at)
        return since, judge_rollback(since, terms)
    evidence = load_evidence(cursor, name, models.production, challenger)
    healths = [load_health(cursor, name, version) for version in (models.production, challenger)]
    return evidence, judge(evidence, terms, production_health=healths[0], challenger_health=healths[1])


def _ranked(cursor: Any, models: InPlay, judgement: Judgement, terms: Terms) -> Ranking:
    order = models.challengers
    if judgement.ruling in (Ruling.SWAP, Ruling.ROLLBACK):
        return Ranking(order, ())
    pairs = [load_paired(cursor, models.registered_name, *pair) for pair in combinations(order, 2)]
    if judgement.ruling in OPEN:
        behind = ranked(order[1:], pairs, terms)
        return Ranking((order[0], *behind.order), behind.reasons)
    return ranked(order, pairs, terms)


def _places(cursor: Any, models: InPlay, ranking: Ranking) -> list[AliasRanking]:
    found = []
    for rank, (alias, version) in enumerate(zip(CHALLENGERS, ranking.order, strict=False), 1):
        accuracy, rounds = load_accuracy(cursor, models.registered_name, version)
        before = CHALLENGERS[models.challengers.index(version)]
        found.append(
            AliasRanking(alias=alias, rank=rank, source_alias=before, accuracy=accuracy, total_predictions=rounds)
        )
    return found


def _accuracies(cursor: Any, models: InPlay) -> list[AliasAccuracy]:
    """As the aliases stand before anything moves."""
    aliases = zip((Alias.PRODUCTION, *CHALLENGERS), (models.production, *models.challengers), strict=False)
    measured = [(alias, *load_accuracy(cursor, models.registered_name, version)) for alias, version in aliases]
    return [AliasAccuracy(alias=alias, accuracy=share, total_predictions=rounds) for alias, share, rounds in measured]
