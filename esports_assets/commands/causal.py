"""``causal``: the effect of a treatment in a table of the user's own.

Belongs here: arguments, reading the file, and the report.
Does not belong here: the analysis (``analytics/causal.py``), what a usable table is (``analytics/study.py``).
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from esports_assets.analytics.estimators import Estimand
from esports_assets.commands.console import Json, give_up, print_json, print_table, say, sentences


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(causal)


def causal(
    data: Annotated[Path, typer.Option("--data", help="The table: .csv with a header, or .parquet.")],
    treatment: Annotated[str, typer.Option("--treatment", help="Column of 0 and 1.")],
    outcome: Annotated[str, typer.Option("--outcome", help="Column of numbers.")],
    covariates: Annotated[
        str, typer.Option("--covariates", help="Columns known before the treatment, comma-separated.")
    ],
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Column that says which rows belong together.")
    ] = None,
    placebo_outcome: Annotated[
        str | None, typer.Option("--placebo-outcome", help="Column that the treatment cannot have changed.")
    ] = None,
    estimand: Annotated[
        Estimand, typer.Option("--estimand", help="Effect on everybody, or on the treated.")
    ] = Estimand.ATE,
    instants: Annotated[
        str | None,
        typer.Option(
            "--instants",
            help="When columns were known, as name=number,...: covariates after the treatment are refused.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of all that is drawn.")] = 0,
    as_json: Json = False,
) -> None:
    """Estimate an effect, test it against placebos, and say whether it can be believed and why."""
    with sentences():
        from esports_assets.analytics.causal import Plan, causal_effect
        from esports_assets.analytics.pretreatment import check_order, read_order
        from esports_assets.analytics.study import Columns, study_of

        names = tuple(name.strip() for name in covariates.split(",") if name.strip())
        if instants is not None:
            check_order(read_order(instants, treatment, outcome, names), names)
        study = study_of(_table(data), Columns(treatment, outcome, names, cluster, placebo_outcome))
        effect = causal_effect(study, Plan(estimand=estimand, seed=seed))
        checked = "checked against the declared instants" if instants is not None else "taken on trust: no --instants"
        document: dict[str, Any] = msgspec.to_builtins(effect)
        document["diagnostics"]["covariates"]["before_the_treatment"] = checked
        if as_json:
            print_json(document)
        else:
            _report(document)


def _table(path: Path) -> Any:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    if not path.is_file():
        raise give_up(f"{path} is no file: give a .csv or .parquet file")
    try:
        if path.suffix == ".parquet":
            return pyarrow.parquet.read_table(path)
        return pyarrow.csv.read_csv(path)
    except pyarrow.ArrowException as error:
        raise give_up(f"{path} cannot be read as a table: {str(error).splitlines()[0]}") from error


def _report(document: dict[str, Any]) -> None:
    lo, hi = document["interval"]
    say(
        f"{document['estimand']} {document['estimate']:.4g}, 95% interval [{lo:.4g}, {hi:.4g}], standard error "
        f"{document['se']:.4g} ({document['estimator']}, {document['n']} rows): {document['verdict']}."
    )
    for reason in document["reasons"]:
        say(f"  {reason}")
    balance = document["diagnostics"]["balance"]["covariates"]
    rows = [{"covariate": name, **{k: f"{v:.3f}" for k, v in both.items()}} for name, both in balance.items()]
    print_table("Standardised mean differences", rows, as_json=False)
