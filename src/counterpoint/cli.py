"""The command line: the only place that prints.  Heavy imports wait until a command needs them."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from counterpoint.errors import ConfigError, CounterpointError, did_you_mean

if TYPE_CHECKING:
    from counterpoint.study import Study

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Does a model that reads text and images beat one that reads a single modality on your pairs, and why (not)?",
)
Runs = Annotated[Path, typer.Option("--runs", help="The folder in which run folders are.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="Change a setting of the file: split.seed=1.")]
StudyFile = Annotated[Path, typer.Argument(help="A study file.")]
DEFAULT_RUNS = Path("runs")
DEMO = Path(__file__).with_name("demo.yaml")
QUICK = ("study=openmoji-quick", "split.kind=holdout", "split.limit=600", "evaluate.bootstrap=500")
"""What ``demo --quick`` changes."""


@app.command()
def demo(
    runs: Runs = DEFAULT_RUNS,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer pictures, one split: a minute, weaker numbers.")
    ] = False,
    sets: Sets = None,
) -> None:
    """Compare text, image and both on the OpenMoji pairs; minutes on two cores."""
    _run(DEMO, runs=runs, sets=[*(QUICK if quick else ()), *(sets or ())], until="report")


@app.command()
def run(
    study: StudyFile,
    runs: Runs = DEFAULT_RUNS,
    sets: Sets = None,
    until: Annotated[
        str, typer.Option(help="The last stage to make: records, pairs, fits, scores or report.")
    ] = "report",
    engine: Annotated[
        str | None, typer.Option(help="Where the fits run: local, inline, or package.module:run.")
    ] = None,
) -> None:
    """Make a study, from its source to its page; what the run folder has is kept."""
    more = [f"fit.engine={engine}"] if engine else []
    _run(study, runs=runs, sets=[*(sets or []), *more], until=until)


@app.command()
def scores(study: StudyFile, runs: Runs = DEFAULT_RUNS, sets: Sets = None, part: str = "test") -> None:
    """Print every score of a study with its interval."""
    with _opened(study, runs, sets) as opened:
        fold = ["test", "oof"] if part == "test" else [part]
        _print_table(opened.scores().filter(_column("fold").is_in(fold)))


@app.command()
def compare(  # noqa: PLR0917 - typer reads the arguments by position
    study: StudyFile, a: str, b: str, metric: str | None = None, runs: Runs = DEFAULT_RUNS, sets: Sets = None
) -> None:
    """Print the paired difference of two contenders: A minus B."""
    with _opened(study, runs, sets) as opened:
        _print_table(opened.compare(a, b, metric=metric))


@app.command()
def findings(study: StudyFile, runs: Runs = DEFAULT_RUNS, sets: Sets = None) -> None:
    """Print what the checks found."""
    with _opened(study, runs, sets) as opened:
        for row in opened.findings().iter_rows(named=True):
            typer.echo(f"{row['code']}  {row['severity']:<15} {row['explanation']}")


@app.command()
def report(study: StudyFile, runs: Runs = DEFAULT_RUNS, sets: Sets = None) -> None:
    """Write the page of a study, and print where it is."""
    with _opened(study, runs, sets) as opened:
        typer.echo(opened.report())


@app.command()
def predict(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/openmoji.")],
    contender: Annotated[str, typer.Argument(help="A contender of that study.")],
    text: Annotated[str | None, typer.Option(help="The text of the pair.")] = None,
    image: Annotated[Path | None, typer.Option(help="The image of the pair.")] = None,
) -> None:
    """Predict the class of one pair with a fitted contender."""
    from counterpoint.contenders.predict import predict_pair

    for name, chance in predict_pair(run_folder, contender, text=text, image=image).items():
        typer.echo(f"{chance:.3f}  {name}")


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="The study file to write.")],
    source: Annotated[Path | None, typer.Option("--from", help="A folder, table or tar shards to look at.")] = None,
) -> None:
    """Write a commented study file, inferred from what is there."""
    from counterpoint.data.infer import study_file

    if path.exists():
        raise ConfigError(f"{path} is there already; name another file.")
    path.write_text(study_file(path, source), encoding="utf-8")
    typer.echo(f"Wrote {path}.  Read it, then: counterpoint run {path}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study file, for editors."""
    import json

    from counterpoint.config import StudyConfig

    typer.echo(json.dumps(StudyConfig.model_json_schema(), indent=1))


def _list(module: str, table: str) -> None:
    from importlib import import_module

    for name, path in getattr(import_module(module), table).items():
        where, _, attribute = path.partition(":")
        found = getattr(import_module(where), attribute)
        doc = import_module(where).__doc__ if attribute == "look" else found.__doc__
        typer.echo(f"{name:<18} {(doc or '').strip().splitlines()[0].removeprefix(f'{name}: ')}")


@app.command()
def contenders() -> None:
    """List the contenders."""
    _list("counterpoint.contenders", "MODELS")


@app.command()
def metrics() -> None:
    """List the metrics."""
    _list("counterpoint.metrics", "METRICS")


@app.command()
def checks() -> None:
    """List the checks."""
    _list("counterpoint.diagnose", "CHECKS")


@app.command()
def sources() -> None:
    """List the sources."""
    _list("counterpoint.data.sources", "SOURCES")


# What the commands share.


def _run(study: Path, *, runs: Path, sets: Sequence[str] | None, until: str) -> None:
    from counterpoint.stages import STAGES

    if until not in (*STAGES, "report"):
        raise ConfigError(f"Unknown stage {until!r}.{did_you_mean(until, (*STAGES, 'report'))}")
    with _opened(study, runs, sets) as opened:
        if until == "report":
            opened.report()
        else:
            opened.made(until)
    if until == "report":
        _print_outcome(opened)
    else:
        typer.echo(f"Made {until}; its tables are in {opened.root / 'tables'}")


@contextmanager
def _opened(path: Path, runs: Path, sets: Sequence[str] | None) -> "Iterator[Study]":
    from counterpoint.progress import progress
    from counterpoint.study import open_study

    try:
        with progress() as listener:
            yield open_study(path, runs=runs, overrides=tuple(sets or ()), listener=listener)
    except KeyboardInterrupt:
        typer.echo(
            "counterpoint: interrupted; what was finished is kept: the same command goes on from there.", err=True
        )
        raise typer.Exit(130) from None


def _print_outcome(study: "Study") -> None:
    from rich.console import Console

    from counterpoint.artifacts import read_json
    from counterpoint.outcome import outcome

    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    for part in outcome(read_json(study.root / "results.json"), study.config.evaluate.primary):
        console.print(part)
    typer.echo(f"\nThe page: {(study.root / 'report.html').resolve()}")


def _column(name: str) -> Any:
    import polars as pl

    return pl.col(name)


def _print_table(frame: Any) -> None:
    """Print a table as CSV, which people read and programs too."""
    typer.echo(frame.write_csv(float_precision=4).rstrip())


def main() -> None:
    """Run the command line; exit 0 done, 1 a user's mistake, 2 usage, 130 interrupted."""
    try:
        app()
    except CounterpointError as error:
        typer.echo(f"counterpoint: {error}", err=True)
        sys.exit(1)
