"""The comparison of finished runs: each run against the first, from the settings to the scores and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpoint.compared_runs.answer_changes import ContrastChange, FindingChanges, contrast_change, finding_changes
from counterpoint.compared_runs.changes import (
    Change,
    ContenderChanges,
    contender_changes,
    setting_changes,
    version_changes,
)
from counterpoint.compared_runs.default_settings import filled_settings
from counterpoint.compared_runs.lettered_run import LetteredRun, read_runs
from counterpoint.compared_runs.score_changes import ScoreChange, corrected, score_changes
from counterpoint.compared_runs.shared_rows import SharedRows, row_changes, shared_rows
from counterpoint.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class RunComparison:
    """One run against the reference.

    Parameters
    ----------
    a, b
        *a* is the reference, and *b* the other run.
    settings, versions, data
        *settings*, *versions* and *data* are the values that differ.
    contenders
        *contenders* are the contenders that are new, gone, or have the same fits.
    rows
        *rows* is the account of the rows that both share.
    scores
        *scores* are the changes of the scores that both have.
    metric
        *metric* is the first metric in sentences and figures: the primary one of the reference, if it is compared.
    contrast, findings
        *contrast* is the change of the primary contrast, and *findings* are the changes of the findings.
    """

    a: LetteredRun
    b: LetteredRun
    settings: list[Change]
    versions: list[Change]
    data: list[Change]
    contenders: ContenderChanges
    rows: SharedRows
    scores: list[ScoreChange]
    metric: str | None
    contrast: ContrastChange
    findings: FindingChanges

    @property
    def has_same_classes(self) -> bool:
        """Whether scores can be compared."""
        return self.a.results.classes == self.b.results.classes

    @property
    def has_new_verdict(self) -> bool:
        """Whether the verdicts differ."""
        return self.a.results.answer.verdict != self.b.results.answer.verdict

    @property
    def tried(self) -> list[Change]:
        """The changed settings that may change a score of a contender in both."""
        entries = {f"contenders.{name}" for name in (*self.contenders.added, *self.contenders.removed)}
        return [change for change in self.settings if change.may_change_scores and change.key not in entries]

    @property
    def metrics(self) -> list[str]:
        """The metrics of the scores, the first in sentences first."""
        return list(dict.fromkeys(each.metric for each in self.scores))

    def differs_in(self, metric: str) -> bool:
        """Return whether a contender has another score, or other predictions, in *metric*."""
        return any(each.change is None or not each.change.is_same for each in self.of_metric(metric))

    def of_metric(self, metric: str) -> list[ScoreChange]:
        """Return the changes of the scores of one metric, the largest gain first."""
        own = [each for each in self.scores if each.metric == metric]
        return sorted(own, key=lambda each: -(each.change.value if each.change else float("-inf")))


@dataclass(frozen=True)
class ComparedRuns:
    """Finished runs, each but the first compared with the first.

    Parameters
    ----------
    runs
        *runs* are all runs, the reference first.
    comparisons
        *comparisons* has the comparison of each other run.
    """

    runs: list[LetteredRun]
    comparisons: list[RunComparison]

    @property
    def n_tests(self) -> int:
        """The number of changes with a p, for which p is corrected."""
        return sum(change.p_holm is not None for each in self.comparisons for change in each.scores)


def compare_runs(
    folders: Sequence[Path | str], *, metrics: Sequence[str] | None = None, trusted: Sequence[str] = ()
) -> ComparedRuns:
    """Return the differences of finished runs to the first of them: settings, rows, scores, answer and findings.

    Parameters
    ----------
    folders
        *folders* are run folders of finished studies.  The first is the reference.
    metrics
        *metrics* are the metrics to compare (default: all that two runs have).  p is corrected for these only.
    trusted
        *trusted* are metrics from outside this package that may be imported, such as ``my_lab.metrics:BRIER``.  Others
        are compared without pairing.

    Raises
    ------
    ConfigError
        When there are fewer than two folders, one of them twice, or no run has a metric.
    RunFolderError
        When a folder is missing or damaged, or has no finished study.

    Examples
    --------
    >>> compare_runs(["runs/nowhere", "runs/nowhere"])
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: runs/nowhere and runs/nowhere are the same run folder. Name two different ones.
    """
    return compared(read_runs([Path(folder) for folder in folders], trusted=trusted), metrics)


def compared(runs: Sequence[LetteredRun], metrics: Sequence[str] | None = None) -> ComparedRuns:
    """Return the differences of *runs* to the first of them, in *metrics* (default: all that two runs have).

    Raises
    ------
    ConfigError
        When no run has one of the metrics.
    """
    first, *others = runs
    reported = list(dict.fromkeys(metric for run in runs for metric in run.metrics))
    for metric in metrics or ():
        if metric not in reported:
            raise ConfigError(f"No run reports metric {metric!r}.{did_you_mean(metric, reported)}")
    found = [_compared(first, other, metrics) for other in others]
    scores = corrected([each.scores for each in found])
    return ComparedRuns(list(runs), [_with_scores(each, own) for each, own in zip(found, scores, strict=True)])


def _compared(a: LetteredRun, b: LetteredRun, wanted: Sequence[str] | None) -> RunComparison:
    settings, rows = setting_changes(*filled_settings(a, b)), shared_rows(a, b)
    metrics = [name for name in a.metrics if name in b.metrics and (wanted is None or name in wanted)]
    metrics.sort(key=lambda name: name != a.primary_metric)
    is_comparable = a.results.classes == b.results.classes
    return RunComparison(
        a, b, settings, version_changes(a, b), row_changes(a, b), contender_changes(a, b, settings), rows,
        score_changes(a, b, rows, metrics, with_differences=is_comparable), metrics[0] if metrics else None,
        contrast_change(a, b, rows, is_comparable=is_comparable), finding_changes(a, b),
    )  # fmt: skip


def _with_scores(found: RunComparison, scores: list[ScoreChange]) -> RunComparison:
    return RunComparison(**{**vars(found), "scores": scores})
