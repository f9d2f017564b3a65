"""A limit of rows for each class: the first rows of the input, or a seeded sample that no chunking changes."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from counterpoint.schema import Frame

Caps = Mapping[str, int] | int
Labels = Iterable[str | None]

_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_STEP = 0x9E3779B97F4A7C15


class FirstRows:
    """The first rows of each class, up to its cap.

    Examples
    --------
    >>> first = FirstRows({"cat": 1})
    >>> labels = pl.DataFrame({"label": ["cat", "dog", "cat", None]})
    >>> first.stays(labels).to_list(), first.stays(labels).to_list()
    ([True, True, False, True], [False, True, False, True])
    """

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._taken: Counter[str | None] = Counter()

    def stays(self, frame: Frame) -> pl.Series:
        """Return a mask of the rows of *frame*, the next ones, that stay."""
        labels = frame["label"].unique().to_list()
        left = {label: cap - self._taken[label] for label in labels if (cap := cap_of(self._caps, label)) is not None}
        n_before = pl.int_range(pl.len()).over("label")
        stays = frame.select(n_before < _each(left, default=frame.height)).to_series()
        self._taken.update(frame["label"].filter(stays).to_list() if left else [])
        return stays

    def are_full(self, labels: Labels) -> bool:
        """Return whether no row with one of *labels* would stay."""
        caps = {label: cap_of(self._caps, label) for label in labels}
        return bool(caps) and all(cap is not None and self._taken[label] >= cap for label, cap in caps.items())


class RankSampler:
    """The smallest ranks of each class so far, up to its cap. A rank is a hash of the seed and the row's number."""

    def __init__(self, caps: Caps, seed: int) -> None:
        self._caps, self._seed = caps, seed
        self._least: dict[str | None, npt.NDArray[np.uint64]] = {}

    def add(self, frame: Frame) -> None:
        """Rank the rows of *frame*, which has ``label`` and ``row``."""
        ranks = frame.select("label", rank=ranks_of(frame["row"], self._seed))
        for (label,), part in ranks.group_by("label"):
            cap = cap_of(self._caps, label)
            if cap is not None:
                old = self._least.get(label, np.empty(0, np.uint64))
                self._least[label] = _least(np.concatenate([old, part["rank"].to_numpy()]), cap)

    def sample(self) -> "SampledRows":
        """Return the sample, after all rows were added."""
        return SampledRows({label: int(ranks.max()) for label, ranks in self._least.items()}, self._seed)


class SampledRows:
    """The rows of each class whose rank is at most the *largest* of the class.

    Examples
    --------
    >>> ranks, rows = RankSampler(2, seed=0), pl.DataFrame({"label": ["cat"] * 5, "row": range(5)})
    >>> ranks.add(rows)
    >>> ranks.sample().stays(rows).sum()
    2
    """

    def __init__(self, largest: Mapping[str | None, int], seed: int) -> None:
        self._largest, self._seed = largest, seed

    def stays(self, frame: Frame) -> pl.Series:
        """Return a mask of the rows of *frame*, which has ``label`` and ``row``, that stay."""
        ranked = frame.select("label", rank=ranks_of(frame["row"], self._seed))
        largest = _each(self._largest, default=2**64 - 1, kind=pl.UInt64)
        return ranked.select(pl.col("rank") <= largest).to_series()

    def are_full(self, labels: Labels) -> bool:
        """Return False, because a late row may be in the sample."""
        del labels
        return False


def cap_of(caps: Caps, label: str | None) -> int | None:
    """Return the limit of rows of class *label*, None without a limit. A single number applies to every class."""
    if isinstance(caps, int):
        return caps
    return None if label is None else caps.get(label)


def ranks_of(rows: pl.Series, seed: int) -> pl.Series:
    """Return a hash of the seed and the number of each row.

    The hash is SplitMix64, so no two rows of a seed have the same rank.

    >>> ranks_of(pl.Series([0]), 0)[0] == 0xE220A8397B1DCDAF  # the first number of the generator
    True
    """
    x = rows.cast(pl.UInt64).to_numpy() + np.uint64(1)
    with np.errstate(over="ignore"):  # arithmetic is modulo 2**64
        x = x * np.uint64(_STEP) + np.uint64(_mixed(seed) if seed else 0)
        for shift, factor in _MIX:
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return pl.Series("rank", x ^ (x >> np.uint64(31)))


def _mixed(seed: int) -> int:
    """Return the seed spread over 64 bits. Consecutive seeds would give the same ranks, shifted by a row."""
    x = seed % 2**64
    for shift, factor in _MIX:
        x = ((x ^ (x >> shift)) * factor) % 2**64
    return x ^ (x >> 31)


def _least(ranks: npt.NDArray[np.uint64], n: int) -> npt.NDArray[np.uint64]:
    return ranks if len(ranks) <= n else np.partition(ranks, n - 1)[:n]


def _each(values: Mapping[str | None, int], *, default: int, kind: type[pl.DataType] = pl.Int64) -> pl.Expr:
    """Return the value for the label of each row."""
    names = pl.Series(list(values), dtype=pl.String)
    return pl.col("label").replace_strict(names, list(values.values()), default=default, return_dtype=kind)
