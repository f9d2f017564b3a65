"""What can be told from sizes, lengths and hosts: the shortcuts that need neither reading nor looking."""

from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import HistGradientBoostingClassifier

from counterpoint.contenders.base import Contender, Proba, Rows
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
"""Each fact, the columns that it needs, and what it is."""


class Metadata(Contender):
    """Gradient-boosted trees over those of ``FACTS`` that the pairs have columns for, and over their hosts.

    It hears neither voice: a score above the majority's says that something other than content gives the label away.

    Parameters
    ----------
    rounds, leaves
        *rounds* is the number of trees a class, each of at most *leaves* leaves.
    n_hosts
        *n_hosts* is how many hosts, the most frequent, are told apart.
    columns
        *columns* are further columns of numbers, such as a file size, where the pairs have them.

    Examples
    --------
    >>> texts = ["short"] * 30 + ["a good deal longer than the others"] * 30
    >>> model = Metadata().fit(pl.DataFrame({"text": texts}), ["a"] * 30 + ["b"] * 30)
    >>> model.facts_, model.predict(pl.DataFrame({"text": ["small"]})).tolist()
    (['has_text', 'characters', 'words'], ['a'])
    """

    def __init__(
        self,
        *,
        rounds: Annotated[int, Field(ge=1)] = 60,
        leaves: Annotated[int, Field(ge=2)] = 8,
        n_hosts: Annotated[int, Field(ge=1, le=250)] = 50,
        columns: tuple[str, ...] = (),
    ) -> None:
        self.rounds = rounds
        self.leaves = leaves
        self.n_hosts = n_hosts
        self.columns = columns

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:  # noqa: ARG002
        known = set(train.pairs.columns)
        self.facts_ = [name for name, (needed, _) in self._facts().items() if known.issuperset(needed)]
        self.hosts_ = self._frequent_hosts(train.pairs) if "host" in known else []
        if not self.facts_ + self.hosts_:
            allowed = sorted({name for needed, _ in self._facts().values() for name in needed} | {"host"})
            raise SchemaError(f"metadata reads any of {', '.join(allowed)}; found {', '.join(sorted(known))}.")
        table = self._table(train.pairs)
        self.trees_ = HistGradientBoostingClassifier(
            max_iter=self.rounds, max_leaf_nodes=self.leaves, early_stopping=False, random_state=0,
            categorical_features=[name == "host" for name in self._names()],
        ).fit(table, train.codes)  # fmt: skip
        self.n_parameters_ = sum(tree.get_n_leaf_nodes() for trees in self.trees_._predictors for tree in trees)

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(self.trees_.predict_proba(self._table(pairs)), dtype=np.float64)

    def _facts(self) -> dict[str, tuple[tuple[str, ...], pl.Expr]]:
        return FACTS | {name: ((name,), pl.col(name)) for name in self.columns}

    def _frequent_hosts(self, pairs: Frame) -> list[str]:
        counts = pairs["host"].drop_nulls().value_counts(name="n")
        return counts.sort("n", "host", descending=[True, False])["host"].head(self.n_hosts).to_list()

    def _names(self) -> list[str]:
        return [*self.facts_, *(["host"] if self.hosts_ else [])]

    def _table(self, pairs: Frame) -> NDArray[np.float64]:
        """Return the facts learned from, shape (n_pairs, n_facts); a fact that these pairs lack is not a number."""
        facts = self._facts()
        known = [name for name in self.facts_ if set(pairs.columns).issuperset(facts[name][0])]
        table = pairs.select(facts[name][1].cast(pl.Float64).alias(name) for name in known)
        if self.hosts_ and "host" in pairs.columns:
            codes = pl.Series(range(len(self.hosts_)), dtype=pl.Float64)
            table = table.with_columns(host=pairs["host"].replace_strict(self.hosts_, codes, default=None))
        lacking = [pl.lit(None, pl.Float64).alias(name) for name in self._names() if name not in table.columns]
        return table.with_columns(lacking).select(self._names()).to_numpy()
