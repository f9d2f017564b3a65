"""Boosted trees of scikit-learn from a file: the types that they contain, and a check of their nodes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
BOOSTED_TREES = (
    f"{_BOOSTING}.gradient_boosting.HistGradientBoostingClassifier",
    f"{_BOOSTING}.predictor.TreePredictor",
    f"{_BOOSTING}.binning._BinMapper",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
    "sklearn.preprocessing._label.LabelEncoder",
    "sklearn.utils.validation.check_array",
    "functools.partial",
    "numpy.random._generator.Generator",
)
"""All types in a fitted HistGradientBoostingClassifier, for ``part_types``."""
_WORDS = 8
"""Words of 32 bits, for the 256 categories that a column may have."""
FLOOR = 1e-7
"""The smallest probability whose log is scaled."""


def log_proba_of(trees: HistGradientBoostingClassifier, table: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logs of the probabilities of *trees*, shape (n_rows, n_classes)."""
    return np.asarray(np.log(np.maximum(trees.predict_proba(table), FLOOR)), dtype=np.float64)


def check_trees(trees: HistGradientBoostingClassifier, *, n_columns: int) -> None:
    """Check that every node of *trees* points to a later node and to an existing column.

    scikit-learn does not check this: a wrong node makes it read other memory, or never end.

    Raises
    ------
    ValueError
        When a node points to another place.

    Examples
    --------
    >>> trees = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=1).fit([[0.0], [1.0]], [0, 1])
    >>> check_trees(trees, n_columns=1)
    >>> trees._predictors[0][0].nodes["left"] = 9
    >>> check_trees(trees, n_columns=1)
    Traceback (most recent call last):
    ValueError: a node of the trees points nowhere
    """
    rows = np.zeros((1, n_columns))
    read = rows if trees._preprocessor is None else trees._preprocessor.transform(rows)
    if trees.n_features_in_ != n_columns or read.shape != rows.shape:
        raise ValueError(f"the trees read {trees.n_features_in_} columns, not {n_columns}")
    bitsets, place_of = trees._bin_mapper.make_known_categories_bitsets()
    is_mapped = len(place_of) == n_columns and (place_of < max(1, len(bitsets))).all()
    predictors = [tree for of_classes in trees._predictors for tree in of_classes]
    if not is_mapped or not all(_is_sound(tree, n_columns) for tree in predictors):
        raise ValueError("a node of the trees points nowhere")


def _is_sound(tree: Any, n_columns: int) -> bool:
    nodes, bitsets = tree.nodes, tree.raw_left_cat_bitsets
    place, splits = np.arange(len(nodes)), nodes["is_leaf"] == 0
    is_later = [(nodes[child] > place) & (nodes[child] < len(nodes)) for child in ("left", "right")]
    is_column = (nodes["feature_idx"] >= 0) & (nodes["feature_idx"] < n_columns)
    has_bitset = (nodes["is_categorical"] == 0) | (nodes["bitset_idx"] < len(bitsets))
    is_sound = bool(len(nodes) and (is_later[0] & is_later[1] & is_column & has_bitset)[splits].all())
    return is_sound and bitsets.shape[1:] == (_WORDS,)
