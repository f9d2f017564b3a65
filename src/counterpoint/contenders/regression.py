"""Multinomial logistic regression whose regularisation is chosen on held-out rows, along a path with warm starts."""

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from counterpoint.contenders.base import Codes, Rows
from counterpoint.contenders.inner_split import hold_out

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
PATH = tuple(float(np.round(10.0 ** (half / 2), 4)) for half in range(-3, 9))
"""The values of C, from strong to weak regularisation, for rows of about length 1."""
UNJUDGED_C = 1.0
"""The value of C where no rows are held out."""
PATIENCE = 2
"""Values of C without a smaller held-out loss, after which the path ends."""
ENOUGH = 50_000
"""Training rows beyond which the best C hardly changes.  The path reads as many, and the last fit all of them."""
MAX_ITERATIONS, TOLERANCE = 300, 1e-5
AT_ONCE = 8192
"""Rows whose logits are computed at once."""


class Regression(NamedTuple):
    """A fitted regression.

    Attributes
    ----------
    weights, bias
        *weights* has shape (n_classes, n_columns), and *bias* shape (n_classes,).
    c
        *c* is the chosen inverse strength of the regularisation, and *n_tried* the number of values that were tried.
    """

    weights: Floats
    bias: Floats
    c: float
    n_tried: int = 1

    def logits(self, rows: Any) -> Floats:
        """Return the logits of *rows*, dense or sparse of shape (n, n_columns), as shape (n, n_classes)."""
        starts = range(0, rows.shape[0], AT_ONCE)
        parts = [np.asarray(rows[start : start + AT_ONCE] @ self.weights.T) for start in starts]
        return np.concatenate([np.empty((0, len(self.bias))), *parts]) + self.bias

    def loss(self, rows: Any, codes: Codes) -> float:
        """Return the mean log loss of *rows* with these classes."""
        log_proba = log_softmax(self.logits(rows), axis=1)
        return -float(log_proba[np.arange(len(codes)), codes].mean())


def judged_on(train: Rows, validation: Rows | None) -> tuple[Rows, Rows | None]:
    """Return the rows to learn from and the rows to choose by: *validation*, or else some of *train*.

    The second is None where every class is a single group.
    """
    if validation is not None:
        return train, validation
    rest, held_out = hold_out(train, seed=0)
    return rest, None if held_out is rest else held_out


def fit_regression(train: Any, codes: Codes, held_out: Any = None, held_out_codes: Codes | None = None) -> Regression:
    """Return the regression with the smallest log loss on held-out rows, of those along the path of C.

    Each fit starts from the one before it.  No weight is given to classes, so that the mean probabilities of the
    training rows are their class shares.

    Parameters
    ----------
    train, codes
        *train* are rows, shape (n, n_columns): sparse, or dense.  A memory map of float32 is not copied.  *codes* are
        their classes, 0 to n_classes - 1, and each class has a row.
    held_out, held_out_codes
        *held_out* are the rows to choose C by, and *held_out_codes* their classes.  Without them C is `UNJUDGED_C`.

    Examples
    --------
    >>> margin = np.array([[-2.0], [-1.0], [0.5], [-0.5], [1.0], [2.0]])
    >>> found = fit_regression(margin, np.array([0, 0, 0, 1, 1, 1]), margin, np.array([0, 0, 1, 0, 1, 1]))
    >>> found.weights.shape, found.logits(margin).argmax(axis=1).tolist()
    ((2, 1), [0, 0, 1, 0, 1, 1])
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes a second, and only fits need it

    model = LogisticRegression(warm_start=True, max_iter=MAX_ITERATIONS, tol=TOLERANCE)
    if held_out is None or held_out_codes is None:
        return _fitted(model, train, codes, c=UNJUDGED_C)
    few = spread(codes, ENOUGH)
    rows = train if len(few) == len(codes) else train[few]
    tried: list[Regression] = []
    losses: list[float] = []
    for c in PATH:
        tried.append(_fitted(model, rows, codes[few], c=c))
        losses.append(tried[-1].loss(held_out, held_out_codes))
        if len(losses) - int(np.argmin(losses)) > PATIENCE:
            break
    best = tried[int(np.argmin(losses))]
    if len(few) < len(codes):
        best = _fitted(model, train, codes, c=best.c)
    return best._replace(n_tried=len(tried))


def _fitted(model: "LogisticRegression", rows: Any, codes: Codes, *, c: float) -> Regression:
    """Return the regression of this C, from the weights that *model* has now."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - the same

    with warnings.catch_warnings():
        # With weak regularisation the loss is flat: more iterations hardly change it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_params(C=c).fit(rows, codes)
    weights, bias = (np.asarray(part, dtype=np.float64) for part in (model.coef_, model.intercept_))
    if len(weights) == 1:  # two classes: the logits of the second, divided between both
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return Regression(weights, bias, c=c)


def spread(codes: Codes, most: int) -> Codes:
    """Return the places of about *most* rows or of all, of each class as many as its share, and at least one.

    >>> spread(np.array([0, 0, 0, 0, 1, 1]), 3).tolist()
    [0, 2, 4]
    """
    step = -(-len(codes) // most)
    chosen = [np.flatnonzero(codes == code)[::step] for code in np.unique(codes)]
    return np.sort(np.concatenate(chosen))
