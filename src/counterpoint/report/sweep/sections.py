"""The sections of a sweep's page, each as what its template asks for; its figures are saved on the way."""

import math
from functools import partial
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.report import glossary, panels
from counterpoint.report.behaviour import best_epochs
from counterpoint.report.rowplots import Dot, dots
from counterpoint.report.svg import Gallery
from counterpoint.report.sweep import curves as figures
from counterpoint.report.sweep.material import Changes, Curve, Learned, Row, Swept, short
from counterpoint.report.sweep.scale import Scale
from counterpoint.report.sweep.sentences import by_chance, sentences
from counterpoint.schema import Frame

Content = dict[str, Any]
LABEL_PX = 250
TERMS = {
    "variant": ("Variant", "A state of the study from which changes are made, one at a time."),
    "change": ("Change", "One setting, or a few that belong together, made otherwise than on its variant."),
    "p": ("p", "How surprising the difference would be if the change did nothing; for the same test pairs only."),
    "p_holm": ("p (Holm)", "The same, made stricter for how many changes of that variant and contender were tried."),
}
SHARED_TERMS = ("interval", "contender", "validation", "seed", "group")


def answer(swept: Swept) -> Content:
    """Return what the sweep shows, and by variant and contender which intervals are clear of 0."""
    return {
        "sentences": sentences(swept),
        "variants": [each for each in swept.changes if each.known],
        "by_chance": by_chance(sum(len(each.known) for each in swept.changes), swept.evaluate.confidence),
        "n": sum(len(each.known) for each in swept.changes),
    }


def differences(swept: Swept, gallery: Gallery) -> list[Content]:
    """Return, for each variant and contender, every difference to the variant's own score, the largest gain first."""
    return [_differences(swept, gallery, each) for each in swept.changes if each.known]


def _differences(swept: Swept, gallery: Gallery, changes: Changes) -> Content:
    rows = [_difference(row) for row in changes.known]
    label = f"loses ← {swept.metric.name_within} → gains"
    draw = partial(dots, rows, zero=0, x_label=label, label_px=LABEL_PX)
    title = f"From {changes.variant}: each change's difference, {changes.contender}"
    alt = f"{title}: " + "; ".join(f"{row.label} {row.note}" for row in rows) + "."
    name = f"differences-{changes.variant}-{changes.contender}"
    return {
        "variant": changes.variant,
        "contender": changes.contender,
        "figure": gallery.add_rows(name, title, draw, alt=alt),
        "n": len(rows),
        "n_unpaired": sum(row["p"] is None for row in changes.known),
    }


def _difference(row: Row) -> Dot:
    return Dot(
        _label(row), row["difference"], _known(row["difference_low"]), _known(row["difference_high"]),
        numbers.signed_with_interval(row["difference"], row["difference_low"], row["difference_high"]),
        colour="ink" if row["is_clear"] else "muted", is_hollow=not row["is_clear"], is_bold=row["is_clear"],
    )  # fmt: skip


def scores(swept: Swept, gallery: Gallery) -> list[Content]:
    """Return, for each variant and contender, the scores on test, validation and training rows, the best first."""
    found = []
    for each in swept.changes:
        rows = [row for row in each.rows if row["score"] is not None]
        rows.sort(key=lambda row: -row["score"])
        if each.own and each.own["score"] is not None:
            rows.insert(0, each.own)
        if rows:
            found.append(_scores(swept, gallery, each, [_score(row, swept) for row in rows]))
    return found


def _scores(swept: Swept, gallery: Gallery, changes: Changes, rows: list[Dot]) -> Content:
    label = f"{swept.metric.name_within}: ● test, □ validation, △ training"
    title = f"From {changes.variant}: scores of {changes.contender}"
    alt = f"{title} on test pairs: " + "; ".join(f"{row.label} {row.note}" for row in rows) + "."
    draw = partial(dots, rows, x_label=label, label_px=LABEL_PX)
    figure = gallery.add_rows(f"scores-{changes.variant}-{changes.contender}", title, draw, alt=alt)
    return {"variant": changes.variant, "contender": changes.contender, "figure": figure}


def _score(row: Row, swept: Swept) -> Dot:
    beside = tuple(
        (row[part], marker) for part, marker in (("train", "^"), ("validation", "s")) if row[part] is not None
    )
    return Dot(
        _label(row), row["score"], _known(row["low"]), _known(row["high"]),
        numbers.score_with_interval(row["score"], row["low"], row["high"]),
        colour=swept.style_of(row["contender"]).colour, is_bold=row["choice"] is None, beside=beside,
        beside_colour="warn" if row["is_gap"] else "muted",
    )  # fmt: skip


def _label(row: Row) -> str:
    return f"{row['variant']} as it is" if row["choice"] is None else row["choice"]


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def curves(swept: Swept, gallery: Gallery) -> Content | None:
    """Return the curves in one figure, and each on its own with its training and validation scores."""
    if not swept.curves:
        return None
    key = swept.curves[0].key
    draw = partial(figures.together, swept.curves, y_label=swept.metric.name_within)
    title = f"{swept.metric.label} on test pairs against {short(key)}, {swept.confidence} interval"
    alt = f"{title}: " + "; ".join(_in_words(curve) for curve in swept.curves) + "."
    drawn = [
        _alone(swept, gallery, curve, figures.LOOKS[place % len(figures.LOOKS)])
        for place, curve in enumerate(swept.curves)
    ]
    return {"key": key, "figure": gallery.add_rows("curve", title, draw, alt=alt), "panels": drawn}


def _alone(swept: Swept, gallery: Gallery, curve: Curve, look: figures.Look) -> Content:
    title = f"{curve.variant}: {curve.contender}"
    figure = figures.alone(curve, y_label=swept.metric.name_within, look=look)
    alt = f"Training, validation and test scores of {_in_words(curve)}."
    svg = gallery.add(f"curve-{title}", f"Train, validation, test: {title}", figure, alt=alt)
    return {"look": look, "title": title, "figure": svg}


def _in_words(curve: Curve) -> str:
    rows = (f"{row['value']} {numbers.score(row['score'])}" for row in curve.rows)
    return f"{curve.variant}, {curve.contender}: {', '.join(rows)}"


def learning(swept: Swept, gallery: Gallery) -> list[Content]:
    """Return loss and accuracy by epoch of each variant's own point, the epoch of lowest validation loss marked."""
    return [_learning(gallery, *each) for each in swept.histories()]


def _learning(gallery: Gallery, learned: Learned, who: str, rows: Frame) -> Content:
    best = best_epochs(rows)
    at = f" at {learned.value}" if learned.value is not None else ""
    title = f"{learned.variant}{at}: {who}"
    figure = panels.learning(rows, best=best if len(best) else None)
    n_fits = rows.select("seed", "fold").n_unique()
    svg = gallery.add(f"learning-{title}", f"Learning: {title}", figure, alt=f"Loss and accuracy by epoch, {title}.")
    return {
        "contender": rows["contender"][0],
        "title": title,
        "figure": svg,
        "n_fits": n_fits,
        "n_epochs": rows["epoch"].max(),
        "best": (best["epoch"].min(), best["epoch"].max()) if len(best) else None,
    }


def table(swept: Swept) -> Content:
    """Return every row of the sweep, the variant's own rows first, and the columns that hold values."""
    rows = [row for each in swept.changes for row in ([each.own] if each.own else []) + each.rows]
    rows += [row for curve in swept.curves for row in curve.rows]
    return {
        "rows": rows,
        "has_changes": bool(swept.changes),
        "has_values": bool(swept.curves),
        "key": short(swept.curves[0].key) if swept.curves else "",
        "is_numeric": Scale([row["value"] for row in rows if row["value"] is not None]).is_numeric,
        "n_gaps": sum(row["is_gap"] for row in rows),
        "n_pairs": sorted({row["n"] for row in rows}),
        "seeds": sorted({row["seeds"] for row in rows}),
        "n_points": len({(row["variant"], row["choice"], row["value"]) for row in rows}),
    }


def terms(swept: Swept) -> list[tuple[str, str, str]]:
    """Return the words to explain: the metric, the sweep's own, and those of every study that stand on the page."""
    first = (swept.metric_key, swept.metric.label, swept.metric.explanation)
    shared = {key: glossary.TERMS[key] for key in SHARED_TERMS}
    return [first, *((key, name, meaning) for key, (name, meaning) in (TERMS | shared).items())]
