"""Paired comparisons of contenders, with intervals and p-values.  Reads Predictions only."""

from counterpoint.compare.differences import compare, contrast, differences
from counterpoint.compare.primary import RULE, choose_primary
from counterpoint.compare.repeated import by_fold

__all__ = ["RULE", "by_fold", "choose_primary", "compare", "contrast", "differences"]
