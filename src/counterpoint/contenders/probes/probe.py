"""The base class of linear probes: logistic regression on the scaled vectors of each modality, side by side."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import softmax

from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.encoded import Encoded, EncodedModality, with_mean
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.probes.rows_file import RowsFile, Scale, columns_of
from counterpoint.contenders.probes.term import Term
from counterpoint.contenders.regression import fit_regression, judged_on
from counterpoint.contenders.vectors import Vectors
from counterpoint.schema import Frame


class Probe(Contender):
    """Scaled vectors of each modality, side by side, into multinomial logistic regression.

    Each column is scaled to the same spread, and the columns of each modality together to the same length.  So a long
    vector does not outweigh a short one.  A missing vector is a row of zeros with a mark of its own.  The
    regularisation is the one with the smallest log loss on validation rows.  The logits are a sum over modalities.

    The scaled training rows are in a temporary file, so that memory does not grow with their number.

    Attributes
    ----------
    terms_
        *terms_* has the term of each modality.
    bias_
        *bias_* are the logits of no modality, shape (n_classes,).
    c_
        *c_* is the chosen inverse strength of the regularisation.
    """

    is_additive: ClassVar[bool] = True
    complexity: ClassVar[int | None] = 2

    @property
    @abstractmethod
    def folder(self) -> str | None:
        """The folder of the stored inputs, whose disk has space for the scaled training rows."""

    @abstractmethod
    def _vectors(self, pairs: Frame) -> Mapping[str, Vectors]:
        """Return the vectors of *pairs* for each of ``modalities``, in this order."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        train, held_out = judged_on(train, validation)
        vectors = self._vectors(train.pairs)
        with RowsFile(list(vectors.values()), self.folder) as file:
            scales = file.scales()
            file.scale(scales)
            with self._judges(held_out, scales) as judges:
                found = fit_regression(file.rows(), train.codes, *judges)
        blocks = columns_of([each.width for each in vectors.values()])
        self.terms_ = {
            modality: Term.of_scaled(found.weights[:, columns], scale)
            for modality, columns, scale in zip(vectors, blocks, scales, strict=True)
        }
        self.bias_, self.c_ = found.bias, found.c
        self.n_parameters_ = found.weights.size + found.bias.size

    @contextmanager
    def _judges(self, held_out: Rows | None, scales: Sequence[Scale]) -> Iterator[tuple[Any, ...]]:
        """Yield the scaled rows to choose by and their classes, or nothing."""
        if held_out is None:
            yield ()
            return
        with RowsFile(list(self._vectors(held_out.pairs).values()), self.folder) as file:
            file.scale(scales)
            yield file.rows(), held_out.codes

    def state(self) -> State:
        """Return the learned state, which includes the term of each modality."""
        terms = [term.arrays(modality) for modality, term in self.terms_.items()]
        return super().state() | State(arrays={name: array for arrays in terms for name, array in arrays.items()})

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        self.terms_ = {modality: Term.of(state.arrays, modality) for modality in self.modalities}
        return super().restore(state)

    def encoded(self, X: Any) -> Encoded | None:
        """Return the vectors of the pairs *X* with the logits of each modality, or None with one modality."""
        if len(self.modalities) == 1:
            return None
        pairs = self._pairs(X)
        with self._reading(pairs):
            text, image = (self._encoded(self.terms_[name], each) for name, each in self._vectors(pairs).items())
        return Encoded(text, image, join=lambda text, image: text + image + self.bias_)

    def _encoded(self, term: Term, vectors: Vectors) -> EncodedModality:
        terms = np.vstack([term.logits(vectors), term.missing])
        return EncodedModality(vectors[np.arange(len(vectors))], with_mean(terms, ~vectors.is_missing))

    def _proba(self, pairs: Frame) -> Proba:
        terms = [self.terms_[name].logits(vectors) for name, vectors in self._vectors(pairs).items()]
        return np.asarray(softmax(sum(terms) + self.bias_, axis=1))
