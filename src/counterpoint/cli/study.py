"""Commands that run a study and print its results."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from counterpoint.cli.ending import interruptible, print_parts, say
from counterpoint.cli.exporting import Classes, Resize, as_list, checked_resize, exported
from counterpoint.cli.settings import Address, Sets, as_sets
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.runs.places import PAGE, RESULTS
from counterpoint.safe_text import terminal_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from counterpoint.study import Study

Runs = Annotated[Path, typer.Option("--runs", help="The folder of the run folders.")]
StudyFile = Annotated[Path, typer.Argument(help="A study file.")]
DEFAULT_RUNS = Path("runs")
BEFORE_FITS = ("source", "records", "grouped", "pairs")
"""Stages that need no contender."""


def run(
    study: StudyFile,
    *,
    runs: Runs = DEFAULT_RUNS,
    sets: Sets = None,
    until: Annotated[
        str, typer.Option(help="The last stage to run: records, pairs, fits, scores or report.")
    ] = "report",
    engine: Annotated[
        str | None, typer.Option(help="Where the fits run: local, inline, ray, or package.module:run.")
    ] = None,
    address: Address = None,
) -> None:
    """Run a study from its source to its page.  Finished work in the run folder is kept."""
    given = {"fit.engine": engine, "fit.address": address}
    run_study(study, runs=runs, sets=[*(sets or []), *as_sets(given)], until=until)


def scores(study: StudyFile, *, runs: Runs = DEFAULT_RUNS, sets: Sets = None, part: str = "test") -> None:
    """Print every score of a study with its interval."""
    from counterpoint.schema import TEST_PARTS

    with _opened(study, runs, sets) as opened:
        parts = TEST_PARTS if part == "test" else (part,)
        _print_table(opened.scores().filter(_column("part").is_in(parts)))


def compare(
    study: StudyFile, a: str, b: str, *, metric: str | None = None, runs: Runs = DEFAULT_RUNS, sets: Sets = None
) -> None:
    """Print the paired difference of two contenders: A minus B."""
    with _opened(study, runs, sets) as opened:
        _print_table(opened.compare(a, b, metric=metric))


def findings(study: StudyFile, *, runs: Runs = DEFAULT_RUNS, sets: Sets = None) -> None:
    """Print the finding of each check with its title."""
    from counterpoint.diagnose import title_of

    with _opened(study, runs, sets) as opened:
        for row in opened.findings().iter_rows(named=True):
            title = title_of(row["code"], opened.config.checks.extra) or row["subject"]
            say(f"{row['code']}  {row['severity'].replace('_', ' '):<14}  {title}: {row['explanation']}")


def report(study: StudyFile, *, runs: Runs = DEFAULT_RUNS, sets: Sets = None) -> None:
    """Write the page of a study, and print its path."""
    with _opened(study, runs, sets) as opened:
        say(str(opened.report()))


def sweep(
    path: Annotated[Path, typer.Argument(metavar="SWEEP", help="A sweep file.")],
    *,
    runs: Runs = DEFAULT_RUNS,
    quick: Annotated[bool, typer.Option("--quick", help="Make the changes under quick: on every point.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
) -> None:
    """Run a study many times with one change each time, print the effect of each change, and write a page."""
    from counterpoint.config.sweep import read_sweep

    read_sweep(path)  # raises before the slow imports
    from counterpoint.progress import progress
    from counterpoint.sweep import open_sweep

    with interruptible(lambda: "finished work is kept"), progress() as on_progress:
        opened = open_sweep(path, runs=runs, is_quick=quick, on_progress=on_progress)
        page = opened.report()
    if csv:
        _print_table(opened.swept.table)
    else:
        from counterpoint.report.terminal import sweep_summary

        _print_with_page(sweep_summary(opened.swept), page)


def export_pairs(
    study: StudyFile,
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder to write.  It must be new or empty.")],
    classes: Classes = None,
    resize: Resize = "bilinear",
    runs: Runs = DEFAULT_RUNS,
    sets: Sets = None,
) -> None:
    """Write the pairs with their split as the 2023 study saved them: CSVs of pixels."""
    with _opened(study, runs, sets) as opened:
        account = opened.export_pairs(out, classes=as_list(classes), resize=checked_resize(resize))
    say(exported(account, out))


# What the commands share.


def run_study(study: Path, *, runs: Path, sets: Sequence[str] | None, until: str) -> None:
    """Run a study, and print its summary or where its tables are.

    Parameters
    ----------
    study, runs
        *study* is a study file, and *runs* the folder of the run folders.
    sets, until
        *sets* are changes of the study, and *until* is the last stage.
    """
    with _opened(study, runs, sets) as opened:
        _make(opened, until)
    if until == "report":
        _print_summary(opened)
        _track(opened)
    else:
        say(f"Made {until}. Its tables are in {opened.root / 'tables'}")


def _make(study: "Study", until: str) -> None:
    from counterpoint.study import STAGES

    if until not in (*STAGES, "report"):
        raise ConfigError(f"Unknown stage {until!r}.{did_you_mean(until, (*STAGES, 'report'))}")
    if until not in BEFORE_FITS:
        _check_contenders(study)
    if until == "report":
        study.report()
    else:
        study.made(until)


def _check_contenders(study: "Study") -> None:
    """Raise the error of a wrong setting before hours of reading, unless test rows were scored with these settings."""
    if study.opened.config_hash not in {each["config_hash"] for each in study.test_evaluations()}:
        from counterpoint.contenders.plan import models_of  # which may load torch

        models_of(study.config.contenders, seed=study.config.fit.seeds[0], cache=study.root)


@contextmanager
def _opened(path: Path, runs: Path, sets: Sequence[str] | None) -> "Iterator[Study]":
    from counterpoint.config import read_study

    config = read_study(path, tuple(sets or ()))  # raises before the slow imports
    from counterpoint.progress import progress
    from counterpoint.study import Study

    with interruptible(lambda: "finished work is kept"), progress() as on_progress:
        yield Study(config, runs=runs, on_progress=on_progress, file=path)


def _print_summary(study: "Study") -> None:
    from counterpoint.artifacts import read_json
    from counterpoint.report.terminal import study_summary

    parts = study_summary(read_json(study.root / RESULTS), study.config.evaluate.primary)
    _print_with_page(parts, study.root / PAGE)


def _track(study: "Study") -> None:
    """Log the finished study with the trackers of its file, and print one line for each."""
    if not study.config.track:
        return
    from counterpoint.artifacts import read_json
    from counterpoint.saved.save import save
    from counterpoint.track import FinishedStudy, tracked

    results = read_json(study.root / RESULTS)
    winner = partial(save, study.root)
    finished = FinishedStudy(study.root, results, study.history(), study.key("findings"), winner)
    for outcome in tracked(study.config.track, finished):
        say(f"counterpoint: {outcome.line}" if outcome.is_failure else outcome.line, err=outcome.is_failure)


def _print_with_page(parts: "Iterable[RenderableType]", page: Path) -> None:
    print_parts(parts)
    typer.echo()
    say(f"The page: {page.resolve()}")


def _column(name: str) -> Any:
    import polars as pl

    return pl.col(name)


def _print_table(frame: Any) -> None:
    """Print a table as CSV, for people and for programs."""
    import polars as pl

    shown = frame.with_columns(pl.col(pl.String).map_elements(terminal_text, return_dtype=pl.String))
    typer.echo(shown.write_csv(float_precision=4).rstrip())
