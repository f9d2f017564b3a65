"""Predictions from sizes, lengths and hosts: shortcuts that need no content of texts and images."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import HistGradientBoostingClassifier

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Codes, Proba, Rows
from counterpoint.contenders.calibrate import CalibratedContender, Scaling, fit_scaling, out_of_fold
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.kept.trees import BOOSTED_TREES, FLOOR, check_trees, log_proba_of
from counterpoint.errors import SchemaError
from counterpoint.features.tokens import tokenize
from counterpoint.schema import Frame

TEXT = pl.col("text")
FACTS = {
    "has_text": (("text",), TEXT.is_not_null()),
    "characters": (("text",), TEXT.str.len_chars()),
    "words": (("text",), TEXT.map_batches(lambda texts: tokenize(texts).list.len(), return_dtype=pl.UInt32)),
    "has_image": (("image",), pl.col("image").is_not_null()),
    "width_px": (("width_px",), pl.col("width_px")),
    "height_px": (("height_px",), pl.col("height_px")),
    "aspect": (("width_px", "height_px"), pl.col("width_px") / pl.col("height_px")),
}
"""Each fact, the columns that it needs, and its expression."""


@settings_as_fields
class Metadata(CalibratedContender):
    """Gradient-boosted trees over the ``FACTS`` for which the pairs have columns, and over their hosts.

    It reads no content.  A score above that of the majority means that another property predicts the label.  The
    probabilities are scaled on out-of-fold predictions of the training rows: trees without a signal are over-confident.

    Examples
    --------
    >>> texts = ["short"] * 30 + ["a good deal longer than the others"] * 30
    >>> model = Metadata().fit(pl.DataFrame({"text": texts}), ["a"] * 30 + ["b"] * 30)
    >>> model.facts_, model.predict(pl.DataFrame({"text": ["small"]})).tolist()
    (['has_text', 'characters', 'words'], ['a'])
    """

    part_types = BOOSTED_TREES
    complexity: ClassVar[int | None] = 1
    tiny: ClassVar[Mapping[str, Any]] = {"rounds": 3}

    rounds: Positive = 60
    """The number of trees for each class."""
    leaves: Annotated[int, Field(ge=2)] = 8
    """The largest number of leaves of a tree."""
    n_hosts: Annotated[int, Field(ge=1, le=250)] = 50
    """The number of hosts, the most frequent, that are distinguished."""
    columns: tuple[str, ...] = ()
    """Further columns of numbers, such as a file size, which are used where the pairs have them."""
    is_scaled: bool = True
    """Scales the probabilities on out-of-fold predictions, which takes five more fits."""
    seed: int = 0
    """Changes nothing in this contender."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        pairs = train.pairs
        facts = pairs.select(expression.alias(name) for name, expression in self._facts(pairs).items())
        self.facts_ = [column.name for column in facts if column.null_count() < len(column)]
        self.hosts_ = self._frequent_hosts(pairs) if "host" in pairs.columns else []
        if not self.facts_ + self.hosts_:
            allowed = sorted({name for needed, _ in FACTS.values() for name in needed} | {"host", *self.columns})
            raise SchemaError(f"metadata reads any of {', '.join(allowed)}. Found {', '.join(pairs.columns)}.")
        table = self._table(pairs)
        self.scaling_ = self._scaling(train, table) if self.is_scaled else Scaling.identity(len(self.classes_))
        self.trees_ = self._trees().fit(table, train.codes)
        self.n_parameters_ = sum(tree.get_n_leaf_nodes() for trees in self.trees_._predictors for tree in trees)

    def _scaling(self, train: Rows, table: NDArray[np.float64]) -> Scaling:
        n_classes = len(self.classes_)

        def scored(rest: Codes, out: Codes) -> NDArray[np.float64]:
            trees = self._trees().fit(table[rest], train.codes[rest])
            scores = np.full((len(out), n_classes), np.log(FLOOR))
            scores[:, trees.classes_] = log_proba_of(trees, table[out])
            return scores

        scores, codes = out_of_fold(train, n_classes, scored)
        log_shares = np.log(self.class_shares_)
        return fit_scaling([scores], codes, log_shares=log_shares, log_prior=log_shares)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*, and refuse trees with wrong nodes."""
        self.facts_, self.hosts_ = (list(state.texts(name)) for name in ("facts_", "hosts_"))
        super().restore(state)
        check_trees(self.trees_, n_columns=len(self._names()))
        return self

    def _proba(self, pairs: Frame) -> Proba:
        return self.scaling_.proba([log_proba_of(self.trees_, self._table(pairs))])

    def _trees(self) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=self.rounds, max_leaf_nodes=self.leaves, early_stopping=False, random_state=0,
            categorical_features=[name == "host" for name in self._names()],
        )  # fmt: skip

    def _facts(self, pairs: Frame) -> dict[str, pl.Expr]:
        """Return the expression of each fact whose columns *pairs* have."""
        for name in ("width_px", "height_px", *self.columns, "host"):
            if name in pairs.columns:
                _check_type(pairs[name], are_numbers=name != "host")
        facts = FACTS | {name: ((name,), cs.by_name(name)) for name in self.columns}
        known = set(pairs.columns)
        return {name: expression for name, (needed, expression) in facts.items() if known.issuperset(needed)}

    def _frequent_hosts(self, pairs: Frame) -> list[str]:
        counts = pairs["host"].drop_nulls().value_counts(name="n")
        return counts.sort("n", "host", descending=[True, False])["host"].head(self.n_hosts).to_list()

    def _names(self) -> list[str]:
        return [*self.facts_, *(["host"] if self.hosts_ else [])]

    def _table(self, pairs: Frame) -> NDArray[np.float64]:
        """Return the learned facts, shape (n_pairs, n_facts), with NaN for a fact that these pairs lack."""
        facts = self._facts(pairs)
        if "host" in pairs.columns:
            facts["host"] = pl.col("host").replace_strict(self.hosts_, range(len(self.hosts_)), default=None)
        absent = pl.repeat(None, pl.len(), dtype=pl.Float64)
        table = pairs.select(facts.get(name, absent).cast(pl.Float64).alias(name) for name in self._names())
        return table.to_numpy()


def _check_type(column: pl.Series, *, are_numbers: bool) -> None:
    kind = column.dtype
    allowed = (pl.Boolean,) if are_numbers else (pl.String, pl.Categorical, pl.Enum)
    if not (isinstance(kind, (*allowed, pl.Null)) or (are_numbers and kind.is_numeric())):
        wanted = "numbers" if are_numbers else "texts"
        raise SchemaError(
            f"The column {column.name} should hold {wanted}. It has type {kind}. Cast it or leave it out."
        )
