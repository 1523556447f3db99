"""How commands talk: tables or JSON on standard output, everything else on standard error, failures as sentences.

Belongs here: printing and the exit codes (0 done, 1 found problems, 2 could not).
Does not belong here: what is reported.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: Any) -> None:
    """A value as one JSON document; dates and paths as text."""
    out.print_json(json.dumps(value, default=str, ensure_ascii=False), highlight=False)


def say(text: str, style: str = "", *, on: Console | None = None) -> None:
    """A line as it stands: names of files and matches may hold brackets, which are no markup."""
    (on or out).print(Text(text, style=style))


def print_table(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Rows with the same fields, as a table or as JSON."""
    if as_json:
        print_json(list(rows))
        return
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for name in rows[0] if rows else ():
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    out.print(table)


def give_up(sentence: str) -> typer.Exit:
    """Say why a command cannot go on; raise what this returns."""
    err.print(Text.assemble(("Cannot go on:", "bold red"), " ", sentence))
    return typer.Exit(2)


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Turn failures that the project or the outside world announces into a sentence; bugs keep their traceback."""
    try:
        yield
    except Exception as error:
        if isinstance(error, typer.Exit | typer.Abort) or not _announced(error):
            raise
        raise give_up(_sentence(error)) from error


_SERVERS_SAY = {
    ("sqlalchemy", "OperationalError"): "a database does not answer, see 'esports doctor': ",
    ("psycopg2", "OperationalError"): "a database does not answer, see 'esports doctor': ",
    ("mlflow", "MlflowException"): "MLflow refuses: ",
    ("mlflow", "RestException"): "MLflow refuses: ",
}
"""Errors of servers that are reached through a library: its name and the class, and what to say before their own words."""


def _announced(error: BaseException) -> bool:
    """Errors of this project's own classes are written for people; those of the system tell of files and servers."""
    room = type(error).__module__.split(".")[0]
    ours = room in ("esports_assets", "serving")
    return ours or isinstance(error, OSError) or (room, type(error).__name__) in _SERVERS_SAY


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    said = _SERVERS_SAY.get((type(error).__module__.split(".")[0], type(error).__name__), "")
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return said + (lines[0] if lines else type(error).__name__)
