"""A contender is on the front if none other is as cheap and as good, and cheaper or better."""

import polars as pl
import pytest

from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.cost_front import cost_table, draw_front, in_words, on_front
from counterpoint.report.drawing.palette import modality_style
from counterpoint.report.scores import ScoreTable


def table(*rows):
    return pl.DataFrame(rows, schema=["value", "ms"], orient="row")


@pytest.mark.parametrize(
    ("rows", "front"),
    [
        ([(0.9, 1.0)], [True]),
        ([(0.9, 1.0), (0.8, 2.0)], [True, False]),
        ([(0.9, 2.0), (0.8, 1.0)], [True, True]),
        ([(0.9, 1.0), (0.9, 2.0)], [True, False]),
        ([(0.9, 1.0), (0.8, 1.0)], [True, False]),
        ([(0.9, 1.0), (0.9, 1.0)], [True, True]),
        ([(0.5, 0.1), (0.7, 0.2), (0.6, 0.3), (0.9, 5.0), (0.85, 9.0)], [True, True, False, True, False]),
    ],
)  # fmt: skip
def test_the_front_of_a_hand_made_table(rows, front):
    assert on_front(table(*rows), "ms").to_list() == front


def test_less_of_a_loss_is_better():
    assert on_front(table((0.9, 1.0), (0.3, 2.0), (0.5, 3.0)), "ms", is_more_better=False).to_list() == [
        True,
        True,
        False,
    ]


def test_the_time_of_a_pair_is_that_of_all_pairs_that_a_fit_predicted():
    keys = {"contender": "svm", "seed": 0, "fold": ["0", "1"]}
    costs = pl.DataFrame({**keys, "fit_s": [1.0, 3.0], "predict_s": [0.2, 0.6], "encode_s": [None, 0.6]})
    rows = pl.DataFrame({"contender": "svm", "seed": 0, "fold": ["0"] * 100 + ["1"] * 200})
    score = {"part": "oof", "metric": "accuracy", "value": 0.9, "low": 0.8, "high": 0.95}
    scores = pl.DataFrame([score | {"contender": "svm"}, score | {"contender": "outside"}])
    found = cost_table(rows, costs, ScoreTable(scores, metric="accuracy", confidence=0.95))
    assert found.row(0, named=True) | {"ms_a_pair": None} == {
        "contender": "svm", "value": 0.9, "low": 0.8, "high": 0.95, "ms_a_pair": None, "fit_s": 2.0,
    }  # fmt: skip
    assert found["ms_a_pair"][0] == pytest.approx((2 + 6) / 2)  # the encoders of the first fit are not known
    assert found["contender"].to_list() == ["svm"]  # an outside model has no cost


def test_the_front_is_named_from_the_cheapest_to_the_best():
    assert in_words(["a", "b", "c"], "fit_s") == (
        "By time of a fit, the front is, from the cheapest to the best: a; b; c."
    )
    assert in_words(["a"], "ms_a_pair") == "By time of a prediction, the cheapest has the best score: a."


TITLES = {"svm": "text, pretrained model", "cnn": "image, pretrained model"}


def drawn(*spent):
    rows = {"contender": list(TITLES), "value": [0.8, 0.9], "low": [0.75, 0.85], "high": [0.85, 0.95], "fit_s": spent}
    contenders = Contenders(tuple(TITLES), dict.fromkeys(TITLES, modality_style(["text"])), TITLES)
    front = pl.Series([True, True])
    return draw_front(pl.DataFrame(rows), front, contenders, cost="fit_s", x_label="s", y_label="score").axes[0]


@pytest.mark.parametrize("spent", [(1.2, 1.3), (3.0, 8.0), (2.0, 40.0), (0.01, 900.0)])
def test_a_cost_axis_of_any_length_has_ticks_that_its_label_describes(spent):
    axes = drawn(*spent)
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 2 <= len(ticks) <= 10
    assert ("ten times" in axes.get_xlabel()) == (ticks[1] == pytest.approx(10 * ticks[0]))


def test_points_of_one_title_are_both_named():
    assert [text.get_text() for text in drawn(0.01, 900.0).texts] == ["pretrained model"] * 2
