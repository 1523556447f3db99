"""``train``: versions of the next move, outside Dagster: what is due, or what somebody asks for by a configuration.

Belongs here: arguments and reports.
Does not belong here: gates, learning, rulings (``stages/move_*``), other tasks, which the graph trains.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esports_assets.commands.console import Json, give_up, print_table, say, sentences
from esports_assets.commands.world import open_world
from esports_assets.settings import Settings
from esports_assets.storage.database import connect
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore

if TYPE_CHECKING:
    from esports_assets.models.rps.configs import MoveConfig
    from esports_assets.stages.move_games import MoveSet
    from esports_assets.stages.move_promotion import MoveWorld
    from esports_assets.stages.move_training import Due

Families = Annotated[list[str] | None, typer.Option("--family", help="Only these families; all by default.")]
Chosen = Annotated[str | None, typer.Option("--config", help="A configuration by name, or a JSON or YAML file.")]
Slot = Annotated[str, typer.Option("--alias", help="Which alias learns anew from --config.")]
Simulated = Annotated[int, typer.Option("--simulated", min=0, help="Without any game: simulate so many per pairing.")]
Pause = Annotated[float, typer.Option("--pause", min=0.0, help="Seconds between two trainings.")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(train)


def train(
    family: Families = None,
    config: Chosen = None,
    alias: Slot = "shadow1",
    simulated: Simulated = 0,
    pause: Pause = 20.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be trained.")] = False,
    as_json: Json = False,
) -> None:
    """Train, judge and promote the models of the next move that are due."""
    with sentences():
        from esports_assets.models.rps.configs import SLOTS
        from esports_assets.stages.move_promotion import train_all

        if alias not in SLOTS:
            raise give_up(f"there is no alias {alias}: there are {', '.join(SLOTS)}")
        chosen = None if config is None else _config(config)
        world = _world(open_world())
        data = _games(world.lake, simulated)
        due = _due(world, data, family, chosen, alias)
        if dry_run:
            _tell([_row(its, its.held or "would be trained") for its in due], as_json)
            return
        done = train_all(world, data, due, pause_s=pause)
        rows = [_row(told.due, " ".join(told.decision.reasons), told.judged.version) for told in done.judgements]
        _tell([*rows, *(_row(its, its.held) for its in due if its.held)], as_json)


def _config(text: str) -> "MoveConfig":
    from esports_assets.models.rps.configs import config_named, read_config

    return read_config(Path(text)) if Path(text).suffix in (".json", ".yaml", ".yml") else config_named(text)


def _world(settings: Settings) -> "MoveWorld":
    from esports_assets.promotion.ledger import Ledger
    from esports_assets.promotion.registry import Registry
    from esports_assets.stages.move_promotion import MoveWorld

    assert settings.database_url is not None
    assert settings.mlflow_tracking_uri is not None
    engine = connect(settings.database_url)
    registry = Registry(settings.mlflow_tracking_uri, settings.artifacts_url)
    lake, objects = Lake(settings.lake_url), ObjectStore(settings.bundles_url)
    return MoveWorld(lake, objects, registry, Ledger(engine), engine, source="cli")


def _games(lake: Lake, simulated: int) -> "MoveSet":
    """The games to learn from, brought up to date."""
    from esports_assets.stages.move_games import move_set, read_games, simulated_source, window_games

    if simulated:
        simulated_source(lake, simulated)
    window_games(lake, read_games(lake))
    return move_set(lake)


def _due(
    world: "MoveWorld", data: "MoveSet", families: list[str] | None, chosen: "MoveConfig | None", alias: Any
) -> list["Due"]:
    from esports_assets.models.tasks import NEXT_MOVE
    from esports_assets.stages.move_promotion import plan_cycle, waits_of
    from esports_assets.stages.move_training import chosen_due

    now = datetime.now(UTC)
    if chosen is not None:
        standing = world.ledger.standing(NEXT_MOVE.name)
        waits = waits_of(world.database, standing, now)
        return [chosen_due(world.lake, world.registry, standing, data, chosen, alias, waits)]
    for name in families or ():
        NEXT_MOVE.registered_name(name)
    return plan_cycle(world, data, now, tuple(families or NEXT_MOVE.families))


def _row(due: "Due", said: str | None, version: int | None = None) -> dict[str, Any]:
    return {
        "model": due.registered_name,
        "alias": due.alias,
        "configuration": due.config.name,
        "from_version": due.parent_version,
        "version": version,
        "said": said,
    }


def _tell(rows: list[dict[str, Any]], as_json: bool) -> None:
    if not rows and not as_json:
        say("nothing is due")
        return
    print_table("Versions of rps.next_move", rows, as_json=as_json)
