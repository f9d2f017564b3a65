"""The inputs of the checks: the vectors of pairs, and the progress of their encoding."""

import polars as pl
import pytest

from counterpoint.check_inputs import MANY_ROWS, _encode
from counterpoint.config import Fit
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
