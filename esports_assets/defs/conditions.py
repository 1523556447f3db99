"""Automation conditions that more than one asset has, or that need more than a line.

Belongs here: when an asset is requested by itself.
Does not belong here: the sensor that evaluates them (``automation.py``), finding new source files (``sensors.py``).
"""

import dagster as dg

FOLLOWS = (dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()).with_label(
    "follows_checked_inputs"
)
"""Whenever an input was updated and every blocking check of the inputs passed."""


def follows_even_without(optional: dg.AssetKey) -> dg.AutomationCondition:
    """The same for an asset that can do without one of its inputs: it does not wait for that to exist."""
    missing = dg.AutomationCondition.any_deps_missing().ignore(dg.AssetSelection.assets(optional))
    return FOLLOWS.replace("any_deps_missing", missing).with_label(f"follows_even_without_{optional.path[-1]}")


def follows_days_beside(settled: dg.AssetKey, *, optional: bool = False) -> dg.AutomationCondition:
    """For an asset over days that also reads one that is learned from all days.

    A day is requested when its own inputs were updated, once ``settled`` has caught up with them; every day is requested
    only when the data version of ``settled`` changed, not whenever it was learned again. With ``optional`` it does not wait
    for ``settled`` to exist.
    """
    condition = dg.AutomationCondition
    learned = dg.AssetSelection.assets(settled)
    updated = condition.any_deps_updated().ignore(learned) | condition.any_deps_match(
        condition.data_version_changed()
    ).allow(learned)
    behind = condition.any_deps_match(condition.any_deps_updated().since(condition.newly_updated())).allow(learned)
    follows = FOLLOWS.replace("any_deps_updated", updated)
    if optional:
        follows = follows.replace("any_deps_missing", condition.any_deps_missing().ignore(learned))
    return (follows & ~behind).with_label(f"follows_days_beside_{settled.path[-1]}")
