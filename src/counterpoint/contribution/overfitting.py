"""How fast a branch over-fits against how fast it learns, and the weights that even it out."""

from collections.abc import Mapping, Sequence

import numpy as np


def ogr(train: Sequence[float], validation: Sequence[float], *, start: int = 0, end: int | None = None) -> float:
    """Return the over-fitting-to-generalisation ratio between two epochs (Wang, Tran and Feiszli, CVPR 2020, eq. 2).

    With O = validation loss − training loss and G = the validation loss, it is |ΔO / ΔG|; infinite when the
    validation loss has not moved.

    Parameters
    ----------
    train, validation
        *train* and *validation* are losses by epoch.
    start, end
        *start* and *end* are positions in them; by default the first and the last.

    Examples
    --------
    >>> ogr([0.7, 0.3], [0.7, 0.5])
    1.0
    """
    last = len(train) - 1 if end is None else end
    gap = (validation[last] - train[last]) - (validation[start] - train[start])
    gain = validation[start] - validation[last]
    return round(abs(gap / gain), 12) if gain else float("inf")


def blend_weights(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> dict[str, float]:
    """Return a weight for each branch, proportional to ΔG / ΔO² and summing to 1 (equation 4 of the same paper).

    A branch whose validation loss has not fallen gets 0; if none has, all weigh the same.

    >>> weights = blend_weights({"text": ([0.7, 0.3], [0.7, 0.5]), "image": ([0.7, 0.1], [0.7, 0.6])})
    >>> weights["text"] > weights["image"]
    True
    """
    worth = {}
    for name, (train, validation) in curves.items():
        gain = validation[0] - validation[-1]
        gap = (validation[-1] - train[-1]) - (validation[0] - train[0])
        worth[name] = max(gain, 0.0) / max(gap**2, 1e-6)
    total = float(np.sum(list(worth.values())))
    return {name: value / total if total else 1 / len(worth) for name, value in worth.items()}
