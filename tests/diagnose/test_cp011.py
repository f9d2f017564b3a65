"""CP011 warns where fits differ by more than the stated error, and the answer says what its interval leaves out."""

import json

import numpy as np
import polars as pl
import pytest

from check_material import inputs_of, run_check
from counterpoint.diagnose.claim import scope_of
from counterpoint.diagnose.cp011_noise import BEYOND_ROWS, spread_over_fits
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.schema import DIFFERENCES, FINDINGS, REPEATS, empty

ERROR = 0.02
PRIMARY = {"a": "lstm-cnn", "b": "text-svm", "metric": "accuracy"}


def repeats_of(values, *, over="fold"):
    """The differences of the primary contrast over folds, seeds or repeats."""
    n = len(values)
    own = {"repeat": [0] * n, "seed": [0] * n, "fold": ["test"] * n, "difference": list(map(float, values))}
    own[over] = [str(place) if over == "fold" else place for place in range(n)]
    return pl.DataFrame(own | {"a": "lstm-cnn", "b": "text-svm"}).select(
        pl.col(name).cast(kind) for name, kind in REPEATS.items()
    )


def given(values, *, over="fold", n_fits=5, error=ERROR):
    row = {**PRIMARY, "difference": 0.2, "low": 0.1, "high": 0.3, "error": error, "df": 200.0, "p": 0.001,
           "minimum_detectable": 0.06, "is_primary": True}  # fmt: skip
    differences = pl.DataFrame([row], schema=dict(DIFFERENCES))
    table = repeats_of(values, over=over)
    return inputs_of(
        pl.DataFrame({"label": ["a", "b"]}), primary=PRIMARY, differences=differences, repeats=table, n_fits=n_fits
    )


def test_seeds_that_differ_by_more_than_the_error_warn():
    found = run_check("CP011", given([0.1, 0.2, 0.3], over="seed"))
    assert found["severity"] == "warn"
    assert "varies over the fits of seeds" in found["explanation"]
    assert "evaluate.repeats" in found["explanation"]
    assert json.loads(found["evidence"])["deviation_over_seeds"] == pytest.approx(0.1)


def test_seeds_that_agree_do_not():
    assert run_check("CP011", given([0.19, 0.2, 0.21], over="seed"))["severity"] == "info"


def test_an_exclusive_or_that_few_folds_learn_warns():
    found = run_check("CP011", given([0.0, 0.4, 0.0, 0.4, 0.01]))
    assert found["severity"] == "warn"
    assert "more than the test rows explain" in found["explanation"]


def test_folds_that_differ_by_their_rows_only_rarely_warn():
    rng = np.random.default_rng(0)
    draws = rng.normal(0.2, ERROR * 5**0.5, (2000, 5))
    n_alarms = sum(spread_over_fits(repeats_of(values), ERROR) is not None for values in draws)
    assert n_alarms <= 2000 * BEYOND_ROWS + 3 * (2000 * BEYOND_ROWS) ** 0.5


@pytest.mark.parametrize(
    ("values", "over", "error"),
    [([0.0, 0.4, 0.0], "repeat", ERROR), ([0.0, 0.4], "fold", ERROR), ([0.0, 0.4, 0.0], "fold", None), ([], "fold", 0)],
)
def test_repeats_two_fits_and_an_unknown_error_are_not_judged(values, over, error):
    assert spread_over_fits(repeats_of(values, over=over), error) is None


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("fold", "for these fits: another training may differ"),
        ("seed", "variation over 3 seeds, but not that of other training pairs"),
        ("repeat", "is over 3 repeats"),
    ],
)
def test_the_answer_says_which_variation_its_interval_has(over, words):
    numbers = VerdictInputs(given([0.1, 0.2, 0.3], over=over), empty(FINDINGS))
    (sentence,) = scope_of(numbers)
    assert words in sentence
