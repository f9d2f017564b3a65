"""Pairs whose text and image are vectors of normal values, as a source of studies, and contenders that read them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

from counterpoint.artifacts import key_of
from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.kept.trees import BOOSTED_TREES
from counterpoint.data.sources.base import REASON, Source
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed
from counterpoint.settings import Positive, Seed

VERSION = 1
"""Of the generator: pairs of another version are other pairs."""
Floats = NDArray[np.float64]


class Shape(NamedTuple):
    """The truth of a study: how the class moves the values of a text and an image.

    ``width`` is the number of values of each, ``shifts`` how far the class moves half of them in a text and in an
    image, in standard deviations, and ``noise`` the share of labels of another class.  Rows of a group are alike.
    """

    classes: int
    width: int
    shifts: tuple[float, float]
    noise: float
    weights: tuple[float, ...]
    group_rows: int


def shape_of(seed: int) -> Shape:
    """Return the truth of the study with this *seed*.

    >>> shape_of(3) == shape_of(3)
    True
    """
    rng = np.random.default_rng(child_seed(seed, "shape"))
    classes = int(rng.integers(2, 5))
    weights = 1 + 2 * rng.random(classes)
    return Shape(
        classes=classes,
        width=int(rng.choice([8, 24, 60])),
        shifts=(float(rng.uniform(0.6, 1.3)), float(rng.uniform(0.4, 1.1))),
        noise=float(rng.choice([0.0, 0.05, 0.15])),
        weights=tuple((weights / weights.sum()).round(4).tolist()),
        group_rows=int(rng.choice([1, 1, 3])),
    )


def drawn(shape: Shape, n: int, centres: Floats, rng: np.random.Generator, *, prefix: str) -> Frame:
    """Return *n* rows with the columns of Records, ``group``, and the values of both, ``t0``, … and ``i0``, ….

    Parameters
    ----------
    shape
        *shape* is the truth.
    n
        *n* is the number of rows.
    centres
        *centres* are the means of both modalities, shape (2, n_classes, width).
    rng
        *rng* draws the rows.
    prefix
        *prefix* is the start of each id.
    """
    group = np.arange(n) // shape.group_rows
    codes = rng.choice(shape.classes, group[-1] + 1, p=np.array(shape.weights) / sum(shape.weights))[group]
    own = rng.normal(size=(2, n, shape.width))
    shared = rng.normal(size=(2, group[-1] + 1, shape.width))[:, group]
    values = centres[:, codes] + (own if shape.group_rows == 1 else (own + shared) / 2**0.5)
    others = (codes + rng.integers(1, shape.classes, n)) % shape.classes
    labels = np.where(rng.random(n) < shape.noise, others, codes)
    columns: dict[str, Any] = {
        "id": [f"{prefix}{row:06d}" for row in range(n)],
        "text": [f"{prefix}{row:06d}" for row in range(n)],
        "label": [f"class_{code}" for code in labels],
        "group": [f"{prefix}{code}" for code in group],
    }
    named = {f"{letter}{place}": values[k, :, place] for k, letter in enumerate("ti") for place in range(shape.width)}
    return pl.DataFrame(columns | named).with_columns(image=pl.lit(None, pl.String))


class Vectors(Source):
    """Rows of the truth of *seed*: the first *n* of *n_whole*, or all of them with fresh test rows.

    Parameters
    ----------
    n, n_whole
        *n* and *n_whole* are numbers of rows.  Rows of a smaller *n* are also rows of a larger one.
    n_fresh
        *n_fresh* is the number of further rows, which are the test fold.  With them, ``fold`` is given.
    validation_share
        *validation_share* is the share of the rows before these in the validation fold.
    test_share
        *test_share* is the share of them that is left out, as a study's own test rows would be.
    """

    kind: Literal["vectors"] = "vectors"
    n: Positive = 600
    n_whole: Positive = 1800
    n_fresh: int = 0
    validation_share: float = 0.15
    test_share: float = 0.3
    seed: Seed = 0

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the rows."""
        shape, rng = shape_of(self.seed), np.random.default_rng(child_seed(self.seed, "vectors"))
        half = np.arange(shape.width) < max(2, shape.width // 2)
        scales = np.array(shape.shifts)[:, None, None]
        centres = scales * rng.normal(size=(2, shape.classes, shape.width)) * half * (8 / shape.width) ** 0.5
        pairs = drawn(shape, self.n_whole, centres, rng, prefix="row-")[: self.n]
        if self.n_fresh:
            fresh = drawn(shape, self.n_fresh, centres, rng, prefix="fresh-").with_columns(fold=pl.lit("test"))
            pairs = pl.concat([self._folded(pairs), fresh])
        yield pairs.with_columns(source=pl.lit(self.kind), **{REASON: pl.lit(None, pl.String)})

    def _folded(self, pairs: Frame) -> Frame:
        """Return *pairs* with the folds train and validation by groups, without the rows of their own test fold."""
        rng = np.random.default_rng(child_seed(self.seed, "folds of the whole"))
        groups = pairs["group"].unique(maintain_order=True)
        place = dict(zip(groups, rng.random(len(groups)), strict=True))
        at = pl.col("group").replace_strict(place, return_dtype=pl.Float64)
        end = self.test_share + self.validation_share
        is_validation, is_out = at < end, at < self.test_share
        fold = pl.when(is_out).then(None).when(is_validation).then(pl.lit("validation")).otherwise(pl.lit("train"))
        return pairs.with_columns(fold=fold)

    def fingerprint(self) -> str:
        """Return a hash of the settings."""
        return key_of(VERSION, self.model_dump(mode="json"))


class _Model(Contender):
    """A classifier of scikit-learn on the values of some modalities."""

    part_types = (LogisticRegression, MLPClassifier, LabelBinarizer, *BOOSTED_TREES)
    is_seeded = True
    model: Literal["linear", "network", "trees"]
    seed: int

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.classifier_ = _made(self.model, self.seed).fit(_values(train.pairs, self.modalities), train.codes)
        for of_training in ("_optimizer", "_random_state"):  # which cannot be kept, and no prediction needs
            vars(self.classifier_).pop(of_training, None)
        self.n_parameters_ = 1

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(self.classifier_.predict_proba(_values(pairs, self.modalities)))


@settings_as_fields
class ReadsText(_Model):
    """Reads the values of the text."""

    modalities = ("text",)
    model: Literal["linear", "network", "trees"] = "linear"
    """The kind of model."""
    seed: int = 0
    """The seed of a fit."""
    tiny: ClassVar[dict[str, Any]] = {}


@settings_as_fields
class ReadsBoth(_Model):
    """Reads the values of text and image."""

    modalities = ("text", "image")
    model: Literal["linear", "network", "trees"] = "linear"
    """The kind of model."""
    seed: int = 0
    """The seed of a fit."""
    tiny: ClassVar[dict[str, Any]] = {}


def _made(model: str, seed: int) -> Any:
    if model == "linear":
        return LogisticRegression(C=0.1)
    if model == "network":
        return MLPClassifier((16,), alpha=0.1, learning_rate_init=0.01, max_iter=30, tol=0, random_state=seed)
    return HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=8, early_stopping=False, max_bins=63, random_state=seed
    )


def _values(pairs: Frame, modalities: tuple[str, ...]) -> Floats:
    letters = "".join(modality[0] for modality in modalities)
    return pairs.select(pl.col(f"^[{letters}][0-9]+$")).to_numpy()
