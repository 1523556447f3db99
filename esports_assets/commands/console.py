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

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: Any) -> None:
    """A value as one JSON document; dates and paths as text."""
    out.print_json(json.dumps(value, default=str, ensure_ascii=False), highlight=False)


def print_table(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Rows with the same fields, as a table or as JSON."""
    if as_json:
        print_json(list(rows))
        return
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    out.print(table)


def give_up(sentence: str) -> typer.Exit:
    """Say why a command cannot go on; raise what this returns."""
    err.print(f"[bold red]Cannot go on:[/] {sentence}", highlight=False)
    return typer.Exit(2)


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Turn failures that the project or the outside world announces into a sentence; bugs keep their traceback."""
    try:
        yield
    except (RuntimeError, ValueError, LookupError, OSError) as error:
        if isinstance(error, typer.Exit | typer.Abort) or not _announced(error):
            raise
        lines = [line for line in str(error).strip().splitlines() if line.strip()]
        raise give_up(lines[0] if lines else type(error).__name__) from error


def _announced(error: BaseException) -> bool:
    """Errors of this project's own classes are written for people; so are those of reaching files and servers."""
    return type(error).__module__.split(".")[0] in ("esports_assets", "serving") or isinstance(
        error, FileNotFoundError | PermissionError | ConnectionError
    )
