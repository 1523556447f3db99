"""``run``: the whole job, from source files to a promoted model that answers, with what runs where at the end.

Belongs here: the order of the stages, their times, the summary, and staying up until Ctrl-C.
Does not belong here: what a stage does.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from esports_assets.canonical.vocabulary import Title
from esports_assets.commands import data, live, question
from esports_assets.commands.children import Child, Children, stop_left_over
from esports_assets.commands.console import Json, err, give_up, out, print_json, print_table, sentences
from esports_assets.commands.ingest_report import tell, why_no_match
from esports_assets.commands.ports import trouble_with
from esports_assets.commands.servers import server_rows
from esports_assets.commands.stopping import stay, stoppable
from esports_assets.commands.world import ROOT, open_world
from esports_assets.ingest import ingest_paths
from esports_assets.models.tasks import TASKS
from esports_assets.promotion.mirror import read_champion
from esports_assets.settings import Settings
from esports_assets.stages.snapshots import VARIABLE
from esports_assets.storage import embedded
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore

TASK = "cs2.round_win"
SNAPSHOTS = Path("csgo_round_snapshots") / "csgo_round_snapshots.csv.xz"
_API_S, _UI_S = 60.0, 120.0
INTERRUPTED = 130
"""Exit code of a run that Ctrl-C ended before its work was done, as shells have it."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(run)


class Stages:
    """The stages of a run and how long each took, told as they end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; one that fails is named."""
        err.print(f"[dim]{name} ...[/]", highlight=False)
        started = time.monotonic()
        try:
            yield
        except BaseException:
            err.print(f"[red]{name} stopped after {time.monotonic() - started:.1f} s[/]", highlight=False)
            raise
        self.seconds[name] = round(time.monotonic() - started, 2)
        err.print(f"[green]{name}[/] {self.seconds[name]:.1f} s", highlight=False)


def run(
    source: Annotated[
        Path | None, typer.Option("--data", help="Real matches: a file or folder. Simulated otherwise.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary.")] = False,
    matches: data.Matches = 12,
    seed: data.Seed = 1,
    as_json: Json = False,
) -> None:
    """Matches through the whole graph to a promoted model that answers; then API and Dagster UI until Ctrl-C."""
    with sentences():
        given = Settings.from_env()
        if source is not None and not source.exists():
            raise give_up(f"DATA={source} does not exist: give a file or a folder of source files")
        _claim(given, once)
        ran_before = {entry.name for entry in embedded.status(given) if entry.running}
        try:
            with stoppable(), Children(given.home, ROOT) as children:
                _work(given, children, source, once=once, matches=matches, seed=seed, as_json=as_json)
        except KeyboardInterrupt:
            err.print("Stopped before it was complete: the same again goes on from here.")
            raise typer.Exit(INTERRUPTED) from None
        finally:
            if not ran_before:
                embedded.down(given)


def _work(
    given: Settings, children: Children, source: Path | None, *, once: bool, matches: int, seed: int, as_json: bool
) -> None:
    stages = Stages()
    with stages.stage("start servers"):
        settings = open_world()
    lake = Lake(settings.lake_url)
    if source is None:
        with stages.stage("simulate matches"):
            source = data.simulated_folder(settings, matches, seed)
            data.simulated_files(source, matches, seed, ("mixed",))
    with stages.stage("ingest"), data.bars() as progress:
        bar = progress.add_task("ingest", total=None)
        report = ingest_paths([source], lake, lambda done, total, _: progress.update(bar, completed=done, total=total))
    if not as_json:
        tell(report)
    days = list(report.days.get(Title.CS2, ()))
    if not days:
        reason = why_no_match(report) or "its matches are of other titles"
        raise give_up(f"{source} holds no CS2 match that could be read, so there is nothing to learn from: {reason}")
    if not all(header.simulated for header in (*report.matches, *report.copied)):
        _find_snapshots(source)
    with stages.stage("materialize the graph"):
        graph = data.run_graph(settings, None, days)
    if not graph["success"]:
        raise give_up(data.failure_of(graph))
    told = {"SERVING_TASKS": os.environ.get("SERVING_TASKS") or ",".join(_promoted(settings))}
    told |= {} if once else {"DAGSTER_URL": settings.dagster_url}
    with stages.stage("start the API"):
        api = children.start("api", [sys.executable, "-m", "serving.app"], settings.environment() | told)
        question.wait_until(f"{settings.api_url}/readyz", _API_S, lambda: _obituary(api))
    with stages.stage("ask for a prediction"):
        answer = question.ask(settings.api_url, TASK, lake)
    if not once:
        children.start("live", live.COMMAND, settings.environment())
        with stages.stage("start the Dagster UI"):
            ui = children.start("dagster", _dagster_command(settings), settings.environment())
            question.wait_until(f"{settings.dagster_url}/server_info", _UI_S, lambda: _obituary(ui))
    _summary(given, settings, stages, graph, answer, as_json=as_json, once=once)
    if not once:
        stay(children)


def _promoted(settings: Settings) -> list[str]:
    """The tasks that have a champion, the first of them the one that a run must end with."""
    store = ObjectStore(settings.bundles_url)
    return [TASK, *(task for task in TASKS if task != TASK and read_champion(store, task) is not None)]


def _find_snapshots(source: Path) -> None:
    """Name the CS:GO round snapshots where they lie beside real matches, unless the environment names others."""
    beside = (source, source.parent, Path(os.environ.get("ESPORTS_REAL_DATA", ".")), ROOT.parent / "shared" / "data")
    found = [folder / SNAPSHOTS for folder in beside if (folder / SNAPSHOTS).is_file()]
    if found and not os.environ.get(VARIABLE):
        os.environ[VARIABLE] = str(found[0].resolve())
        err.print(
            f"{found[0].name} lies beside the matches: what it teaches is lent to models of real ones", highlight=False
        )


def _summary(
    given: Settings,
    settings: Settings,
    stages: Stages,
    graph: dict[str, Any],
    answer: dict[str, Any],
    *,
    as_json: bool,
    once: bool,
) -> None:
    places = [{"what": row["server"], "where": row["url"]} for row in server_rows(given)]
    places += [{"what": "lake", "where": settings.lake_url}, {"what": "bundles", "where": settings.bundles_url}]
    places += [{"what": "API", "where": f"{settings.api_url}/docs"}]
    places += [] if once else [{"what": "Dagster UI", "where": settings.dagster_url}]
    if as_json:
        print_json({"stages": stages.seconds, "graph": graph, "prediction": answer, "places": places})
        return
    total = round(sum(stages.seconds.values()), 2)
    rows = [{"stage": name, "seconds": seconds} for name, seconds in {**stages.seconds, "together": total}.items()]
    print_table("Times", rows, as_json=False)
    data.tell_checks(graph)
    out.print(f"[bold]The API's answer[/] ({answer['milliseconds']} ms)")
    print_json(answer)
    print_table("What ran where" if once else "What runs where", places, as_json=False)
    if not once:
        out.print("Ctrl-C stops everything.")


def _claim(settings: Settings, once: bool) -> None:
    """The ports must be free once our own left-overs are gone; better told before the work than after it."""
    stop_left_over(settings.home)
    wanted = [("API_PORT", settings.api_host, settings.api_port)]
    wanted += [] if once else [("DAGSTER_PORT", settings.dagster_host, settings.dagster_port)]
    for name, host, port in wanted:
        trouble = trouble_with(host, port)
        if trouble is not None:
            raise give_up(f"port {port} {trouble}: stop that program, or set {name} or its host to a free one")


def _dagster_command(settings: Settings) -> list[str]:
    dagster = str(Path(sys.executable).with_name("dagster"))
    where = ["-h", settings.dagster_host, "-p", str(settings.dagster_port)]
    return [dagster, "dev", "-w", str(ROOT / "workspace.yaml"), *where]


def _obituary(child: Child) -> str | None:
    return f"{child.name} ended at once. Its log ends: {child.last_words()}" if child.ended else None
