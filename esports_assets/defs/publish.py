"""Publish: what the lake holds and the promoted model says, in PostgreSQL for people and dashboards that speak SQL.

Belongs here: the assets.
Does not belong here: what is published (``stages/publishing.py``, ``stages/micro_actions.py``), writing the tables
(``storage/publish.py``).
"""

import dagster as dg

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.conditions import FOLLOWS, follows_days_beside
from esports_assets.defs.daily import Day, Results, days_in, materialized
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import sentences
from esports_assets.models.tasks import INTENT
from esports_assets.signals.speaker import rules_speaker
from esports_assets.stages.micro_actions import (
    ACTIONS_VERSION,
    promoted_voice,
    publish_micro_actions,
    withdraw_micro_actions,
)
from esports_assets.stages.publishing import PUBLISHING_VERSION, Published, publish_rounds, withdraw_rounds
from esports_assets.windows.micro.spec import PLAYER_MICRO

_ROUNDS = dg.AssetKey(["publish", "cs2", "rounds"])
_ACTIONS = dg.AssetKey(["publish", "cs2", "micro_actions"])
_INTENT = dg.AssetKey(["bundles", "cs2", "intent"])


@dg.asset(
    key=_ROUNDS,
    deps=[dg.AssetKey(["canonical", "cs2", "rounds"])],
    group_name="publish",
    owners=["team:data"],
    kinds={"postgres"},
    code_version=PUBLISHING_VERSION,
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=FOLLOWS,
    description="Tables rounds and macro_outcomes (both teams of every round) of the accepted matches of the day.",
)
def publish_cs2_rounds(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    done = [publish_rounds(platform.lake, platform.database, Title.CS2, day) for day in days_in(context)]
    gone = withdraw_rounds(platform.lake, platform.database, Title.CS2)
    yield from materialized(context, _ROUNDS, [_day(published, gone) for published in done])


@dg.asset(
    key=_ACTIONS,
    deps=[dg.AssetKey(["windows", "cs2", "player_micro"]), dg.AssetKey(["canonical", "cs2", "rounds"]), _INTENT],
    group_name="publish",
    owners=["team:data"],
    kinds={"postgres"},
    code_version=f"{ACTIONS_VERSION}.{PLAYER_MICRO.fingerprint}.{rules_speaker(()).info['model_version']}",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=follows_days_beside(_INTENT, optional=True),
    description="Table micro_actions: what the promoted version of cs2.intent says, out of fold where it learned from the "
    "match; plain rules while none is promoted, and every row says which.",
)
def publish_cs2_micro_actions(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    voice = promoted_voice(platform.objects, INTENT)
    done = [publish_micro_actions(platform.lake, platform.database, voice, day) for day in days_in(context)]
    gone = withdraw_micro_actions(platform.lake, platform.database, Title.CS2)
    yield from materialized(context, _ACTIONS, [_day(published, gone, speaks=voice.name) for published in done])


def _day(published: Published, gone: list[str], **told: str) -> Day:
    return Day(
        published.day,
        published.data_version,
        {
            "matches": published.matches,
            "rows": published.rows,
            "changed": published.changed,
            "withdrawn": sentences(gone, "none"),
            "unspoken": sentences(published.unspoken, "none"),
            **told,
        },
    )
