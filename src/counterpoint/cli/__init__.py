"""The command line: the only place that prints.  Heavy imports wait until a command needs them."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from counterpoint.cli import acquire, study, writing
from counterpoint.cli.ending import escaped
from counterpoint.errors import CounterpointError

SETTINGS: dict[str, Any] = {"no_args_is_help": True, "pretty_exceptions_enable": False, "rich_markup_mode": None}

app = typer.Typer(
    **SETTINGS,
    help="Does a model that reads text and images beat one that reads a single modality on your pairs, and why (not)?",
)
acquiring = typer.Typer(**SETTINGS, help="From a list of URLs with alt-texts to pairs: select, fetch, decode, keep.")
app.add_typer(acquiring, name="acquire")

COMMANDS: dict[typer.Typer, tuple[Callable[..., None], ...]] = {
    app: (
        study.demo, study.run, study.scores, study.compare, study.findings, study.report, study.sweep,
        study.predict, study.export_pairs, writing.new, writing.schema, writing.contenders, writing.metrics,
        writing.checks, writing.sources,
    ),
    acquiring: (acquire.new, acquire.plan, acquire.run, acquire.status, acquire.retry, acquire.export),
}  # fmt: skip
for group, commands in COMMANDS.items():
    for command in commands:
        group.command()(command)


def main() -> None:
    """Run the command line; exit 0 done, 1 a user's mistake, 2 usage, 130 interrupted."""
    try:
        app()
    except CounterpointError as error:
        typer.echo(f"counterpoint: {escaped(str(error))}", err=True)
        sys.exit(1)
