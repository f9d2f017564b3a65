"""Gradient-boosted trees on the vectors of text and image, concatenated."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import HistGradientBoostingClassifier

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Codes, Proba, Rows
from counterpoint.contenders.calibrate import CalibratedContender, Scaling, fit_scaling
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.kept.trees import BOOSTED_TREES, check_trees, log_proba_of
from counterpoint.contenders.probes.rows_file import chunks
from counterpoint.contenders.readings import Reading, check_fingerprints, fingerprints_of
from counterpoint.contenders.regression import judged_on, spread
from counterpoint.contenders.vectors import Vectors
from counterpoint.schema import Frame
from counterpoint.settings import Device


@settings_as_fields
class BoostedEmbeddings(CalibratedContender):
    """Text and image → a frozen encoder each → concatenated → gradient-boosted trees of scikit-learn.

    Trees may use interactions of text and image, which a linear probe cannot.  A missing text or image is a vector of
    zeros with a mark of its own.  The probabilities are scaled on validation rows.

    Examples
    --------
    >>> [reading.encoder for reading in BoostedEmbeddings(text_encoder="columns:t_").encodings_read()]
    ['columns:t_', 'lite0']
    """

    modalities = ("text", "image")
    complexity: ClassVar[int | None] = 3
    part_types = BOOSTED_TREES
    tiny: ClassVar[Mapping[str, Any]] = {"rounds": 3}

    text_encoder: str = "minilm"
    """The encoder of the text: a name of the catalogue, a path, or ``module:Class``."""
    image_encoder: str = "lite0"
    """The encoder of the image: a name of the catalogue, a path, or ``module:Class``."""
    rounds: Positive = 60
    """The number of trees for each class."""
    leaves: Annotated[int, Field(ge=2)] = 8
    """The largest number of leaves of a tree."""
    most_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """The largest number of training rows, which are all in memory.  Of more, evenly spaced ones are read."""
    device: Device = "auto"
    """The device of the encoders: "auto", "cpu", "cuda", "cuda:1" or "mps"."""
    encodings: str | None = None
    """The folder of the stored encodings."""
    seed: int = 0
    """Changes nothing in this contender."""

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the encoders of text and image."""
        return Reading(self.text_encoder, "text", self.device), Reading(self.image_encoder, "image", self.device)

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a fit to vectors that are encoded already."""
        return 1 + min(n_rows, self.most_rows) * self.rounds * 2e-5

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.fingerprints_ = fingerprints_of(self.encodings_read())
        train, held_out = judged_on(train, validation)
        vectors, rows = self._vectors(train.pairs), spread(train.codes, self.most_rows)
        self.widths_ = [each.width for each in vectors]
        self.trees_ = HistGradientBoostingClassifier(
            max_iter=self.rounds, max_leaf_nodes=self.leaves, early_stopping=False, random_state=0
        ).fit(_table(vectors, rows), train.codes[rows])
        self.scaling_ = self._scaling(held_out)
        self.n_parameters_ = sum(tree.get_n_leaf_nodes() for trees in self.trees_._predictors for tree in trees)

    def _scaling(self, held_out: Rows | None) -> Scaling:
        if held_out is None:
            return Scaling.identity(len(self.classes_))
        log_shares = np.log(self.class_shares_)
        scores = self._scores(held_out.pairs)
        return fit_scaling([scores], held_out.codes, log_shares=log_shares, log_prior=log_shares)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*.  Trees with wrong nodes, and other encoders, are refused."""
        check_fingerprints(self.encodings_read(), state.texts("fingerprints_"))
        super().restore(state)
        check_trees(self.trees_, n_columns=sum(width + 1 for width in self.widths_))
        return self

    def _proba(self, pairs: Frame) -> Proba:
        return self.scaling_.proba([self._scores(pairs)])

    def _scores(self, pairs: Frame) -> NDArray[np.float64]:
        """Return the log probabilities of the trees, shape (n_pairs, n_classes)."""
        vectors = self._vectors(pairs)
        parts = [log_proba_of(self.trees_, _table(vectors, np.r_[rows])) for rows in chunks(len(pairs))]
        return np.concatenate([np.empty((0, len(self.classes_))), *parts])

    def _vectors(self, pairs: Frame) -> list[Vectors]:
        widths = getattr(self, "widths_", (None, None))
        readings = zip(self.encodings_read(), widths, strict=True)
        return [reading.vectors(pairs, self.encodings, width=width) for reading, width in readings]


def _table(vectors: Sequence[Vectors], rows: Codes) -> NDArray[np.float32]:
    """Return *rows* of the vectors of text and image side by side, each with a mark where it is missing."""
    return np.hstack([part for each in vectors for part in (each[rows], each.is_missing[rows, None])])
