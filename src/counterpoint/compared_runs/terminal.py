"""The comparison of runs on a terminal: tables of what changed and of the scores, then the result in sentences."""

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from counterpoint import number_formats as numbers
from counterpoint.compared_runs.changes import Change
from counterpoint.compared_runs.comparison import ComparedRuns, RunComparison
from counterpoint.compared_runs.score_changes import ScoreChange
from counterpoint.compared_runs.sentences import limits, metric_heading, rows_in_words, sentences, shown_value
from counterpoint.safe_text import page_line


def comparison_summary(compared: ComparedRuns) -> Iterator[RenderableType]:
    """Yield the runs, and for each comparison its tables, its limits, and its result in bold sentences."""
    for run in compared.runs:
        role = " (the reference)" if run is compared.runs[0] else ""
        yield Text(page_line(f"{run.letter} {run.folder}{role}: {run.results.answer.headline}", most=1000))
    for found in compared.comparisons:
        yield from _comparison(found)
    if compared.n_tests > 1:
        yield Text(f"p (Holm) is corrected for the {numbers.count(compared.n_tests)} changes with a p that are shown.")


def _comparison(found: RunComparison) -> Iterator[RenderableType]:
    yield from _changes(found)
    yield from (
        _scores(found, metric) for metric in found.metrics if metric == found.metric or found.differs_in(metric)
    )
    yield from _findings(found)
    yield from (Text(f"· {page_line(each, most=1000)}") for each in limits(found))
    yield Text(" ".join(page_line(each, most=1000) for each in sentences(found)), style="bold")
    yield ""


def _changes(found: RunComparison) -> Iterator[RenderableType]:
    groups = {"setting": found.settings, "data": found.data, "version": found.versions}
    for name, changes in groups.items():
        if changes:
            yield _values(found, name, changes)
    yield Text(rows_in_words(found))
    yield ""


def _values(found: RunComparison, name: str, changes: Iterable[Change]) -> Table:
    table = _table(name)
    for run in (found.a, found.b):
        table.add_column(run.letter, overflow="fold")
    for change in changes:
        table.add_row(*(Text(each) for each in (page_line(change.key, most=80), *_ends(change))))
    return table


def _ends(change: Change) -> tuple[str, str]:
    return shown_value(change.before), shown_value(change.after)


def _table(first: str, *, title: str | None = None) -> Table:
    heading = None if title is None else Text(page_line(title), style="italic")
    table = Table(box=SIMPLE_HEAD, title=heading, title_justify="left", collapse_padding=True, pad_edge=False)
    table.add_column(first, overflow="fold")
    return table


def _scores(found: RunComparison, metric: str) -> Table:
    a, b = found.a, found.b
    table = _table("contender", title=f"{metric_heading(found, metric)} on test rows")
    for name in (a.letter, b.letter, f"{b.letter} − {a.letter}", "p (Holm)"):
        table.add_column(name, justify="right")
    for each in found.of_metric(metric):
        table.add_row(*_cells(each), style=_style(each, a.confidence))
    return table


def _style(each: ScoreChange, confidence: float) -> str:
    return "bold" if each.is_clear(confidence) else ""


def _cells(each: ScoreChange) -> Iterator[RenderableType]:
    yield Text(page_line(each.contender, most=60))
    for row in (each.before, each.after):
        yield numbers.narrow_score(row.value, row.low, row.high)
    if each.change is None:
        yield from (numbers.NOTHING,) * 2
        return
    if each.change.is_same:
        yield from ("the same", "")
        return
    mark = "" if each.change.is_paired else "≈ "
    yield f"{mark}{numbers.narrow_signed(each.change.value, each.change.low, each.change.high)}"
    yield numbers.p_value(each.p_holm)


def _findings(found: RunComparison) -> Iterator[Text]:
    changes = found.findings
    for state, rows in (("new", changes.appeared), ("gone", changes.vanished), ("changed", changes.changed)):
        for row in rows:
            severities = f"{row.before.replace('_', ' ')} → {row.after.replace('_', ' ')}"
            yield Text(page_line(f"{row.code} {state} ({severities}): {row.explanation}", most=600))
