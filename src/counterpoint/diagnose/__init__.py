"""Checks: each looks at a finished comparison for one pitfall, and says what it found and what to do."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from counterpoint.lookup import find
from counterpoint.schema import FINDINGS, Frame

CHECKS = {
    "CP001": "counterpoint.diagnose.cp001_label_in_text:look",
    "CP011": "counterpoint.diagnose.cp011_noise:look",
    "CP012": "counterpoint.diagnose.cp012_test_looks:look",
}


class Case(NamedTuple):
    """What a check may look at."""

    pairs: Frame
    scores: Frame
    differences: Frame
    primary: Mapping[str, Any] | None
    modalities: Mapping[str, tuple[str, ...]]
    additive: tuple[str, ...]
    """Contenders whose logits are a sum over modalities: what they gain needs no interaction."""
    n_fits: int
    """Seeds × folds of the contenders whose fits a seed changes."""
    test_looks: int

    def test_scores(self, metric: str) -> Frame:
        """Return the scores of *metric* on rows that no contender was trained or stopped on."""
        return self.scores.filter(pl.col("fold").is_in(["test", "oof"]), metric=metric)


def run_checks(case: Case) -> Frame:
    """Return what every check of ``CHECKS`` finds in *case*, in the order of their codes."""
    found = [find(code, CHECKS, what="check")(case) for code in CHECKS]
    return pl.DataFrame(found, schema=dict(FINDINGS))
