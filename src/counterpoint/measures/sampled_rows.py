"""A sample of rows in blocks of neighbours, because some faults show among neighbours only."""

import numpy as np

from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

BLOCK = 100


def sampled_blocks(rows: Frame, most: int) -> Frame:
    """Return at most *most* of the *rows*.  More are sampled in blocks from everywhere: sources may be sorted by class.

    >>> import polars as pl
    >>> sampled_blocks(pl.DataFrame({"row": range(1000)}), 200)["row"].diff().drop_nulls().value_counts()["count"].max()
    198
    """
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng(child_seed(0, "cp004", "rows"))
    first = np.sort(rng.choice(len(rows) // BLOCK, most // BLOCK, replace=False)) * BLOCK
    return rows[(first[:, None] + np.arange(BLOCK)).ravel()]
