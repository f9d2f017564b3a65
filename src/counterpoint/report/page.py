"""The page: one file that opens offline, states the answer first, then its uncertainty, then all that it rests on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from counterpoint import number_formats as numbers
from counterpoint import schema
from counterpoint.config import Evaluate, Page, Split
from counterpoint.formats.images import ImageReader
from counterpoint.measures.disagreements import read_rows
from counterpoint.metrics.decision import rule_of
from counterpoint.report import comparison, record, where_it_helps
from counterpoint.report.behaviour import architecture
from counterpoint.report.behaviour import section as behaviour
from counterpoint.report.behaviour.predicted_classes import PredictedClasses, predicted_classes
from counterpoint.report.contenders import Contenders, ranked_contenders
from counterpoint.report.curves.section import curves_section
from counterpoint.report.curves.size_of_data import size_of_data_section
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.findings import section as findings
from counterpoint.report.findings.checklist import checklist_section
from counterpoint.report.first_screen.section import first_screen
from counterpoint.report.first_screen.sides import Sides
from counterpoint.report.pairs import disagreements, pair_map, rows
from counterpoint.report.rendering import write_html
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame

TABLES: Mapping[str, schema.Columns] = {
    "pairs": schema.PAIRS,
    "dropped": schema.DROPPED,
    "predictions": schema.PREDICTIONS,
    "history": schema.HISTORY,
    "costs": schema.COSTS,
    "scores": schema.SCORES,
    "repeats": schema.REPEATS,
    "differences": schema.DIFFERENCES,
    "findings": schema.FINDINGS,
    "agreement": schema.AGREEMENT,
    "segments": schema.SEGMENTS,
    "segment_searches": schema.SEGMENT_SEARCHES,
    "clusters": schema.CLUSTERS,
    "sizes": schema.SIZES,
    "size_curves": schema.SIZE_CURVES,
    "map": schema.MAP,
}
Content = dict[str, Any]
N_LEADING = 2
"""So many contenders of a section are shown, the two of the primary contrast first.  The others are folded."""


def write_page(
    folder: Path,
    results: Mapping[str, Any],
    tables: Mapping[str, Frame],
    *,
    models: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``report.html`` and ``figures/`` into *folder* and return the page's path.

    Parameters
    ----------
    folder
        *folder* is the run folder. Figures of an earlier page that this one lacks are removed from it.
    results
        *results* is the content of results.json. Any key except "study" may be absent.
    tables
        *tables* are by the names of `TABLES`. A section whose table is absent or has no rows is left out.
    models
        *models* are fits by contender, of the first test fold and seed, for their words and layers.

    Raises
    ------
    RunFolderError
        When *folder* cannot be written, or the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     page = write_page(Path(folder), {"study": "photos"}, {}).read_text(encoding="utf-8")
    >>> "<title>photos" in page
    True
    """
    every = {name: tables.get(name, schema.empty(columns)) for name, columns in TABLES.items()}
    with ImageReader() as images, drawing():
        gallery = Gallery(folder / "figures")
        path = write_html(folder, "page.html.j2", _content(results, every, models or {}, images, gallery))
        gallery.remove_others()
    return path


def _content(
    results: Mapping[str, Any],
    tables: Mapping[str, Frame],
    models: Mapping[str, Any],
    reader: ImageReader,
    gallery: Gallery,
) -> Content:
    settings, pairs = _settings(results), tables["pairs"]
    images = reader if settings.page.example_images else None
    scores = ScoreTable(tables["scores"], metric=_metric(results, settings), confidence=settings.evaluate.confidence)
    others, modalities = [tables["predictions"], tables["costs"]], results.get("modalities") or {}
    kinds = settings.kinds
    contenders = ranked_contenders(scores, others, modalities=modalities, models=models, kinds=kinds)
    primary = results.get("primary")
    leading = contenders.led_by((primary or {}).get(side, "") for side in ("a", "b"))
    sides = Sides(results, tables, scores, contenders, settings.evaluate, kinds)
    predicted = predicted_classes(
        tables["predictions"], primary=settings.evaluate.primary, confidence=settings.evaluate.confidence
    )
    return (
        _facts(results, tables, settings)
        | {"first": first_screen(sides, images)}
        | _comparison(results, tables, scores, contenders, gallery)
        | where_it_helps.content(results, tables, settings.evaluate, gallery, shows_words=settings.page.example_images)
        | _test_rows(results, tables, images, gallery, classes=predicted.classes, settings=settings)
        | {"size_of_data": size_of_data_section(tables["sizes"], tables["size_curves"], contenders, gallery)}
        | _data(results, tables, images, gallery)
        | _learning(tables["history"], pairs, models, contenders, gallery)
        | _errors(pairs, predicted, leading, images, gallery)
        | _words(pairs, models, predicted, leading)
        | {"figures_of_contenders": curves_section(tables, predicted, scores, contenders, gallery, primary=primary)}
        | _record(results, tables, scores, contenders, settings)
    )


class _Settings(NamedTuple):
    evaluate: Evaluate
    split: Split
    page: Page
    kinds: Mapping[str, str]


def _settings(results: Mapping[str, Any]) -> _Settings:
    config = _config(results)
    return _Settings(
        Evaluate.read(config.get("evaluate") or {}, where="evaluate"),
        Split.read(config.get("split") or {}, where="split"),
        Page.read(config.get("page") or {}, where="page"),
        {each["name"]: each["kind"] for each in config.get("contenders") or [] if {"name", "kind"} <= set(each)},
    )


def _config(results: Mapping[str, Any]) -> dict[str, Any]:
    return yaml.safe_load(results.get("config") or "") or {}


def _metric(results: Mapping[str, Any], settings: _Settings) -> str:
    """Return the metric that decides."""
    return str((results.get("primary") or {}).get("metric") or settings.evaluate.primary)


def _facts(results: Mapping[str, Any], tables: Mapping[str, Frame], settings: _Settings) -> Content:
    labels = tables["pairs"]["label"].drop_nulls().n_unique()
    return {
        "title": settings.page.title or results["study"],
        "n_classes": len(schema.class_names(tables["predictions"])) or labels,
        "level": numbers.level(settings.evaluate.confidence),
        "shows_examples": settings.page.example_images,
        "attribution": results.get("attribution"),
        "version": results.get("version"),
    }


def _comparison(
    results: Mapping[str, Any],
    tables: Mapping[str, Frame],
    scores: ScoreTable,
    contenders: Contenders,
    gallery: Gallery,
) -> Content:
    differences = tables["differences"]
    contrast = comparison.contrast_section(
        differences, scores, contenders, gallery, primary=results.get("primary"),
        modalities=results.get("modalities"), repeats=tables["repeats"],
    )  # fmt: skip
    return {
        "style_of": contenders.style,
        "title_of": contenders.title,
        "metrics": scores.metrics,
        "primary_metric": scores.metric,
        "decision_rule": rule_of(scores.metric),
        "is_out_of_fold": scores.is_out_of_fold,
        "answer": comparison.answer_section(results.get("answer") or {}, contrast),
        "contrast": contrast,
        "best": comparison.best_score(scores, contenders),
        "scores": comparison.scores_section(scores, contenders, gallery),
        "differences": comparison.differences_section(differences, scores, contenders, gallery),
    }


def _test_rows(
    results: Mapping[str, Any],
    tables: Mapping[str, Frame],
    images: ImageReader | None,
    gallery: Gallery,
    *,
    classes: Sequence[str],
    settings: _Settings,
) -> Content:
    """Return the two sections on single test rows: the disagreements, and the map."""
    modalities, metric = results.get("modalities") or {}, settings.evaluate.primary
    read = read_rows(tables["predictions"], modalities, metric, results.get("primary"))
    section = disagreements.disagreements_section(
        read, disagreements.row_facts(tables), classes=classes, titles=results.get("titles") or {},
        confidence=settings.evaluate.confidence, reader=images,
    )  # fmt: skip
    places = pair_map.map_section(tables, read, gallery, classes=classes, shows_examples=settings.page.example_images)
    return {"disagreements": section, "pair_map": places}


def _data(
    results: Mapping[str, Any], tables: Mapping[str, Frame], images: ImageReader | None, gallery: Gallery
) -> Content:
    pairs, dropped = tables["pairs"], tables["dropped"]
    n_in = (results.get("rows") or {}).get("in") or len(pairs) + len(dropped)
    return {
        "journey": rows.rows_section(n_in, pairs, dropped, gallery),
        "notes": rows.source_notes(tables["findings"]),
        "classes": rows.classes_section(pairs, gallery),
        "examples": None if images is None else rows.examples_section(pairs, images, gallery),
        "least_agreeing": None if images is None else rows.least_agreeing_section(pairs, tables["agreement"], images),
    }


def _learning(
    history: Frame, pairs: Frame, models: Mapping[str, Any], contenders: Contenders, gallery: Gallery
) -> Content:
    return {
        "curves": behaviour.learning_curves_section(history, contenders, gallery),
        "architectures": architecture.networks_section(pairs, models, contenders, gallery),
    }


def _errors(
    pairs: Frame, predicted: PredictedClasses, contenders: Contenders, images: ImageReader | None, gallery: Gallery
) -> Content:
    return {
        "n_leading": N_LEADING,
        "confusions": behaviour.confusions_section(predicted, contenders, gallery),
        "reliabilities": behaviour.reliabilities_section(predicted, contenders, gallery),
        "lengths": behaviour.lengths_section(pairs, predicted, contenders, gallery),
        "mistakes": behaviour.mistakes_section(pairs, predicted, contenders, images),
    }


def _words(pairs: Frame, models: Mapping[str, Any], predicted: PredictedClasses, contenders: Contenders) -> Content:
    return {
        "weights": behaviour.weights_section(models, contenders),
        "removals": behaviour.removals_section(pairs, models, predicted, contenders),
    }


def _record(
    results: Mapping[str, Any],
    tables: Mapping[str, Frame],
    scores: ScoreTable,
    contenders: Contenders,
    settings: _Settings,
) -> Content:
    seeds = sorted(tables["predictions"]["seed"].drop_nulls().unique().to_list())
    return {
        "findings": findings.findings_section(
            tables["findings"], tables["pairs"], titles=results.get("titles"), advice=results.get("advice")
        ),
        "checklist": checklist_section(results, tables, config=_config(results)),
        "costs": record.costs_section(tables["costs"], contenders),
        "test_evaluations": results.get("test_evaluations") or [],
        "reproduction": record.reproduction_section(results, seeds=seeds, split_seed=settings.split.seed),
        "terms": record.study_terms(scores.metrics),
    }
