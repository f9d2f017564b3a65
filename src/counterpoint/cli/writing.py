"""Commands for writing a study file: a first draft, its schema, and the names that it may use."""

from pathlib import Path
from typing import Annotated

import typer

from counterpoint.cli.ending import say
from counterpoint.errors import ConfigError

NOTE = "# NOTE: "
"""The start of a line in a study file that is also printed as a warning."""


def new(
    path: Annotated[Path, typer.Argument(help="The study file to write.")] = Path("study.yaml"),
    source: Annotated[Path | None, typer.Option("--from", help="A folder, table or tar shards to look at.")] = None,
    preset: Annotated[str | None, typer.Option(help="A published study to make on your pairs: study-2023.")] = None,
) -> None:
    """Write a commented study file that fits the given data."""
    from counterpoint.data.infer import study_file

    text = study_file(path, source, preset=preset)
    write_once(path, text)
    print_notes(text)
    say(f"Wrote {path}.  Read it, then: counterpoint run {path}")


def print_notes(text: str) -> None:
    """Print the notes in *text*, a file that was written, as warnings."""
    for line in text.splitlines():
        if line.startswith(NOTE):
            say(f"counterpoint: {line.removeprefix(NOTE)}", err=True)


def write_once(path: Path, text: str) -> None:
    """Write *text* to *path*.

    Raises
    ------
    ConfigError
        When the file already exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} already exists. Name another file.") from None
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error


def schema(
    *,
    acquire: Annotated[bool, typer.Option("--acquire", help="Print the schema of an acquire file.")] = False,
) -> None:
    """Print the JSON Schema of a study file, for editors."""
    import json

    from counterpoint.config import StudyConfig
    from counterpoint.config.acquire import AcquireConfig

    typer.echo(json.dumps((AcquireConfig if acquire else StudyConfig).model_json_schema(), indent=1))


def contenders() -> None:
    """List the contenders."""
    from counterpoint.contenders import MODELS

    for name, path in MODELS.items():
        typer.echo(f"{name:<18} {_summary(path)}")


def metrics() -> None:
    """List the metrics."""
    _list("counterpoint.metrics", "METRICS")


def checks(
    extra: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Checks from outside.")] = None,
) -> None:
    """List the checks: code and title, the work of each by default and at full depth, and the cost of both."""
    from counterpoint.diagnose import all_checks, depths

    checks = all_checks(extra or ())
    typer.echo(
        "fast is the default. full adds to it (checks.depth in the study file). Costs are for one core and 1,000 pairs."
    )
    for check in checks:
        typer.echo(f"{check.code}  {check.title}")
        for depth, work in depths(check).items():
            typer.echo(f"       {depth}  {work}")


def sources() -> None:
    """List the sources."""
    _list("counterpoint.data.sources", "SOURCES")


def encoders() -> None:
    """List the encoders that packages ship: vector, licence of the weights, name of the upstream model on the hub."""
    from counterpoint.encoders.catalogue import CATALOGUE, INSTALL

    for name, entry in CATALOGUE.items():
        state = f"; not installed: {INSTALL}" if entry.missing() else ""
        typer.echo(f"{name:<18} {entry.summary} ({' and '.join(entry.modalities)} to {entry.width:,} values){state}")
        typer.echo(f"{'':<18} {entry.licence}; upstream: {entry.upstream}")
    typer.echo(f"{'other encoders':<18} a name on the hub, a folder, model.onnx, vectors.parquet, vectors.npy, "
               "columns:prefix_, my_lab.encoders:Mine")  # fmt: skip


def _list(module: str, table: str) -> None:
    from importlib import import_module

    for name, path in getattr(import_module(module), table).items():
        where, _, attribute = path.partition(":")
        found = getattr(import_module(where), attribute)
        typer.echo(f"{name:<18} {(found.__doc__ or '').strip().splitlines()[0]}")


def _summary(path: str) -> str:
    """Return the first line of the docstring of our class at *path*, of a module that is not imported."""
    import ast

    module, _, name = path.partition(":")
    file = Path(__file__).parents[2].joinpath(*module.split(".")).with_suffix(".py")
    parts = ast.parse(file.read_text(encoding="utf-8")).body
    found = next(part for part in parts if isinstance(part, ast.ClassDef) and part.name == name)
    return (ast.get_docstring(found) or "").partition("\n")[0]
