"""The primary contrast: the two contenders that the study compares, fixed before a test row is scored."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from counterpoint.metrics import evaluate, find_metric, read_part
from counterpoint.schema import Frame


def choose_primary(predictions: Frame, modalities: Mapping[str, Sequence[str]], metric: str) -> dict[str, Any] | None:
    """Return the multimodal and the single-entity contender that are best on validation rows.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.  Test rows are not used.
    modalities
        *modalities* are the modalities of each contender.  Of equal scores, the first contender is chosen.
    metric
        *metric* is the metric by which the best is chosen.

    Returns
    -------
    dict or None
        ``{a, b, metric, chosen_on}``: *a* reads two modalities, *b* reads one.  None if one of the two has no
        contender with validation rows.

    Examples
    --------
    >>> columns = {"id": list("12" * 3), "contender": ["image-cnn"] * 2 + ["text-svm"] * 2 + ["lstm-cnn"] * 2}
    >>> columns |= {"seed": [0] * 6, "fold": "test", "part": "validation", "group": list("12" * 3)}
    >>> table = pl.DataFrame({**columns, "label": list("xy" * 3), "p_x": [0.6, 0.6, 0.9, 0.1, 0.8, 0.2]})
    >>> table = table.with_columns(p_y=1 - pl.col("p_x"))
    >>> reads = {"image-cnn": ["image"], "text-svm": ["text"], "lstm-cnn": ["text", "image"]}
    >>> choose_primary(table, reads, "balanced_accuracy")
    {'a': 'lstm-cnn', 'b': 'text-svm', 'metric': 'balanced_accuracy', 'chosen_on': 'validation'}
    """
    sign = 1 if find_metric(metric).higher_is_better else -1
    validated = predictions.filter(pl.col("part") == "validation", pl.col("contender").is_in(list(modalities)))
    if validated.is_empty():
        return None
    part = read_part(predictions, "validation", validated["contender"].unique(maintain_order=True), primary=metric)
    scores = evaluate(part, [metric], np.ones((1, len(part.groups))))
    worth = {name: sign * float(scores[name].mean()) for name in modalities if name in scores}

    def best(n_modalities: int) -> str | None:
        rivals = [name for name in worth if len(modalities[name]) == n_modalities and np.isfinite(worth[name])]
        return max(rivals, key=worth.__getitem__, default=None)

    a, b = best(2), best(1)
    return {"a": a, "b": b, "metric": metric, "chosen_on": "validation"} if a and b else None
