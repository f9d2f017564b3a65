"""The change of every score between two runs: paired on shared test rows, or else between two samples of rows."""

from collections.abc import Sequence
from typing import NamedTuple

from counterpoint.compare.holm import holm
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.compared_runs.paired import Measured, measured, on_shared_rows, rounded
from counterpoint.compared_runs.results_form import DifferenceForm, ScoreForm
from counterpoint.compared_runs.shared_rows import SharedRows
from counterpoint.metrics import find_metric
from counterpoint.metrics.intervals import independent_difference


class ScoreChange(NamedTuple):
    """One metric of one contender in two runs.

    Parameters
    ----------
    contender, metric
        *contender* and *metric* are names that both runs have.
    before, after
        *before* and *after* are the scores of each run on all of its own test rows.
    change
        *change* is *after* minus *before* on the shared rows, or on the rows of each run where none are shared.
    p_holm
        *p_holm* is p corrected for all changes that are shown, or None.
    """

    contender: str
    metric: str
    before: ScoreForm
    after: ScoreForm
    change: Measured | None
    p_holm: float | None = None

    def is_clear(self, confidence: float) -> bool:
        """Return whether the change is not 0, after the correction."""
        return self.p_holm is not None and self.p_holm < 1 - confidence


def score_changes(
    a: LetteredRun, b: LetteredRun, rows: SharedRows, metrics: Sequence[str], *, with_differences: bool = True
) -> list[ScoreChange]:
    """Return the change of each of the *metrics* of each contender that both runs have, without p_holm.

    Parameters
    ----------
    a, b
        *a* is the reference, and *b* the other run.
    rows
        *rows* is the result of `shared_rows`.
    metrics
        *metrics* are the metrics to compare.
    with_differences
        *with_differences* is False where scores cannot be compared, as between other classes.
    """
    both = [key for key in a.scores if key in b.scores and key[1] in metrics]
    names = list(dict.fromkeys(contender for contender, _ in both))
    paired = _paired(a, b, rows, names, metrics) if with_differences and rows.why_not is None else {}
    found = []
    for contender in names:
        for metric in metrics:
            key = contender, metric
            if key in both:
                apart = unpaired(a.scores[key], b.scores[key]) if with_differences else None
                found.append(ScoreChange(*key, a.scores[key], b.scores[key], paired.get(key, apart)))
    return found


def _paired(
    a: LetteredRun, b: LetteredRun, rows: SharedRows, names: Sequence[str], metrics: Sequence[str]
) -> dict[tuple[str, str], Measured]:
    usable = [name for name in metrics if all(run.can_import(name) for run in (a, b))]
    if not all(run.can_import(run.primary_metric) for run in (a, b)):
        return {}
    before, after = (on_shared_rows(run, names, usable, rows.test) for run in (a, b))
    return {
        (name, metric): measured(after[name][metric], found, a.confidence)
        for name, of_name in before.items()
        for metric, found in of_name.items()
    }


def unpaired(before: ScoreForm | DifferenceForm, after: ScoreForm | DifferenceForm) -> Measured | None:
    """Return *after* minus *before* as of two independent samples.  It has no p, and None where a score is not known.

    The arms of its interval are added in quadrature, as in a sweep.
    """
    one, other = (_ends(each) for each in (after, before))
    if one is None or other is None:
        return None
    value, low, high = map(rounded, independent_difference(one, other))
    return Measured(value, low, high, is_paired=False)


def _ends(found: ScoreForm | DifferenceForm) -> tuple[float, float, float] | None:
    value = found.value if isinstance(found, ScoreForm) else found.difference
    if value is None or found.low is None or found.high is None:
        return None
    return value, found.low, found.high


def corrected(lists: Sequence[Sequence[ScoreChange]]) -> list[list[ScoreChange]]:
    """Return the *lists* of changes with p_holm: p corrected for all changes of all lists."""
    tested = [change.change.p for each in lists for change in each if change.change and change.change.p is not None]
    left = iter(holm(tested))
    return [
        [
            change if change.change is None or change.change.p is None else change._replace(p_holm=next(left))
            for change in each
        ]
        for each in lists
    ]


def metric_label(name: str, runs: Sequence[LetteredRun]) -> str:
    """Return the name of a metric as it stands within a sentence.  One that is not trusted keeps its path."""
    return find_metric(name).name_within if all(run.can_import(name) for run in runs) else name
