"""``esports``: the command of the project.

Belongs here: the list of commands.
Does not belong here: what they do (``commands/``).
"""

import typer

from esports_assets.commands import (
    causal,
    data,
    deadletter,
    doctor,
    grid,
    keys,
    land,
    live,
    model,
    parity,
    promotion,
    replay,
    run,
    servers,
    train,
)

app = typer.Typer(
    name="esports",
    help="Matches into one language, features, models and served predictions. Start with 'esports run'.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for area in (
    run,
    servers,
    data,
    model,
    promotion,
    parity,
    replay,
    grid,
    land,
    live,
    deadletter,
    keys,
    doctor,
    causal,
    train,
):
    area.add_to(app)
