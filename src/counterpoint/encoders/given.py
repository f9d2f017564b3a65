"""Vectors that the user has made: a Parquet table by id, a NumPy array by row, or columns of the pairs."""

import tempfile
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from counterpoint.artifacts import key_of, why_not_read
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.store import Bools
from counterpoint.errors import ConfigError, SchemaError, SourceError
from counterpoint.files import digest_once, open_regular
from counterpoint.schema import MODALITIES, Frame

Rows = NDArray[np.int64]
GivenRows = tuple[int, Bools, Callable[[Rows], Floats]]
"""The width, whether each pair has no vector, and a function from rows to vectors."""
AT_ONCE = 8192
_BY_ROW = "row i must be record i. A Parquet file with a column id fits in any order."
_NAMED = 3
"""The most ids that an error names."""


class Given(Encoder):
    """Vectors of the pairs of one source.  It reads no other texts or images.

    A pair whose text or image is null needs no vector.
    """

    modalities = MODALITIES

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def rows(self, pairs: Frame, modality: str) -> GivenRows:
        """Return the vectors for the *modality* of *pairs*.

        Raises
        ------
        SchemaError
            When a vector is missing, repeated, of another length, or not finite.
        """

    def check(self, pairs: Frame, modality: str, n_records: int) -> None:
        """Check the vectors of all pairs at once, before a model is fitted.

        Parameters
        ----------
        pairs, modality
            *pairs* are all pairs of a study, and *modality* is that of the vectors.
        n_records
            *n_records* is the number of records of their source.

        Raises
        ------
        SchemaError
            As `rows` does, and where the vectors are those of another number of records.
        """
        self.rows(pairs, modality)

    def reads_no(self, modality: str) -> ConfigError:
        """Return the error for contents that are not rows of the pairs."""
        return ConfigError(f"{self.name} has vectors of its own rows only: other {modality}s need another encoder.")

    def _key(self, pairs: Frame, name: str) -> pl.Series:
        """Return the column of *pairs* that says which vector is theirs."""
        return _column(pairs, name, f"{self.name} has vectors of its own rows only. It")

    def _refuse(self, ids: pl.Series, is_wrong: Bools, why: str) -> None:
        wrong = ids.filter(pl.Series(is_wrong))
        if len(wrong):
            named = ", ".join(map(str, wrong.head(_NAMED)))
            raise SchemaError(f"{self.name} {why} {len(wrong):,} of {len(ids):,} rows. The first ids: {named}.")


class _GivenFile(Given):
    """Vectors in a file."""

    @property
    def fingerprint(self) -> str:
        """A hash of the content of the file."""
        try:
            return key_of("given", digest_once(self.name))
        except OSError as error:
            raise SourceError(why_not_read(self.name, error)) from error


class GivenTable(_GivenFile):
    """A Parquet file with a column ``id`` and one column of lists, or with ``id`` and columns of numbers.

    A null list is a missing vector.

    Parameters
    ----------
    name
        *name* is the path of the file.

    Raises
    ------
    SourceError
        When the file cannot be read.
    SchemaError
        When it lacks such columns.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        with self._opened() as file:
            nothing: Any = pl.from_arrow(file.schema_arrow.empty_table())
        self._is_list, self._columns = self._vector_columns(nothing.schema)
        self.width = len(self._columns)
        if self._is_list:
            lengths = (table[self._columns[0]].alias("").drop_nulls().list.len() for table in self._tables())
            self.width = next((int(each[0]) for each in lengths if len(each)), 0)
        if not self.width:
            raise SchemaError(f"{name} has no vector with a value in any row.")

    def rows(self, pairs: Frame, modality: str) -> GivenRows:
        """Return the vectors of *pairs* by their ``id``."""
        ids = self._key(pairs, "id").cast(pl.String)
        is_needed, counts = ~_is_missing(pairs, modality), np.zeros(len(pairs), dtype=np.int64)
        is_null, is_bad = np.zeros(len(pairs), dtype=bool), np.zeros(len(pairs), dtype=bool)
        with tempfile.TemporaryFile() as file:  # the map keeps its bytes
            vectors = np.memmap(file, np.float32, "w+", shape=(max(1, len(pairs)), max(1, self.width)))
        places = pl.DataFrame({"id": ids}).with_row_index("row_of_pair")
        for table in self._tables():
            has_vector, matrix = self._matrix(table)
            joined = table.select("id").with_row_index("at").join(places, on="id")
            at, rows = joined["at"].to_numpy(), joined["row_of_pair"].to_numpy()
            np.add.at(counts, rows, 1)
            is_null[rows], is_bad[rows] = ~has_vector[at], ~np.isfinite(matrix[at]).all(axis=1)
            vectors[rows] = matrix[at]
        self._refuse(ids, is_needed & (counts == 0), "has no row for")
        self._refuse(ids, is_needed & (counts > 1), "has several rows for")
        self._refuse(ids, is_needed & is_bad, "has null, NaN or infinite values for")
        return self.width, ~is_needed | is_null, lambda chosen: np.asarray(vectors[chosen])

    def _vector_columns(self, schema: pl.Schema) -> tuple[bool, list[str]]:
        """Return whether the vectors are lists, and the one column of lists, or the columns of numbers."""
        lists = [name for name, kind in schema.items() if isinstance(kind, pl.List | pl.Array)]
        numbers = [name for name, kind in schema.items() if kind.is_numeric() and name != "id"]
        are_numbers = all(kind.inner.is_numeric() for kind in schema.values() if isinstance(kind, pl.List | pl.Array))
        if "id" not in schema or len(lists) > 1 or not are_numbers or not (lists or numbers):
            raise SchemaError(
                f"{self.name} needs a column id and one column of lists of numbers, or columns of numbers; "
                f"found {', '.join(f'{name} ({kind})' for name, kind in schema.items())}."
            )
        return bool(lists), lists or numbers

    def _matrix(self, table: Frame) -> tuple[Bools, Floats]:
        """Return which rows of *table* have a vector, and all vectors: zeros for a row without one."""
        if not self._is_list:
            return np.ones(len(table), dtype=bool), _matrix_of(table, self._columns)
        lists = table[self._columns[0]].alias("")
        lengths = lists.list.len()
        self._refuse(table["id"], (lengths != self.width).fill_null(False).to_numpy(), f"needs {self.width} values for")
        full = lists.fill_null(pl.lit([0.0] * self.width))
        return lists.is_not_null().to_numpy(), full.explode().to_numpy().reshape(-1, self.width)

    def _tables(self) -> Iterator[Frame]:
        own = cs.by_name(*self._columns)
        vectors = own.cast(pl.List(pl.Float32)) if self._is_list else own
        with self._opened() as file:
            for batch in file.iter_batches(AT_ONCE, columns=["id", *self._columns]):
                table: Any = pl.from_arrow(batch)
                yield table.select(pl.col("id").cast(pl.String), vectors)

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        try:
            with open_regular(self.name) as data, pq.ParquetFile(data) as file:
                yield file
        except (OSError, pa.ArrowException) as error:
            raise SourceError(why_not_read(self.name, error)) from error


class GivenArray(_GivenFile):
    """A NumPy file of shape (n, width): its row i is the vector of record i of the source (column ``row`` of pairs).

    Parameters
    ----------
    name
        *name* is the path of the file.

    Raises
    ------
    SourceError
        When the file cannot be read.
    SchemaError
        When it is no table of numbers.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        shape, kind = self._opened().shape, self._opened().dtype
        if len(shape) != 2 or not shape[1] or kind.kind not in "fiu":
            raise SchemaError(f"{name} needs an array of numbers of shape (n, width); found {kind} of shape {shape}.")
        self.width = shape[1]

    def check(self, pairs: Frame, modality: str, n_records: int) -> None:
        """Check the vectors of all pairs at once, and that there is one row for each record.

        Parameters
        ----------
        pairs, modality, n_records
            *pairs*, *modality* and *n_records* are those of `Given.check`.
        """
        if (n := len(self._opened())) != n_records:
            raise SchemaError(f"{self.name} has {n:,} rows, but the source has {n_records:,} records: {_BY_ROW}")
        super().check(pairs, modality, n_records)

    def rows(self, pairs: Frame, modality: str) -> GivenRows:
        """Return the vectors of *pairs* by their ``row``."""
        vectors, places = self._opened(), self._key(pairs, "row").to_numpy()
        if len(places) and (last := int(places.max())) >= len(vectors):
            where = f"the pairs come from rows up to {last:,} of their source"
            raise SchemaError(f"{self.name} has {len(vectors):,} rows, but {where}: {_BY_ROW}")
        is_missing = _is_missing(pairs, modality)
        is_bad = np.zeros(len(pairs), dtype=bool)
        for start in range(0, len(pairs), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            is_bad[part] = ~np.isfinite(_as_floats(vectors[places[part]])).all(axis=1)
        self._refuse(_named(pairs), ~is_missing & is_bad, "has NaN or infinite values for")
        return self.width, is_missing, lambda chosen: _as_floats(vectors[places[chosen]])

    def _opened(self) -> NDArray[Any]:
        try:
            open_regular(self.name).close()
            array: NDArray[Any] = np.lib.format.open_memmap(self.name, mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(why_not_read(self.name, error)) from error
        return array


class GivenColumns(Given):
    """The columns of the pairs whose names start with a prefix.  A pair in which all are null has no vector.

    Parameters
    ----------
    name
        *name* is ``columns:`` and the prefix.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.width = 0

    @property
    def fingerprint(self) -> str:
        """A hash of the prefix: the values are a part of the pairs."""
        return key_of("given", self.name)

    def rows(self, pairs: Frame, modality: str) -> GivenRows:
        """Return the vectors of *pairs*, in the order of the columns."""
        prefix = self.name.partition(":")[2]
        names = [name for name in pairs.columns if name.startswith(prefix)]
        wrong = [f"{name} ({pairs.schema[name]})" for name in names if not pairs.schema[name].is_numeric()]
        if wrong or not names:
            found = ", ".join(wrong) if wrong else f"{', '.join(pairs.columns)}"
            raise SchemaError(
                f"{self.name} needs columns of numbers whose names start with {prefix!r}; found {found}. "
                f"Of a table, source.numbers keeps them: numbers: [{prefix}*]."
            )
        is_null = pairs.select(pl.all_horizontal(cs.by_name(*names).is_null())).to_series().to_numpy()
        is_missing = _is_missing(pairs, modality) | is_null
        finite = pl.all_horizontal(cs.by_name(*names).is_finite().fill_null(False))
        is_finite = pairs.select(finite).to_series().to_numpy()
        self._refuse(_named(pairs), ~is_missing & ~is_finite, "has null, NaN or infinite values for")
        return len(names), is_missing, lambda chosen: _matrix_of(pairs[chosen], names)


def _is_missing(pairs: Frame, modality: str) -> Bools:
    """Return whether the text or image of each pair is null."""
    return _column(pairs, modality, "An encoder").is_null().to_numpy()


def _column(pairs: Frame, name: str, needed_by: str) -> pl.Series:
    if name not in pairs.columns:
        raise SchemaError(f"{needed_by} needs the column {name} of the pairs; found {', '.join(pairs.columns)}.")
    return pairs[name]


def _named(pairs: Frame) -> pl.Series:
    """Return the ids of *pairs*, or else their numbers."""
    return pairs["id"] if "id" in pairs.columns else pl.int_range(len(pairs), eager=True)


def _as_floats(vectors: NDArray[Any]) -> Floats:
    """Return *vectors* in 32 bits, where a number that is too large is infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(vectors, dtype=np.float32)


def _matrix_of(table: Frame, names: Sequence[str]) -> Floats:
    return table.select(cs.by_name(*names).cast(pl.Float32)).to_numpy()
