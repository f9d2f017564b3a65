"""Paired comparisons of contenders, with intervals and p-values.  Reads Predictions only."""

from counterpoint.compare.differences import compare, compare_studies, contrast, differences
from counterpoint.compare.primary import RULE, choose_primary
from counterpoint.compare.repeated import REPEATED_RULE, by_fold, over_repeats, rows_of_repeat

__all__ = [
    "REPEATED_RULE",
    "RULE",
    "by_fold",
    "choose_primary",
    "compare",
    "compare_studies",
    "contrast",
    "differences",
    "over_repeats",
    "rows_of_repeat",
]
