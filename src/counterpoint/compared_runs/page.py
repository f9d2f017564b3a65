"""The page of a comparison of runs: the result first, then what changed, every score, and how to make the page."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.compared_runs.changes import Change
from counterpoint.compared_runs.comparison import ComparedRuns, RunComparison
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.compared_runs.score_changes import ScoreChange, metric_label
from counterpoint.compared_runs.sentences import (
    change_in_words,
    limits,
    metric_heading,
    rows_in_words,
    sentences,
    shown_value,
)
from counterpoint.metrics import METRICS, find_metric
from counterpoint.report import glossary
from counterpoint.report.drawing.palette import ModalityStyle, modality_style
from counterpoint.report.drawing.rowplots import Dot, draw_dots
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.rendering import write_html

Content = dict[str, Any]
TERMS = {
    "reference": ("Reference", "The first run, with which each other run is compared."),
    "change": (
        "Change",
        "The score in a run minus the score in the reference. It is paired where both have at least half of their test "
        "rows in common: then it is on these rows. Otherwise it is between two samples of rows.",
    ),
    "p": ("p", "The probability of a change at least this large if there were none. Only a paired change has one."),
    "p_holm": ("p (Holm)", "The same, corrected for all changes with a p on this page (Holm, 1979)."),
    "fits": ("Same fits", "Fits with the same key: the same pairs, settings, encoders, seed and version."),
}
SHARED_TERMS = ("interval", "contender", "seed", "group")


def write_comparison_page(path: Path, compared: ComparedRuns) -> Path:
    """Write the page of a comparison of runs to *path*, and return it.

    Raises
    ------
    RunFolderError
        When it cannot be written.
    """
    with drawing(), TemporaryDirectory() as folder:
        gallery = Gallery(Path(folder))  # the page has its figures in it, so the files are not kept
        return write_html(path.parent, "compared_runs.html.j2", _content(compared, gallery), name=path.name)


def _content(compared: ComparedRuns, gallery: Gallery) -> Content:
    first, *others = compared.runs
    names = _names(compared.runs)
    titles = [f"{run.letter} ({names[run.letter]})" for run in (*others, first)]
    title = f"{', '.join(titles[:-1])} against {titles[-1]}"
    modalities = {name: reads for run in compared.runs for name, reads in run.results.modalities.items()}
    return {
        "title": title,
        "runs": [_run(run) | {"name": names[run.letter]} for run in compared.runs],
        "comparisons": [_comparison(each, gallery) | {"name": names[each.b.letter]} for each in compared.comparisons],
        "n_tests": compared.n_tests,
        "level": numbers.level(first.confidence),
        "style_of": lambda name: modality_style(modalities.get(name)),
        "command": f"counterpoint compare-runs {' '.join(_shown_folder(run) for run in compared.runs)}",
        "terms": _terms(compared),
    }


def _names(runs: Sequence[LetteredRun]) -> dict[str, str]:
    """Return the name of the folder of each run by its letter, with the folder around it where two have one name."""
    places = {run.letter: run.folder.resolve() for run in runs}
    names = [place.name for place in places.values()]
    return {
        letter: place.name if names.count(place.name) == 1 else f"{place.parent.name}/{place.name}"
        for letter, place in places.items()
    }


def _shown_folder(run: LetteredRun) -> str:
    """Return the folder of a run without the folders of this machine."""
    return run.folder.name if run.folder.is_absolute() else str(run.folder)


def _run(run: LetteredRun) -> Content:
    results = run.results
    contrast = run.contrast
    return {
        "letter": run.letter,
        "study": results.study,
        "verdict": results.answer.verdict.replace("_", " "),
        "headline": results.answer.headline,
        "contrast": None if contrast is None else [
            contrast.a, contrast.b, numbers.signed_with_interval(contrast.difference, contrast.low, contrast.high),
        ],
        "facts": {
            "pairs": numbers.count(results.rows.pairs),
            "test rows": numbers.count(run.test["id"].n_unique()),
            "primary metric": run.primary_metric,
            "Counterpoint": results.version,
            "settings": results.config_hash or numbers.NOTHING,
        },
    }  # fmt: skip


def _comparison(found: RunComparison, gallery: Gallery) -> Content:
    return {
        "a": found.a.letter,
        "b": found.b.letter,
        "sentences": sentences(found),
        "limits": limits(found),
        "rows": rows_in_words(found),
        "groups": {name: list(map(_values, changes)) for name, changes in _groups(found).items() if changes},
        "figure": _figure(found, gallery),
        "heading": metric_heading(found, found.metric) if found.metric else "",
        "scores": [_score(found, each) for metric in found.metrics for each in found.of_metric(metric)],
        "contrast": change_in_words(found.contrast.change) if found.contrast.change else None,
        "findings": found.findings._asdict(),
    }


def _groups(found: RunComparison) -> dict[str, list[Change]]:
    return {"Settings": found.settings, "Data": found.data, "Versions": found.versions}


def _values(change: Change) -> Content:
    return {"key": change.key, "before": shown_value(change.before), "after": shown_value(change.after)}


def _figure(found: RunComparison, gallery: Gallery) -> Any:
    """Return the changes in the first metric as a figure, or None without any."""
    if found.metric is None or not found.has_same_classes:
        return None
    rows = [_dot(found, each) for each in found.of_metric(found.metric) if each.change and not each.change.is_same]
    if not rows:
        return None
    label = metric_label(found.metric, [found.a, found.b])
    title = f"{found.b.letter} − {found.a.letter}: {label}"
    alt = f"{title}: " + "; ".join(f"{row.label} {row.note}" for row in rows) + "."
    draw = partial(draw_dots, rows, zero=0, x_label=f"lower in {found.b.letter} ← {label} → higher in {found.b.letter}")
    return gallery.add_rows(f"changes-{found.b.letter}", title, draw, alt=alt)


def _dot(found: RunComparison, each: ScoreChange) -> Dot:
    style: ModalityStyle = modality_style(found.b.results.modalities.get(each.contender))
    change, is_clear = each.change, each.is_clear(found.a.confidence)
    assert change is not None
    low, high = (math.nan if end is None else end for end in (change.low, change.high))
    return Dot(
        each.contender, change.value, low, high, change_in_words(change),
        colour=style.colour, marker=style.marker, is_hollow=not is_clear, is_bold=is_clear,
    )  # fmt: skip


def _score(found: RunComparison, each: ScoreChange) -> Content:
    return {
        "contender": each.contender,
        "metric": metric_heading(found, each.metric),
        "before": each.before,
        "after": each.after,
        "change": each.change,
        "p_holm": each.p_holm,
        "is_clear": each.is_clear(found.a.confidence),
    }


def _terms(compared: ComparedRuns) -> list[tuple[str, str, str]]:
    names = dict.fromkeys(metric for found in compared.comparisons for metric in found.metrics if metric in METRICS)
    metrics = [(name, find_metric(name).label, find_metric(name).explanation) for name in names]
    shared = {key: glossary.TERMS[key] for key in SHARED_TERMS}
    return [*metrics, *((key, name, meaning) for key, (name, meaning) in (TERMS | shared).items())]
