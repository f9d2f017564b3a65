"""Which contender is better, by how much, and whether that can be told.  Reads Predictions only."""

from counterpoint.compare.differences import compare, differences
from counterpoint.compare.primary import choose_primary

__all__ = ["choose_primary", "compare", "differences"]
