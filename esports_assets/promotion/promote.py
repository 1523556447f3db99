"""One promotion or rollback from decision to served: ledger, registry aliases, markers and champion kept in agreement.

Belongs here: the order of the steps, what makes them repeatable, and bringing the world back to what the ledger says.
Does not belong here: the decision (``policy.py``), what entries amount to (``standing.py``), how each store is written.

The order: 1. the bundle lies whole in the object store (harmless while nothing points at it); 2. the ledger's entry and
the champion's row, in one transaction: **the commit point**; 3. registry aliases; 4. alias markers; 5. the champion
marker, which serving follows. A crash before 2 leaves nothing decided. After 2 the rest follows from the ledger alone,
so a re-run of the same call or ``reconcile`` completes it, whoever crashed where. Steps 3 to 5 run under the task's
turn at the ledger and read it anew, so two promotions at once end as the later entry says. An alias that was moved by
hand in MLflow is moved back: what the ledger does not know has not happened.

The version that Production is taken from becomes B.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from esports_assets.models.bundle import MANIFEST, BundleError, Objects, bundle_prefix, check_task, read_bundle
from esports_assets.promotion import mirror
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry, RegistryError
from esports_assets.promotion.standing import ROLLBACK, Event, LedgerEntry, Standing
from esports_assets.promotion.terms import Alias, Decision, Kind

After = Callable[[str], None]
"""Called after each step with its name: ``bundle``, ``ledger``, ``registry``, ``markers``, ``champion``."""


class PromotionError(RuntimeError):
    """A promotion or rollback that may not happen, in one sentence."""


@dataclass(slots=True)
class Reconciliation:
    """What was brought back into agreement with the ledger, and what could not be."""

    repaired: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def _go_on(step: str) -> None:
    """Nothing happens between the steps."""


def promote(
    task: str,
    registered_name: str,
    version: int,
    decision: Decision,
    *,
    registry: Registry,
    ledger: Ledger,
    objects: Objects,
    actor: str,
    source: str,
    dagster_run_id: str | None = None,
    after: After = _go_on,
) -> LedgerEntry:
    """Record a decision about a version and, if it is to promote, carry it out; returns the ledger's entry.

    Called again with the same decision, it completes what is missing and returns the same entry. A decision that was
    made against another incumbent than the one in production by now is refused.
    """
    _of_task(task, registered_name)
    run_id = registry.version(registered_name, version).run_id
    moving = decision.kind is Kind.PROMOTE
    if moving:
        _bring_bundle(objects, registry, registered_name, version)
        after("bundle")
    with ledger.turn(task) as turn:
        now = turn.standing()
        entry = now.settled(registered_name, decision.alias, version) if moving else None
        if entry is None:
            if moving:
                _refuse_stale(registered_name, version, decision, now)
            event = Event(
                task=task,
                registered_name=registered_name,
                decision=decision.kind.value,
                alias=decision.alias,
                from_version=now.version(registered_name, decision.alias),
                to_version=version,
                reason=" ".join(decision.reasons),
                source=source,
                actor=actor,
                evidence={**decision.evidence, "reasons": list(decision.reasons), "replaced": _named(now.current)},
                dagster_run_id=dagster_run_id,
                mlflow_run_id=run_id,
            )
            entry = turn.append(event, _request_key(registered_name, version, decision, now))
    if moving:
        after("ledger")
        settle(task, registry=registry, ledger=ledger, objects=objects, after=after)
    return entry


def rollback(
    task: str,
    *,
    reason: str,
    registry: Registry,
    ledger: Ledger,
    objects: Objects,
    actor: str,
    source: str,
    undoes: int | None = None,
    dagster_run_id: str | None = None,
    after: After = _go_on,
) -> LedgerEntry:
    """Undo the last promotion that stands: the version in production before it serves again; returns the entry.

    ``undoes`` is the id of the entry to undo (the current one, if not given): with it the call can be repeated without
    going back twice. PromotionError where there is nothing to go back to.
    """
    check_task(task)
    if not reason.strip():
        raise PromotionError(f"A rollback of {task} needs a reason.")
    with ledger.turn(task) as turn:
        now = turn.standing()
        if now.current is None:
            raise PromotionError(f"{task} has no version in production, so there is nothing to roll back.")
        undone = now.current.id if undoes is None else undoes
        key = f"{ROLLBACK} of {undone}"
        entry = turn.find(key)
        if entry is None:
            if undone != now.current.id:
                raise PromotionError(f"Entry {undone} of {task} is not the current one: {now.current.id} is.")
            target = now.previous
            if target is None:
                raise PromotionError(
                    f"{now.current.label} is the first version of {task} that was in production, "
                    "so there is none to go back to."
                )
            _bring_bundle(objects, registry, target.registered_name, target.to_version)
            after("bundle")
            event = Event(
                task=task,
                registered_name=target.registered_name,
                decision=ROLLBACK,
                alias=Alias.PRODUCTION,
                from_version=now.version(target.registered_name, Alias.PRODUCTION),
                to_version=target.to_version,
                reason=reason.strip(),
                source=source,
                actor=actor,
                evidence={"undoes": undone, "replaced": _named(now.current)},
                dagster_run_id=dagster_run_id,
                mlflow_run_id=target.mlflow_run_id,
            )
            entry = turn.append(event, key)
    after("ledger")
    settle(task, registry=registry, ledger=ledger, objects=objects, after=after)
    return entry


def reconcile(*, registry: Registry, ledger: Ledger, objects: Objects) -> Reconciliation:
    """Make aliases, bundles, markers and champions of every task agree with the ledger; changes nothing if they do."""
    total = Reconciliation()
    for task in ledger.tasks():
        found = settle(task, registry=registry, ledger=ledger, objects=objects)
        total.repaired += found.repaired
        total.broken += found.broken
    return total


def settle(task: str, *, registry: Registry, ledger: Ledger, objects: Objects, after: After = _go_on) -> Reconciliation:
    """``reconcile`` for one task. An alias whose bundle cannot be had keeps the marker that it had."""
    found = Reconciliation()
    with ledger.turn(task) as turn:
        now = turn.standing()
        if now.current is None:
            return found
        for name, slots in now.aliases.items():
            _settle_registry(registry, name, slots, found)
        after("registry")
        for name, slots in now.aliases.items():
            _settle_markers(objects, registry, name, slots, found)
        after("markers")
        champion = now.current.registered_name
        if turn.crown(now.current):
            found.repaired.append(f"The champion table of {task} names {champion} again.")
        if _champion_marker(objects, task) != champion:
            mirror.write_champion(objects, task, champion)
            found.repaired.append(f"The champion marker of {task} names {champion}.")
        after("champion")
    return found


def _settle_registry(registry: Registry, name: str, slots: Mapping[Alias, int], found: Reconciliation) -> None:
    held = registry.aliases(name)
    for alias in Alias:
        if held.get(alias) == slots.get(alias):
            continue
        try:
            registry.set_alias(name, alias, slots.get(alias))
        except RegistryError as error:
            found.broken.append(str(error))
        else:
            found.repaired.append(f"The registry's {name}@{alias.value} means {_words(slots.get(alias))}.")


def _settle_markers(
    objects: Objects, registry: Registry, name: str, slots: Mapping[Alias, int], found: Reconciliation
) -> None:
    for alias in Alias:
        version = slots.get(alias)
        if version is None:
            if mirror.clear_alias(objects, name, alias.value):
                found.repaired.append(f"The marker of {name}@{alias.value} is withdrawn.")
            continue
        try:
            if _bring_bundle(objects, registry, name, version):
                found.repaired.append(f"The bundle of {name} v{version} is in the object store again.")
        except PromotionError as error:
            found.broken.append(str(error))
            continue
        if _alias_marker(objects, name, alias) != str(version):
            mirror.write_alias(objects, name, alias.value, str(version))
            found.repaired.append(f"The marker of {name}@{alias.value} means {_words(version)}.")


def _bring_bundle(objects: Objects, registry: Registry, name: str, version: int) -> bool:
    """See to it that the bundle lies whole in the object store, from the registry if need be; whether it was needed."""
    try:
        read_bundle(objects, name, str(version))
    except BundleError:
        pass
    else:
        return False
    try:
        files = registry.bundle_of(name, version)
        prefix = bundle_prefix(name, str(version))
        for path in sorted(files, key=lambda path: path == MANIFEST):
            objects.put(prefix + path, files[path])
        read_bundle(objects, name, str(version))
    except (RegistryError, BundleError) as error:
        raise PromotionError(f"{name} v{version} cannot be served: {error}") from error
    return True


def _alias_marker(objects: Objects, name: str, alias: Alias) -> str | None:
    """The marker's version; a marker that does not read counts as none, and is written anew."""
    try:
        return mirror.read_alias(objects, name, alias.value)
    except mirror.MarkerError:
        return None


def _champion_marker(objects: Objects, task: str) -> str | None:
    try:
        return mirror.read_champion(objects, task)
    except mirror.MarkerError:
        return None


def _refuse_stale(registered_name: str, version: int, decision: Decision, now: Standing) -> None:
    """Refuse a decision against an incumbent that is not in production any more. One by hand names no incumbent."""
    if decision.alias is not Alias.PRODUCTION or "incumbent" not in decision.evidence:
        return
    judged = decision.evidence["incumbent"]
    against = None if judged is None else {key: judged[key] for key in ("registered_name", "version")}
    if against != _named(now.current):
        raise PromotionError(
            f"{registered_name} v{version} was judged against {_label(against)}, "
            f"but {_label(_named(now.current))} is in production by now: evaluate it again."
        )


def _request_key(registered_name: str, version: int, decision: Decision, now: Standing) -> str:
    """The same decision on the same numbers about the same version in the same situation is one request."""
    grounds = sha256(json.dumps([decision.reasons, dict(decision.evidence)], sort_keys=True).encode()).hexdigest()
    since = now.current.id if now.current else 0
    return f"{decision.kind.value} {registered_name} v{version} {decision.alias.value} after {since} on {grounds[:16]}"


def _of_task(task: str, registered_name: str) -> None:
    if not registered_name.startswith(f"{check_task(task)}."):
        raise PromotionError(f"{registered_name} is not a model of the task {task}.")


def _named(entry: LedgerEntry | None) -> dict[str, Any] | None:
    return None if entry is None else {"registered_name": entry.registered_name, "version": entry.to_version}


def _label(named: Mapping[str, Any] | None) -> str:
    return "nothing" if named is None else f"{named['registered_name']} v{named['version']}"


def _words(version: int | None) -> str:
    return "nothing" if version is None else f"v{version}"
