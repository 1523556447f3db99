"""``evaluate``, ``promote``, ``rollback`` and ``serve``: what an operator does with models by hand.

Belongs here: arguments and reports; putting registry, ledger and object store together.
Does not belong here: metrics (``models/evaluate.py``), promotion itself (``promotion/``), the service (``serving/``).
"""

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esports_assets.commands.console import Json, give_up, print_json, print_table, say, sentences
from esports_assets.commands.world import open_world
from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.storage.database import connect
from esports_assets.storage.objects import ObjectStore

if TYPE_CHECKING:
    from esports_assets.promotion.standing import LedgerEntry

Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger for good.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(evaluate)
    app.command()(promote)
    app.command()(rollback)
    app.command()(serve)


def evaluate(
    model: Annotated[str, typer.Argument(help="The task, such as cs2.round_win.")],
    data: Annotated[list[Path], typer.Option("--data", help="Source files, or folders of them.")],
    as_json: Json = False,
) -> None:
    """Score the promoted model of a task on matches of your own."""
    with sentences():
        for path in data:
            if not path.exists():
                raise give_up(f"{path} does not exist: give a file or a folder of source files")
        from esports_assets.commands.next_move import tell_people
        from esports_assets.models.tasks import NEXT_MOVE, TASKS
        from esports_assets.scoring import evaluate_promoted

        if model not in TASKS:
            raise give_up(f"there is no task {model}: there are {', '.join(TASKS)}")
        if model == NEXT_MOVE.name:
            tell_people(data, Settings.from_env(), as_json)
            return
        result: dict[str, Any] = evaluate_promoted(model, data, Settings.from_env())
        if as_json:
            print_json(result)
            return
        say(
            f"{result['model']}@{result['alias']} v{result['version']} on {result['n_matches']} matches, "
            f"{result['n_rounds']} rounds, {result['n_rows']} rows:"
        )
        rows = [{"metric": name, **{k: f"{v:.4f}" for k, v in m.items()}} for name, m in result["metrics"].items()]
        print_table("Metrics with intervals clustered by match", rows, as_json=False)


def promote(
    model: Annotated[str, typer.Argument(help="A registered model, such as cs2.round_win.xgboost.")],
    reason: Reason = "by hand",
    version: Annotated[int | None, typer.Option("--version", min=1, help="The newest by default.")] = None,
    as_json: Json = False,
) -> None:
    """Put a version of a model into production, without asking the rule."""
    with sentences():
        from esports_assets.promotion.promote import promote as carry_out
        from esports_assets.promotion.terms import Alias, Decision, Kind

        parts = _parts(open_world())
        task = model.rpartition(".")[0]
        if version is None:
            known = [entry.version for entry in parts["registry"].versions(model)]
            if not known:
                raise give_up(f"no version of {model} is registered: 'esports materialize' trains one")
            version = max(known)
        decision = Decision(Kind.PROMOTE, Alias.PRODUCTION, (f"Promoted by hand: {reason}.",), {})
        _tell(carry_out(task, model, version, decision, **parts), as_json)


def rollback(
    model: Annotated[str, typer.Argument(help="The task, such as cs2.round_win, or a model of it.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Put the version back into production that was there before."""
    with sentences():
        from esports_assets.promotion.promote import rollback as carry_out

        task = ".".join(model.split(".")[:2])
        _tell(carry_out(task, reason=reason, **_parts(open_world())), as_json)


def serve() -> None:
    """Run the API in the foreground. Predictions need no server; accounts, reviews and releases need those that run."""
    with sentences():
        settings = Settings.from_env()
        if all(server.running for server in embedded.status(settings)):
            settings = embedded.attach(settings)
        os.execve(sys.executable, [sys.executable, "-m", "serving.app"], {**os.environ, **settings.environment()})


def _parts(settings: Settings) -> dict[str, Any]:
    from esports_assets.promotion.ledger import Ledger
    from esports_assets.promotion.registry import Registry

    assert settings.database_url is not None
    assert settings.mlflow_tracking_uri is not None
    return {
        "registry": Registry(settings.mlflow_tracking_uri, settings.artifacts_url),
        "ledger": Ledger(connect(settings.database_url)),
        "objects": ObjectStore(settings.bundles_url),
        "actor": getpass.getuser(),
        "source": "cli",
    }


def _tell(entry: "LedgerEntry", as_json: bool) -> None:
    if as_json:
        fields = (
            "id",
            "created_at",
            "task",
            "registered_name",
            "decision",
            "alias",
            "from_version",
            "to_version",
            "reason",
        )
        print_json({name: getattr(entry, name) for name in fields})
    else:
        say(f"{entry.task} is served by {entry.label} from now on (entry {entry.id} of the ledger: {entry.reason})")
