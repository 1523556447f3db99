"""``deadletter``: what could not be handled, and its way back.

Belongs here: the four commands and how they print.
Does not belong here: what a dead letter is (``streams/deadletter.py``).
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from esports_assets.commands.console import Json, out, print_json, print_table, sentences
from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.streams.connect import connected
from esports_assets.streams.deadletter import DeadLetter, DeadLetters
from esports_assets.streams.log import RETENTION_H, EventLog

Letters = Annotated[list[str], typer.Argument(help="Ids of dead letters, as 'list' shows them.")]
RetentionHours = Annotated[
    float, typer.Option("--retention-h", envvar="STREAM_RETENTION_H", help="Hours that the log keeps entries.")
]

app = typer.Typer(no_args_is_help=True, help="Entries of the log that could not be handled: look, put back, drop.")


def add_to(parent: typer.Typer) -> None:
    """Register the commands."""
    parent.add_typer(app, name="deadletter")


def redis_url(given: str | None = None) -> str:
    """The given server, else that of the environment, else the embedded one, started if need be."""
    settings = Settings.from_env()
    url = given or settings.redis_url or embedded.up(settings).redis_url
    assert url is not None
    return url


@app.command("list")
def list_letters(
    count: Annotated[int, typer.Option("--count", min=1, help="At most so many, oldest first.")] = 50,
    after: Annotated[str | None, typer.Option("--after", help="Go on after this id.")] = None,
    as_json: Json = False,
) -> None:
    """List dead letters with their reasons."""
    with sentences(), connected(redis_url()) as client:
        dead = DeadLetters(client)
        found, total = dead.letters(count, after), dead.count()
        if as_json or found:
            print_table(f"{total} dead letters", [_row(letter) for letter in found], as_json=as_json)
        else:
            out.print("There are no dead letters." if not total else f"There are none after {after}.")


@app.command()
def show(letter: Annotated[str, typer.Argument(help="Id of a dead letter.")], as_json: Json = False) -> None:
    """Show one dead letter with its data."""
    with sentences(), connected(redis_url()) as client:
        found = DeadLetters(client).show(letter)
        facts = {**asdict(found), "data": found.data.decode(errors="backslashreplace"), "at": found.at.isoformat()}
        if as_json:
            print_json(facts)
            return
        for name, value in facts.items():
            out.print(f"{name:>10}  {value}", highlight=False, markup=False)


@app.command()
def retry(
    letters: Letters,
    data: Annotated[Path | None, typer.Option("--data", help="File with mended data, for one letter.")] = None,
    retention_h: RetentionHours = RETENTION_H,
    as_json: Json = False,
) -> None:
    """Put dead letters back into the log. What had entered is not appended again but delivered again."""
    if data is not None and len(letters) > 1:
        raise typer.BadParameter("mended data is for one letter", param_hint="--data")
    with sentences(), connected(redis_url()) as client:
        dead, log = DeadLetters(client), EventLog(client, retention_h=retention_h)
        mended = None if data is None else data.read_bytes()
        done = [{"letter": letter, **asdict(dead.retry(letter, log, mended))} for letter in letters]
        print_table("Put back", done, as_json=as_json)


@app.command()
def drop(letters: Letters, as_json: Json = False) -> None:
    """Remove dead letters for good."""
    with sentences(), connected(redis_url()) as client:
        dead = DeadLetters(client)
        dropped = [letter for letter in letters if dead.drop(letter)]
        if as_json:
            print_json({"dropped": dropped})
        else:
            out.print(f"Dropped {', '.join(dropped)}." if dropped else "Nothing was dropped.")


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "about": letter.about,
        "reason": letter.reason,
        "stream": letter.stream,
        "group": letter.group,
        "deliveries": letter.deliveries,
        "at": letter.at.isoformat(timespec="seconds"),
    }
