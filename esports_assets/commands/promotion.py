"""``promotion``: what the rule of promotion is worth, and its ledger as lines.

Belongs here: arguments and reports.
Does not belong here: the rule (``promotion/sequential.py``), the simulated games (``promotion/simulation.py``), what a line holds
(``promotion/transfer.py``).
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esports_assets.commands.console import Json, give_up, print_json, print_table, say, sentences

if TYPE_CHECKING:
    from esports_assets.promotion.sequential import Terms

promotion = typer.Typer(help="What the rule of promotion is worth, and its ledger as lines.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(promotion, name="promotion")


@promotion.command()
def simulate(
    effect: Annotated[
        float, typer.Option("--effect", help="True difference in win rate, challenger minus Production.")
    ],
    games: Annotated[int, typer.Option("--games", help="Games of both versions together, judged after each.")] = 5000,
    trials: Annotated[int, typer.Option("--trials", help="How many comparisons.")] = 2000,
    base_rate: Annotated[float, typer.Option("--base-rate", help="Production's win rate.")] = 0.5,
    share: Annotated[float, typer.Option("--share", help="Probability that a game is given to the challenger.")] = 0.5,
    terms: Annotated[Path | None, typer.Option("--terms", help="Terms of the comparison as JSON.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the games.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure how often the rule promotes and rolls back a challenger whose true effect is known."""
    with sentences():
        from esports_assets.promotion.simulation import Duel, summary

        agreed = _terms(terms)
        found = summary(Duel(effect, base_rate, share), games, trials, terms=agreed, seed=seed)
        if as_json:
            print_json(found)
            return
        title = f"A challenger with an effect of {effect:+g} on a win rate of {base_rate:g}, at most {games} games"
        print_table(title, [_row(found)], as_json=False)
        say(
            f"Rule: alpha {agreed.alpha:g}, minimum effect {agreed.minimum_effect:g}, futility {agreed.futility_alpha:g}, "
            f"horizon {agreed.maximum_horizon} games, at least {agreed.minimum_games} of each version."
        )


def _terms(path: Path | None) -> "Terms":
    import msgspec

    from esports_assets.promotion.sequential import DEFAULT_TERMS, Terms

    if path is None:
        return DEFAULT_TERMS
    try:
        return msgspec.json.decode(path.read_bytes(), type=Terms)
    except msgspec.MsgspecError as error:
        raise give_up(f"{path} holds no terms of a comparison: {error}") from error


def _row(found: dict[str, Any]) -> dict[str, Any]:
    from esports_assets.promotion.simulation import standard_error

    rates = {
        name: f"{found[name]:.4f} ± {standard_error(found[name], found['trials']):.4f}"
        for name in ("swap_rate", "rollback_rate")
    }
    games = found["games_to_decision"] or {}
    return {"trials": found["trials"], **rates, **{f"games {name}": value for name, value in games.items()}}


@promotion.command(name="export")
def export_ledger(
    into: Annotated[Path | None, typer.Argument(help="File of the lines; standard output by default.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="One task, such as cs2.round_win; all by default.")] = None,
) -> None:
    """Write the ledger of promotions as lines of JSON, oldest entry first."""
    from esports_assets.promotion.transfer import export_lines

    with sentences(), _ledger() as cursor:
        if into is None:
            for line in export_lines(cursor, task):
                sys.stdout.write(line.decode())
            return
        with into.open("wb") as file:
            file.writelines(export_lines(cursor, task))


@promotion.command(name="import")
def import_ledger(
    lines: Annotated[Path, typer.Argument(help="File of lines as 'esports promotion export' writes them.")],
    as_json: Json = False,
) -> None:
    """Take lines of a ledger in; what is there already is not written again. All of them or none."""
    from esports_assets.promotion.transfer import import_lines

    with sentences(), lines.open("rb") as file, _ledger() as cursor:
        taken = import_lines(cursor, file)
        if as_json:
            print_json(asdict(taken))
            return
        say(f"{taken.lines} entries: {taken.new} new, {taken.known} known already.")


@contextlib.contextmanager
def _ledger() -> Iterator[Any]:
    """A cursor on the migrated database; what it did is committed at the end, or undone if the block fails."""
    import psycopg2

    from esports_assets.commands.world import open_world
    from esports_assets.storage.urls import without_driver

    settings = open_world()
    assert settings.database_url is not None
    connection = psycopg2.connect(without_driver(settings.database_url))
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
