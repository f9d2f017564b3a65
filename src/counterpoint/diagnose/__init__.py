"""Checks: each looks at a finished comparison for one pitfall, and says what it found and what to do."""

import polars as pl

from counterpoint.diagnose.case import Case, Depth, Fitted
from counterpoint.lookup import find
from counterpoint.schema import FINDINGS, Frame

__all__ = ["CHECKS", "Case", "Depth", "Fitted", "run_checks"]

CHECKS = {
    "CP001": "counterpoint.diagnose.cp001_label_in_text:look",
    "CP011": "counterpoint.diagnose.cp011_noise:look",
    "CP012": "counterpoint.diagnose.cp012_test_looks:look",
}


def run_checks(case: Case) -> Frame:
    """Return what every check of ``CHECKS`` finds in *case*, in the order of their codes."""
    found = [find(code, CHECKS, what="check")(case) for code in CHECKS]
    return pl.DataFrame(found, schema=dict(FINDINGS))
