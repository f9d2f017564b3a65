"""The answers of two runs: verdict, headline, primary contrast, and the findings that appeared or vanished."""

from typing import NamedTuple

from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.compared_runs.paired import Measured, contrast_on_shared_rows, measured
from counterpoint.compared_runs.results_form import DifferenceForm, FindingForm
from counterpoint.compared_runs.score_changes import unpaired
from counterpoint.compared_runs.shared_rows import SharedRows
from counterpoint.schema import ALARMS

_RANKS = {"info": 1, "warn": 2, "fail": 3}
ABSENT = "not there"


class ContrastChange(NamedTuple):
    """The primary contrast of each run, and its change, or the reason for which it has none."""

    before: DifferenceForm | None
    after: DifferenceForm | None
    change: Measured | None
    why_not: str | None = None


def contrast_change(a: LetteredRun, b: LetteredRun, rows: SharedRows, *, is_comparable: bool) -> ContrastChange:
    """Return the change of the primary contrast: the gain of *b* minus the gain of *a*.

    Two contrasts of which only one is shown to differ from 0 need not differ from each other (Gelman and Stern, The
    American Statistician 2006).  So their difference has an interval of its own.

    Parameters
    ----------
    a, b
        *a* is the reference, and *b* the other run.
    rows
        *rows* is the result of `shared_rows`.
    is_comparable
        *is_comparable* is False where scores cannot be compared, as between other classes.
    """
    before, after = a.contrast, b.contrast
    if before is None or after is None:
        none = " and ".join(run.letter for run in (a, b) if run.contrast is None)
        return ContrastChange(before, after, None, f"{none} {'has' if len(none) == 1 else 'have'} none")
    if before.metric != after.metric:
        return ContrastChange(before, after, None, "the primary metrics differ")
    if not is_comparable:
        return ContrastChange(before, after, None, "the classes differ")
    if rows.why_not is None and a.n_repeats == b.n_repeats == 1:
        gains = [contrast_on_shared_rows(run, rows.test) for run in (a, b)]
        if gains[0] is not None and gains[1] is not None:
            return ContrastChange(before, after, measured(gains[1], gains[0], a.confidence))
    return ContrastChange(before, after, unpaired(before, after))


class FindingChange(NamedTuple):
    """A finding whose severity differs between two runs, with the explanation of the run in which it is an alarm."""

    code: str
    subject: str
    title: str
    before: str
    after: str
    explanation: str

    @property
    def is_alarm_before(self) -> bool:
        """Whether it warns or fails in the reference."""
        return self.before in ALARMS

    @property
    def is_alarm_after(self) -> bool:
        """Whether it warns or fails in the other run."""
        return self.after in ALARMS


class FindingChanges(NamedTuple):
    """The alarms that appeared, vanished, or have another severity."""

    appeared: list[FindingChange]
    vanished: list[FindingChange]
    changed: list[FindingChange]


def finding_changes(a: LetteredRun, b: LetteredRun) -> FindingChanges:
    """Return the findings that are alarms (warn or fail) in one of two runs, and not with the same severity in both."""
    before, after = _by_subject(a), _by_subject(b)
    found = []
    for key in dict.fromkeys([*before, *after]):
        was, now = (each[key].severity if key in each else ABSENT for each in (before, after))
        shown = after[key] if now in ALARMS else before.get(key)
        if was != now and shown is not None:
            title = b.results.titles.get(shown.code) or a.results.titles.get(shown.code) or shown.subject
            found.append(FindingChange(shown.code, shown.subject, title, was, now, shown.explanation))
    return FindingChanges(
        [each for each in found if each.is_alarm_after and not each.is_alarm_before],
        [each for each in found if each.is_alarm_before and not each.is_alarm_after],
        [each for each in found if each.is_alarm_before and each.is_alarm_after],
    )


def _by_subject(run: LetteredRun) -> dict[tuple[str, str], FindingForm]:
    """Return the most severe finding of each check and subject."""
    found: dict[tuple[str, str], FindingForm] = {}
    for row in sorted(run.results.findings, key=lambda row: _RANKS.get(row.severity, 0)):
        found[row.code, row.subject] = row
    return dict(sorted(found.items()))
