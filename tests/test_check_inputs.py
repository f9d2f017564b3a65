"""The inputs of the checks: the vectors of pairs, the progress of their encoding, and the number of fits."""

import polars as pl
import pytest

from counterpoint.check_inputs import MANY_ROWS, _encode, _n_fits
from counterpoint.config import Fit, StudyConfig
from made_predictions import predictions
from tiny_encoders import Words


@pytest.mark.parametrize("n", [MANY_ROWS - 1, MANY_ROWS])
def test_the_encoding_of_many_pairs_is_reported_and_that_of_few_is_not(n, tmp_path):
    seen = []
    pairs = pl.DataFrame({"text": [f"text {row}" for row in range(n)]})
    inputs = {"cache": tmp_path, "rules": Fit(engine="inline"), "on_progress": lambda *count: seen.append(count)}
    vectors = _encode(pairs, Words(), "text", **inputs)
    assert len(vectors) == n
    assert seen[-1:] == ([("encoding texts for CP004", n, n)] if n >= MANY_ROWS else [])
    seen.clear()
    _encode(pairs, Words(), "text", **inputs)
    assert not seen


@pytest.mark.parametrize(("a", "b", "expected"), [("theirs", "other", 3), ("theirs", "text-svm", 1), (None, None, 1)])
def test_the_fits_of_outside_models_are_counted_by_their_predictions(a, b, expected):
    outside = [{"path": f"{name}.csv", "name": name} for name in ("theirs", "other")]
    config = StudyConfig.read(
        {"study": "s", "contenders": ["text-svm"], "source": {"kind": "generated"}, "predictions": outside}
    )
    tables = {
        "pairs": pl.DataFrame({"fold": ["test"]}),
        "predictions": predictions(dict.fromkeys(["theirs", "other"], 1), seeds=(0, 1, 2)),
    }
    assert _n_fits(tables, config, {"a": a, "b": b} if a else {}) == expected
