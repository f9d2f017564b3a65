"""The learned state of a contender: arrays, JSON values, parts of scikit-learn, and fits of other contenders.

Does not read or write files: see `contenders.kept.files`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class State:
    """Everything that a fitted contender needs to predict, in forms that can be stored without pickle.

    Parameters
    ----------
    arrays
        *arrays* are numpy arrays of numbers, or of texts in one dimension.
    values
        *values* are values that JSON keeps unchanged: texts, numbers, lists, and dictionaries with texts as keys.
    parts
        *parts* are fitted estimators of scikit-learn.  The contender lists their types in ``part_types``.
    fits
        *fits* are fitted contenders inside this one.

    Examples
    --------
    >>> state = State(values={"a": 1}) | State(values={"words": ["fox"]}, arrays={"w.x": np.ones(2)})
    >>> state.values, state.texts("words"), list(state.under("w"))
    ({'a': 1, 'words': ['fox']}, ('fox',), ['x'])
    """

    arrays: Arrays = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)
    fits: Mapping[str, Any] = field(default_factory=dict)

    def __or__(self, other: "State") -> "State":
        """Return both states as one, with the values of *other* where a name is in both."""
        names = [each.name for each in fields(self)]
        return State(**{name: {**getattr(self, name), **getattr(other, name)} for name in names})

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the value *name*, a list of texts.

        Raises
        ------
        ValueError
            When the value is anything else.
        """
        value = self.values[name]
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValueError(f"{name} should be a list of texts")
        return tuple(value)

    def under(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays whose names begin with *prefix* and a dot, by the rest of the name."""
        start = f"{prefix}."
        return {name.removeprefix(start): array for name, array in self.arrays.items() if name.startswith(start)}

    def attributes(self) -> dict[str, Any]:
        """Return all learned attributes: those whose names end in ``_``."""
        found = {name: value for each in fields(self) for name, value in getattr(self, each.name).items()}
        return {name: value for name, value in found.items() if _is_learned(name)}


def learned(model: Any) -> State:
    """Return the learned attributes of *model* that are arrays, JSON values, estimators or contenders.

    >>> from sklearn.svm import LinearSVC
    >>> state = learned(LinearSVC().fit([[0.0], [1.0]], [3, 7]))
    >>> sorted(state.arrays), state.values
    (['classes_', 'coef_', 'intercept_'], {'n_features_in_': 1, 'n_iter_': 1})
    """
    found: dict[str, dict[str, Any]] = {each.name: {} for each in fields(State)}
    for name, value in vars(model).items():
        place = _place(value) if _is_learned(name) else None
        if place is not None:
            found[place][name] = value.item() if isinstance(value, np.generic) else value
    return State(**found)


def _is_learned(name: str) -> bool:
    return name.isidentifier() and name.endswith("_") and not name.startswith("_")


def _place(value: object) -> str | None:
    if isinstance(value, np.ndarray):
        return "arrays"
    if isinstance(value, BaseEstimator):
        return "fits" if hasattr(value, "restore") else "parts"
    return "values" if isinstance(value, np.generic) or _is_plain(value) else None


def _is_plain(value: object) -> bool:
    """Report whether JSON keeps *value* unchanged."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)
