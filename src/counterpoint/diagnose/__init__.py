"""Checks: each looks at a finished comparison for one pitfall, and says what it found and what to do."""

from importlib import import_module

import polars as pl

from counterpoint.diagnose.case import Case, Depth, Fitted
from counterpoint.lookup import find
from counterpoint.schema import FINDINGS, Frame

__all__ = ["CHECKS", "Case", "Depth", "Fitted", "about", "run_checks"]

CHECKS = {
    "CP001": "counterpoint.diagnose.cp001_label_in_text:look",
    "CP002": "counterpoint.diagnose.cp002_duplicates:look",
    "CP003": "counterpoint.diagnose.cp003_lost_rows:look",
    "CP004": "counterpoint.diagnose.cp004_misaligned_pairs:look",
    "CP005": "counterpoint.diagnose.cp005_budgets:look",
    "CP006": "counterpoint.diagnose.cp006_joint_control:look",
    "CP007": "counterpoint.diagnose.cp007_overfitting_speeds:look",
    "CP008": "counterpoint.diagnose.cp008_branch_ignored:look",
    "CP009": "counterpoint.diagnose.cp009_interaction:look",
    "CP010": "counterpoint.diagnose.cp010_nothing_to_gain:look",
    "CP011": "counterpoint.diagnose.cp011_noise:look",
    "CP012": "counterpoint.diagnose.cp012_test_looks:look",
    "CP013": "counterpoint.diagnose.cp013_shortcuts:look",
    "CP014": "counterpoint.diagnose.cp014_missing_modality:look",
    "CP015": "counterpoint.diagnose.cp015_overconfidence:look",
    "CP016": "counterpoint.diagnose.cp016_training_failed:look",
    "CP017": "counterpoint.diagnose.cp017_damaged_input:look",
    "CP018": "counterpoint.diagnose.cp018_imbalance:look",
    "CP019": "counterpoint.diagnose.cp019_overfitting:look",
    "CP020": "counterpoint.diagnose.cp020_wrong_labels:look",
}


def run_checks(case: Case) -> Frame:
    """Return what every check of ``CHECKS`` finds in *case*, in the order of their codes."""
    found = [find(code, CHECKS, what="check")(case) for code in CHECKS]
    return pl.DataFrame(found, schema=dict(FINDINGS))


def about(code: str) -> tuple[str, Depth]:
    """Return the title of the check *code*, and the depth that it needs; no title of what a stage alone finds.

    >>> about("CP012"), about("CP000")
    (('Chosen on the test rows', 'fast'), ('', 'fast'))
    """
    if code not in CHECKS:
        return "", "fast"
    module = import_module(CHECKS[code].partition(":")[0])
    return getattr(module, "TITLE", ""), getattr(module, "DEPTH", "fast")
