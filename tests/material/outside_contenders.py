"""Contenders such as another package has, named in studies as ``outside_contenders:Piped``."""

from typing import Any, Self

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline

from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.kept.state import State
from counterpoint.schema import Frame


class Piped(Contender):
    """Keeps a pipeline of scikit-learn, by attributes and a list of types alone."""

    modalities = ("text",)
    part_types = (Pipeline, "sklearn.feature_extraction.text.CountVectorizer", MultinomialNB)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.pipeline_ = make_pipeline(CountVectorizer(analyzer="char"), MultinomialNB())
        self.pipeline_.fit(train.pairs["text"].fill_null(""), train.codes)

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(self.pipeline_.predict_proba(pairs["text"].fill_null("")))


class Undeclared(Piped):
    """Holds types that it does not list."""

    part_types = ()


class Worn(Piped):
    """Has a setting with the name of one of ours."""

    def __init__(self, *, device: str = "phone") -> None:
        self.device = device


class Stateful(Contender):
    """Adds to its state an object that is neither an array nor a JSON value."""

    modalities = ("text",)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.shares_ = np.bincount(train.codes) / len(train.codes)
        self.bag_ = frozenset({"fox"})

    def _proba(self, pairs: Frame) -> Proba:
        assert self.bag_ == {"fox"}
        return np.tile(self.shares_, (len(pairs), 1))

    def state(self) -> State:
        return super().state() | State(values={"bag": sorted(self.bag_)})

    def restore(self, state: State) -> Self:
        self.bag_ = frozenset(state.texts("bag"))
        return super().restore(state)


class Forgetful(Stateful):
    """Leaves that object out of its state."""

    def state(self) -> State:
        return Contender.state(self)

    def restore(self, state: State) -> Self:
        return Contender.restore(self, state)
