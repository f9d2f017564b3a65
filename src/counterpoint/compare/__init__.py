"""Paired comparisons of contenders, with intervals and p-values.  Reads Predictions only."""

from counterpoint.compare.differences import compare, differences
from counterpoint.compare.primary import choose_primary

__all__ = ["choose_primary", "compare", "differences"]
