"""Checks: each looks at a finished comparison for one pitfall, and says what it found and what to do."""

from importlib import import_module
from typing import NamedTuple

import polars as pl

from counterpoint.diagnose.case import Case, Depth, Fitted
from counterpoint.lookup import find
from counterpoint.schema import FINDINGS, Frame

__all__ = ["CHECKS", "Case", "Depth", "Fitted", "depths", "run_checks", "title_of"]

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


OF_STAGES = {"CP024": "Labels that look alike"}
"""Titles of findings that a stage makes when it reads the rows; no check of this folder makes them."""


class Cost(NamedTuple):
    """What a check takes of one core at 1,000 pairs, and what it does besides at full depth."""

    fast: str = "under 0.1 s"
    full: str = "Nothing more."


COSTS = {
    "CP001": Cost(
        "under 0.1 s; 0.1 s in a study without keyword-rule",
        "Also fit a linear model of the texts of one fold, with the words of the rule and without them (0.2 s).",
    ),
    "CP002": Cost("0.1 s"),
    "CP004": Cost("1 s, or 2 s where images are large: it reads them"),
    "CP008": Cost("1 s for each multimodal contender: it predicts anew, 20 times for each modality"),
    "CP009": Cost("1 s for each joint contender: it predicts every text beside every image"),
    "CP010": Cost("0.5 s"),
    "CP013": Cost("0.3 s: it fits trees"),
    "CP015": Cost("0.1 s"),
    "CP016": Cost("0.5 s for each network: it asks it about one batch"),
    "CP017": Cost(
        "0.1 s",
        "Also read 40 images for each contender that resizes them, to see what detail is lost (10 ms an image).",
    ),
}
"""Of the checks that do more than read tables."""


def run_checks(case: Case) -> Frame:
    """Return what every check of ``CHECKS`` finds in *case*, in the order of their codes."""
    found = [find(code, CHECKS, what="check")(case) for code in CHECKS]
    return pl.DataFrame(found, schema=dict(FINDINGS))


def title_of(code: str) -> str:
    """Return the title of the check *code*, or of a finding of a stage.

    >>> title_of("CP012"), title_of("CP024"), title_of("CP000")
    ('Chosen on the test rows', 'Labels that look alike', '')
    """
    if code not in CHECKS:
        return OF_STAGES.get(code, "")
    title: str = import_module(CHECKS[code].partition(":")[0]).TITLE
    return title


def depths(code: str) -> dict[Depth, str]:
    """Return what the check *code* does by default, and what ``checks.depth: full`` adds, each with its cost.

    >>> depths("CP012")
    {'fast': 'Look at how often test rows of this study were scored (under 0.1 s).', 'full': 'Nothing more.'}
    """
    look, cost = find(code, CHECKS, what="check"), COSTS.get(code, Cost())
    said = (look.__doc__ or "").splitlines()[0].removesuffix(".")
    return {"fast": f"{said} ({cost.fast}).", "full": cost.full}
