"""The command line: the only place that prints.  Heavy imports wait until a command needs them."""

import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer

from counterpoint import __version__
from counterpoint.cli import acquire, comparing, demo, history, shipping, study, trying, writing
from counterpoint.cli.ending import say
from counterpoint.errors import CounterpointError
from counterpoint.safe_terminal import safe_streams

SETTINGS: dict[str, Any] = {"no_args_is_help": True, "pretty_exceptions_enable": False, "rich_markup_mode": None}

app = typer.Typer(**SETTINGS)
acquiring = typer.Typer(**SETTINGS, help="From a list of URLs with alt-texts to pairs: select, fetch, decode, keep.")
app.add_typer(acquiring, name="acquire")

COMMANDS: dict[typer.Typer, tuple[Callable[..., None], ...]] = {
    app: (
        demo.demo, study.run, study.scores, study.compare, study.findings, study.report, study.sweep,
        shipping.save, shipping.predict, shipping.export_model, comparing.compare_runs, study.export_pairs,
        history.check_history, writing.new, writing.schema,
        writing.contenders, writing.encoders, writing.metrics, writing.checks, writing.sources,
    ),
    acquiring: (acquire.new, acquire.plan, acquire.run, acquire.status, acquire.retry, acquire.export),
}  # fmt: skip


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        say(f"counterpoint {__version__}")
        raise typer.Exit


@app.callback()
def counterpoint(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Compare models that read text, images or both on your pairs, and explain the difference."""


for group, commands in COMMANDS.items():
    for command in commands:
        group.command()(command)
app.command("try")(trying.try_page)  # the name is a keyword of Python


def main() -> None:
    """Run the command line.  Exit codes: 0 done, 1 a mistake of the user, 2 usage, 130 interrupted."""
    with safe_streams():
        try:
            app()
        except CounterpointError as error:
            say(f"counterpoint: {error}", err=True)
            sys.exit(1)
        except Exception:
            traceback.print_exc()  # here, while the output is still guarded
            sys.exit(1)
