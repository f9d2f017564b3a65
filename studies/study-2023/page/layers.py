"""The layers of a published network, read from a fit of two pairs, so that no run is needed."""

from typing import Any

import polars as pl

from counterpoint import make
from counterpoint.report.behaviour.architecture import shape

_PAIRS = {"text": ["a fox", "a car"], "image": [None, None]}


def layers(kind: str) -> list[dict[str, Any]]:
    """Return the layers of a contender, as published, in the order in which a pair passes them.

    >>> [layer["gives"] for layer in layers("paper-image-cnn")][:3]
    ['32 × 64 × 64', '32 × 64 × 64', '32 × 32 × 32']
    """
    pairs = pl.DataFrame(_PAIRS, schema_overrides={"image": pl.String})
    labels = ["animal", "thing"]
    model = make(kind, epochs=1).fit(pairs, labels, validation=(pairs, labels))
    rows = model.layer_table(pairs).to_dicts()
    return [row | {"takes": shape(row["input_shape"]), "gives": shape(row["output_shape"])} for row in rows]
