"""``promotion``: what the rule of promotion is worth, and its ledger as lines.

Belongs here: arguments and reports.
Does not belong here: the rule (``promotion/sequential.py``), the simulated games (``promotion/simulation.py``).
"""

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
