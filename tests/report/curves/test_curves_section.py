"""The leading contenders are few, and each figure keeps the numbers that it shows."""

import polars as pl
import pytest

from counterpoint.metrics import find_metric, read_part
from counterpoint.report.behaviour.error_analysis import reliability_bins
from counterpoint.report.behaviour.predicted_classes import predicted_classes
from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.calibration import calibration_data, calibration_section
from counterpoint.report.curves.leading import MOST, dashes, leading_contenders
from counterpoint.report.curves.ranking import ranking_curves, ranking_data
from counterpoint.report.curves.section import curves_section
from counterpoint.report.drawing.palette import modality_style
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.scores import ScoreTable
from report_studies import ALL_METRICS, MODALITIES, study

READS = {"fusion": ("text", "image"), "svm": ("text",), "lstm": ("text",), "cnn": ("image",), "majority": ()}


@pytest.fixture(scope="module", params=[("animal", "person"), ("animal", "person", "place")], ids=["2", "3"])
def outcome(request, tmp_path_factory):
    return study(tmp_path_factory.mktemp("made"), classes=request.param, pictures=0, folds=3, metrics=ALL_METRICS)[:2]


def contenders_of(reads):
    return Contenders(tuple(reads), {name: modality_style(each) for name, each in reads.items()})


def test_the_leading_contenders_are_both_sides_and_the_best_of_each_modality():
    contenders = contenders_of(READS)
    assert leading_contenders(contenders, {"a": "fusion", "b": "lstm"}, present=READS) == (
        "fusion",
        "lstm",
        "svm",
        "cnn",
    )
    assert leading_contenders(contenders, {"a": "fusion", "b": "svm"}, present=READS) == ("fusion", "svm", "cnn")
    assert leading_contenders(contenders, None, present=READS) == ("fusion", "svm", "cnn")
    assert leading_contenders(contenders, {"a": "fusion", "b": "svm"}, present=["majority"]) == ("majority",)
    assert leading_contenders(contenders, None, present=[]) == ()


def test_two_contenders_of_one_colour_have_different_lines():
    lines = dashes(["fusion", "svm", "lstm", "cnn"], contenders_of(READS))
    assert len({str(line) for line in lines.values()}) == MOST


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
def test_the_area_of_the_points_is_the_score_on_the_page(outcome, metric):
    _, tables = outcome
    data = ranking_data(ranking_curves(tables["predictions"], ["late-fusion", "text-svm"]))
    for name in ("late-fusion", "text-svm"):
        x, y = data.filter(metric=metric, contender=name).select("x", "y")
        area = float((x.diff().drop_nulls() * (y + y.shift(1)).drop_nulls() / 2).sum())
        trials = read_part(tables["predictions"], "test", [name]).trials[name]
        by_seed = [
            find_metric(metric)(trial.weigh(pl.ones(len(trial.codes), eager=True).to_numpy()[None])) for trial in trials
        ]
        assert area == pytest.approx(sum(float(value[0]) for value in by_seed) / len(by_seed), abs=1e-3)


def test_the_section_has_every_figure_on_wide_and_narrow_pages(outcome, tmp_path):
    results, tables = outcome
    predicted = predicted_classes(tables["predictions"], primary="balanced_accuracy")
    scores = ScoreTable(tables["scores"], metric="balanced_accuracy", confidence=0.95)
    contenders = contenders_of(MODALITIES)
    with drawing():
        found = curves_section(tables, predicted, scores, contenders, Gallery(tmp_path), primary=results["primary"])
    assert found["contribution"] is None  # the made-up findings have no evidence of it
    for part in ("ranking", "calibration"):
        assert found[part]["figure"].count("<svg") == 2
    assert len(found["cost"]["figures"]) == 2
    assert {path.stem for path in tmp_path.glob("*.csv")} == {path.stem for path in tmp_path.glob("*.png")} == {
        "roc-and-pr", "calibration", "score-and-ms-a-pair", "score-and-fit-s",
    }  # fmt: skip


def test_the_panels_of_confidence_show_the_bins_of_the_leading_contenders(outcome, tmp_path):
    predicted = predicted_classes(outcome[1]["predictions"], primary="balanced_accuracy")
    rows = predicted.rows.filter(contender="text-svm")
    bins = reliability_bins(rows, confidence=0.95)
    data = calibration_data({"text-svm": bins})
    assert data["accuracy"].to_list() == bins["value"].to_list()
    assert data["n"].sum() >= rows["id"].n_unique()
    nothing = predicted_classes(outcome[1]["predictions"].clear(), primary="balanced_accuracy")
    scores = ScoreTable(outcome[1]["scores"], metric="balanced_accuracy", confidence=0.95)
    assert calibration_section(nothing, ["text-svm"], scores, contenders_of(MODALITIES), Gallery(tmp_path)) is None


def test_rows_of_one_class_have_no_curve(outcome):
    predictions = outcome[1]["predictions"].filter(label="animal")
    assert ranking_curves(predictions, ["text-svm"])["roc_auc"] == {}
