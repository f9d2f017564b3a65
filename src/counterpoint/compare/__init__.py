"""Paired comparisons of contenders, with intervals and p-values.  Reads Predictions only."""

from counterpoint.compare.differences import compare, contrast, differences
from counterpoint.compare.primary import RULE, choose_primary

__all__ = ["RULE", "choose_primary", "compare", "contrast", "differences"]
