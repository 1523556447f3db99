"""Stage: versions of the next move to their aliases, and the cycle of training as a whole.

Belongs here: what the aliases of a family are to mean after a cycle, carrying it out, whether a comparison is open.
Does not belong here: rulings (``move_judging.py``), the steps of a promotion (``promotion/promote.py``).

A move of Production makes the version before it B. That would push a challenger out of its slot without anybody having judged it,
so the aliases that were not trained are put back. The family whose Production version has the lowest log loss serves the task.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from esports_assets.models.rps.configs import MoveConfig, Slot
from esports_assets.models.tasks import NEXT_MOVE
from esports_assets.promotion.cycle import CHALLENGERS, InPlay, judge_cycle
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.promote import promote
from esports_assets.promotion.registry import Registry
from esports_assets.promotion.sequential import DEFAULT_TERMS, Terms
from esports_assets.promotion.standing import Standing
from esports_assets.promotion.terms import Alias, Decision, Kind
from esports_assets.stages.judging import ClassJudged, load
from esports_assets.stages.move_games import MoveSet
from esports_assets.stages.move_judging import MoveJudgement, judge_due
from esports_assets.stages.move_training import Due, Waits, plan, train_due
from esports_assets.stages.publishing import transaction
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore

STAGGER_S = 20.0
"""Between the trainings of two aliases, in seconds: serving on the same machine keeps its breath."""


@dataclass(frozen=True)
class MoveWorld:
    """Where everything is, and who is acting."""

    lake: Lake
    objects: ObjectStore
    registry: Registry
    ledger: Ledger
    database: Engine
    source: str = "stages"
    dagster_run_id: str = ""
    asset_key: str = ""


@dataclass(frozen=True, slots=True)
class MoveCycle:
    """What was trained and judged, and the sentences of aliases that were held back."""

    judgements: tuple[MoveJudgement, ...]
    held: tuple[str, ...]


def run_cycle(
    world: MoveWorld,
    data: MoveSet,
    now: datetime,
    *,
    families: Sequence[str] = NEXT_MOVE.families,
    configurations: Mapping[str, Mapping[Slot, MoveConfig]] | None = None,
    pause_s: float = STAGGER_S,
    sleep: Callable[[float], None] = time.sleep,
) -> MoveCycle:
    """Train, judge and promote every alias that is due, one after the other with a pause in between."""
    return train_all(world, data, plan_cycle(world, data, now, families, configurations), pause_s=pause_s, sleep=sleep)


def train_all(
    world: MoveWorld,
    data: MoveSet,
    due: Sequence[Due],
    *,
    pause_s: float = STAGGER_S,
    sleep: Callable[[float], None] = time.sleep,
) -> MoveCycle:
    """The same for a plan."""
    judgements = []
    for number, one in enumerate(its for its in due if its.held is None):
        if number:
            sleep(pause_s)
        learned, _ = train_due(world.lake, data, one)
        told = judge_due(world.lake, world.registry, data, one, learned, world.dagster_run_id, world.asset_key)
        judgements.append(told)
    carry_out(world, judgements)
    return MoveCycle(tuple(judgements), tuple(its.held for its in due if its.held is not None))


def plan_cycle(
    world: MoveWorld,
    data: MoveSet,
    now: datetime,
    families: Sequence[str] = NEXT_MOVE.families,
    configurations: Mapping[str, Mapping[Slot, MoveConfig]] | None = None,
) -> list[Due]:
    """Every alias, as the ledger and open comparisons let it be trained now."""
    standing = world.ledger.standing(NEXT_MOVE.name)
    waits = waits_of(world.database, standing, now)
    return plan(world.lake, world.registry, standing, data, now, waits, families, configurations)


def waits_of(database: Engine, standing: Standing, now: datetime, terms: Terms = DEFAULT_TERMS) -> Waits:
    """Whether a family's training waits because its versions are compared."""

    def waits(registered_name: str) -> str | None:
        models = in_play(standing, registered_name)
        if models is None:
            return None
        with transaction(database) as cursor:
            return judge_cycle(cursor, models, now, source="training", terms=terms).waits

    return waits


def in_play(standing: Standing, registered_name: str) -> InPlay | None:
    """The versions of a family that are compared; None without a Production or a B version."""
    slots = standing.aliases.get(registered_name, {})
    if Alias.PRODUCTION not in slots or Alias.B not in slots:
        return None
    moved = standing.moves[registered_name, Alias.PRODUCTION]
    challengers = tuple(slots[alias] for alias in CHALLENGERS if alias in slots)
    return InPlay(registered_name, slots[Alias.PRODUCTION], challengers, moved.from_version, moved.created_at)


def carry_out(world: MoveWorld, judgements: Sequence[MoveJudgement]) -> None:
    """Bring the aliases of every family to what was ruled; called again with the same rulings it changes nothing."""
    for family in dict.fromkeys(told.due.family for told in judgements):
        _settle(world, NEXT_MOVE.registered_name(family), [t for t in judgements if t.due.family == family])
    if judgements:
        _crown(world)


def _settle(world: MoveWorld, name: str, judgements: Sequence[MoveJudgement]) -> None:
    before = dict(world.ledger.standing(NEXT_MOVE.name).aliases.get(name, {}))
    ruled = {told.decision.alias: told for told in judgements}
    moving = {alias: told for alias, told in ruled.items() if told.decision.kind is Kind.PROMOTE}
    if Alias.PRODUCTION not in before and Alias.PRODUCTION not in moving:
        moving = {}
    for alias in Alias:
        if alias in moving:
            _promote(world, name, moving[alias].judged.version, moving[alias].decision)
        elif alias in ruled and ruled[alias].decision.kind is not Kind.PROMOTE:
            _promote(world, name, ruled[alias].judged.version, ruled[alias].decision)
    for alias, version in before.items():
        now = world.ledger.standing(NEXT_MOVE.name).aliases.get(name, {})
        if alias not in moving and now.get(alias) != version:
            reason = f"v{version} stays {alias.value}, which the move of another alias had taken from it."
            _promote(world, name, version, Decision(Kind.PROMOTE, alias, (reason,), {"restores": alias.value}))


def _crown(world: MoveWorld) -> None:
    """Let the family with the best Production version serve the task."""
    standing = world.ledger.standing(NEXT_MOVE.name)
    found: list[tuple[float, ClassJudged]] = []
    for name, slots in standing.aliases.items():
        if Alias.PRODUCTION in slots:
            tags = world.registry.version(name, slots[Alias.PRODUCTION]).tags
            judged = load(world.lake, name, tags.get("candidate_id", ""))
            if isinstance(judged, ClassJudged):
                found.append((judged.evaluation.cross_validation.metrics["log_loss"].value, judged))
    if not found:
        return
    loss, best = min(found, key=lambda its: its[0])
    current = standing.current
    if current is not None and (current.registered_name, current.to_version) != (best.registered_name, best.version):
        reason = f"{best.registered_name} v{best.version} has the lowest log loss of all families, {loss:.4f}."
        decision = Decision(Kind.PROMOTE, Alias.PRODUCTION, (reason,), {"crowns": best.registered_name})
        _promote(world, best.registered_name, best.version, decision)


def _promote(world: MoveWorld, name: str, version: int, decision: Decision) -> None:
    promote(
        *(NEXT_MOVE.name, name, version, decision),
        registry=world.registry,
        ledger=world.ledger,
        objects=world.objects,
        actor="training cycle",
        source=world.source,
        dagster_run_id=world.dagster_run_id or None,
    )
