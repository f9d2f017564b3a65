"""Measures with groups: rows of one group count once in every interval."""

from typing import Any

import numpy as np
import pytest

from counterpoint.measures import conditional_utilisation, error_overlap, oracle_headroom, pid_of, shapley_of
from measure_material import HITS


def few_draws(*, text: Any, image: Any, both: Any, groups: Any, **_: Any) -> np.ndarray:
    return np.ravel(pid_of(text, image, both, groups=groups, draws=20, permutations=5))


@pytest.mark.parametrize(
    "measure",
    [
        lambda groups, **hits: shapley_of(**hits, groups=groups).text,
        lambda groups, **hits: error_overlap(hits["text"], hits["image"], groups=groups)["q"],
        lambda groups, **hits: conditional_utilisation(hits["both"], hits["text"], groups=groups),
        lambda groups, **hits: oracle_headroom(hits["text"], hits["image"], hits["prior"], groups=groups),
        lambda groups, **hits: few_draws(**hits, groups=groups),
    ],
    ids=["shapley_of", "error_overlap", "conditional_utilisation", "oracle_headroom", "pid_of"],
)
def test_rows_that_are_drawn_together_count_once(measure):
    once = measure(None, **HITS)
    thrice = {name: hits.repeat(3) for name, hits in HITS.items()}
    assert measure(np.arange(100).repeat(3), **thrice) == pytest.approx(once)
    assert measure(None, **thrice) != pytest.approx(once, rel=0.05)
