"""The comparison of runs as JSON-like values, for programs."""

from collections.abc import Mapping
from typing import Any

from counterpoint import __version__
from counterpoint.compared_runs.comparison import ComparedRuns, RunComparison
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.compared_runs.paired import Measured
from counterpoint.compared_runs.results_form import DifferenceForm
from counterpoint.compared_runs.score_changes import ScoreChange
from counterpoint.compared_runs.sentences import limits, sentences


def json_of(compared: ComparedRuns) -> dict[str, Any]:
    """Return a comparison of runs as JSON-like values."""
    return {
        "version": __version__,
        "runs": [_run(run) for run in compared.runs],
        "n_tests": compared.n_tests,
        "comparisons": [_comparison(found) for found in compared.comparisons],
    }


def _run(run: LetteredRun) -> dict[str, Any]:
    results = run.results
    return {
        "run": run.letter,
        "folder": str(run.folder),
        "study": results.study,
        "version": results.version,
        "config_hash": results.config_hash,
        "primary_metric": run.primary_metric,
        "confidence": run.confidence,
        "classes": results.classes,
        "verdict": results.answer.verdict,
        "headline": results.answer.headline,
        "primary_contrast": _contrast(run.contrast),
    }


def _contrast(found: DifferenceForm | None) -> dict[str, Any] | None:
    return None if found is None else found.model_dump(exclude={"is_primary"})


def _comparison(found: RunComparison) -> dict[str, Any]:
    contrast = found.contrast
    return {
        "a": found.a.letter,
        "b": found.b.letter,
        "sentences": sentences(found),
        "limits": limits(found),
        "settings": [change._asdict() for change in found.settings],
        "versions": [change._asdict() for change in found.versions],
        "data": [change._asdict() for change in found.data],
        "contenders": found.contenders._asdict(),
        "rows": found.rows.counts | {"not_paired_because": found.rows.why_not},
        "scores": [_score(each) for each in found.scores],
        "primary_contrast": {"change": _change(contrast.change), "not_compared_because": contrast.why_not},
        "verdict_changed": found.has_new_verdict,
        "findings": {state: [each._asdict() for each in rows] for state, rows in found.findings._asdict().items()},
    }


def _score(each: ScoreChange) -> dict[str, Any]:
    kept = {"value", "low", "high", "n", "seeds"}
    return {
        "contender": each.contender,
        "metric": each.metric,
        "a": each.before.model_dump(include=kept),
        "b": each.after.model_dump(include=kept),
        "change": _change(each.change, p_holm=each.p_holm),
    }


def _change(change: Measured | None, **others: float | None) -> Mapping[str, Any] | None:
    return None if change is None else change._asdict() | others
