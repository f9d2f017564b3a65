"""Parts of some rows that contain each other: every class in each part, and no group torn."""

from collections.abc import Collection

from counterpoint.data.stratified_assignment import assign_parts
from counterpoint.errors import SplitError
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed


def nested_subsets(rows: Frame, shares: Collection[float], *, seed: int) -> dict[float, Frame]:
    """Return a part of *rows* for each of the *shares*, where a smaller part is drawn from the next larger one.

    Parameters
    ----------
    rows
        *rows* have ``label`` and ``group``.
    shares
        *shares* are between 0 and 1.
    seed
        *seed* fixes the draw.

    Returns
    -------
    dict
        The parts by share, the largest first.  A share is left out where a class would have no group for it.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"label": ["cat", "dog"] * 8, "group": [str(row // 2) for row in range(16)]})
    >>> {share: part.height for share, part in nested_subsets(rows, [0.25, 0.5], seed=0).items()}
    {0.5: 8, 0.25: 4}
    """
    parts: dict[float, Frame] = {}
    larger, share_before = rows, 1.0
    for share in sorted(set(shares), reverse=True):
        relative = {"in": share / share_before, "out": 1 - share / share_before}
        try:
            place = assign_parts(larger["label"], larger["group"], relative, seed=child_seed(seed, "subset", share))
        except SplitError:
            break  # a smaller part would lack a class too
        larger, share_before = larger.filter(place == "in"), share
        parts[share] = larger
    return parts
