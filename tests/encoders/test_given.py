"""Vectors that the user has made: joined by id, by row or by column, and refused in one line."""

import re

import numpy as np
import polars as pl
import pytest

from counterpoint.encoders import given, open_encoder
from counterpoint.encoders.building import build_encodings
from counterpoint.encoders.encodings import load_encodings
from counterpoint.errors import ConfigError, SchemaError, SourceError

VECTORS = np.arange(12, dtype=np.float32).reshape(6, 2)
IDS = ["a", "b", "c", "d", "e", "f"]


@pytest.fixture
def pairs() -> pl.DataFrame:
    return pl.DataFrame({
        "id": ["e", "a", "c", "b"], "row": [4, 0, 2, 1], "text": ["E", "A", None, "B"],
        "image": ["e.png", "a.png", "c.png", "b.png"],
    })  # fmt: skip


def as_lists(vectors=VECTORS, ids=IDS) -> pl.DataFrame:
    return pl.DataFrame({"id": ids, "vector": [list(map(float, each)) for each in vectors]})


def as_arrays() -> pl.DataFrame:
    return as_lists().with_columns(pl.col("vector").cast(pl.Array(pl.Float64, 2)))


def as_lists_of_a_pattern() -> pl.DataFrame:
    return as_lists().rename({"vector": "^)$"})


def as_numbers_of_patterns() -> pl.DataFrame:
    return as_numbers().rename({"x": "^.*$", "note": "*", "y": "^y)$"})


def as_numbers() -> pl.DataFrame:
    return pl.DataFrame({"id": IDS, "x": VECTORS[:, 0], "note": ["-"] * 6, "y": VECTORS[:, 1].astype(np.int64)})


@pytest.mark.parametrize("table", [as_lists, as_arrays, as_numbers, as_lists_of_a_pattern, as_numbers_of_patterns])
@pytest.mark.parametrize("at_once", [2, 8192])
def test_a_table_is_joined_by_id_in_any_order(tmp_path, pairs, table, at_once, monkeypatch):
    monkeypatch.setattr(given, "AT_ONCE", at_once)
    table()[::-1].write_parquet(tmp_path / "vectors.parquet")
    encoder = open_encoder(str(tmp_path / "vectors.parquet"))
    found = load_encodings(pairs, encoder, "image")
    assert encoder.width == found.width == 2
    np.testing.assert_array_equal(found[:], VECTORS[[4, 0, 2, 1]])
    assert load_encodings(pairs, encoder, "text").is_missing.tolist() == [False, False, True, False]


def test_an_array_is_joined_by_the_row_of_the_source(tmp_path, pairs):
    np.save(tmp_path / "vectors.npy", VECTORS.astype(np.float16))
    found = load_encodings(pairs, open_encoder(str(tmp_path / "vectors.npy")), "image")
    np.testing.assert_array_equal(found[[1, 0]], VECTORS[[0, 4]])
    assert found[:].dtype == np.float32


@pytest.mark.parametrize("names", [("v_0", "v_1"), ("^v.*$", "^v)$")])
def test_columns_are_taken_by_their_prefix(pairs, names):
    own = dict(zip(names, (pl.Series([1.0, 2, 3, None]), pl.Series([5, 6, 7, None])), strict=True))
    found = load_encodings(pairs.with_columns(**own), open_encoder(f"columns:{names[0][:2]}"), "image")
    assert found[:].tolist() == [[1, 5], [2, 6], [3, 7], [0, 0]]
    assert found.is_missing.tolist() == [False, False, False, True]


def test_a_null_list_is_a_missing_vector(tmp_path, pairs):
    pl.DataFrame({"id": ["a", "b", "c", "e"], "v": [None, [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]}).write_parquet(
        tmp_path / "v.parquet"
    )
    found = load_encodings(pairs, open_encoder(str(tmp_path / "v.parquet")), "image")
    assert found[:].tolist() == [[5, 6], [0, 0], [3, 4], [1, 2]]
    assert found.is_missing.tolist() == [False, True, False, False]


def test_a_pair_without_a_text_needs_no_vector(tmp_path, pairs):
    as_lists().filter(pl.col("id") != "c").write_parquet(tmp_path / "v.parquet")
    encoder = open_encoder(str(tmp_path / "v.parquet"))
    assert load_encodings(pairs, encoder, "text")[:].tolist() == [[8, 9], [0, 1], [0, 0], [2, 3]]
    with pytest.raises(SchemaError, match=r"has no row for 1 of 4 rows\. The first ids: c\."):
        load_encodings(pairs, encoder, "image")


def nan_in(row: int) -> np.ndarray:
    vectors = VECTORS.copy()
    vectors[row, 1] = np.nan
    return vectors


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (as_lists(VECTORS[:2], ["a", "b"]), "v.parquet has no row for 2 of 4 rows. The first ids: e, c."),
        (pl.concat([as_lists(), as_lists(VECTORS[:1], ["b"])]),
         "v.parquet has several rows for 1 of 4 rows. The first ids: b."),
        (as_lists(nan_in(4)), "v.parquet has null, NaN or infinite values for 1 of 4 rows. The first ids: e."),
        (pl.DataFrame({"id": IDS, "v": [[1.0, 2.0], [1.0], [], [1.0, 2.0], [0.0, 0.0], [1.0, 2.0]]}),
         "v.parquet needs 2 values for 2 of 6 rows. The first ids: b, c."),
        (pl.DataFrame({"id": IDS, "v": [[1.0, None]] * 6}),
         "v.parquet has null, NaN or infinite values for 4 of 4 rows. The first ids: e, a, c."),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_one_line(tmp_path, pairs, table, line, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table.write_parquet("v.parquet")
    with pytest.raises(SchemaError) as error:
        load_encodings(pairs, open_encoder("v.parquet"), "image")
    assert str(error.value) == line


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (pl.DataFrame({"v": [[1.0]]}), "v.parquet needs a column id and one column of lists of numbers, or columns of "
         "numbers; found v (List(Float64))."),
        (pl.DataFrame({"id": ["a"], "v": [["x", "y"]]}), "v.parquet needs a column id and one column of lists of "
         "numbers, or columns of numbers; found id (String), v (List(String))."),
        (pl.DataFrame({"id": ["a"], "v": [[[1.0], [2.0]]]}), "v.parquet needs a column id and one column of lists of "
         "numbers, or columns of numbers; found id (String), v (List(List(Float64)))."),
        (pl.DataFrame({"id": ["a", "b"], "v": [None, []]}, schema={"id": pl.String, "v": pl.List(pl.Float32)}),
         "v.parquet has no vector with a value in any row."),
        (pl.DataFrame({"id": ["a"], "name": ["x"]}),
         "v.parquet needs a column id and one column of lists of numbers, or columns of numbers; found id (String), "
         "name (String)."),
    ],
)  # fmt: skip
def test_a_table_without_vectors_is_one_line(tmp_path, table, line, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table.write_parquet("v.parquet")
    with pytest.raises(SchemaError) as error:
        open_encoder("v.parquet")
    assert str(error.value) == line


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (VECTORS[:4], "v.npy has 4 rows, but the pairs come from rows up to 4 of their source: row i must be record i. "
         "A Parquet file with a column id fits in any order."),
        (nan_in(2), "v.npy has NaN or infinite values for 1 of 4 rows. The first ids: c."),
        (np.full((6, 2), 1e300), "v.npy has NaN or infinite values for 4 of 4 rows. The first ids: e, a, c."),
    ],
)  # fmt: skip
def test_an_array_that_does_not_fit_is_one_line(tmp_path, pairs, array, line, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", array)
    with pytest.raises(SchemaError) as error:
        load_encodings(pairs, open_encoder("v.npy"), "image")
    assert str(error.value) == line


def test_an_array_of_another_shape_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", np.zeros(3))
    with pytest.raises(SchemaError, match=r"v.npy needs an array of numbers of shape \(n, width\); found float64"):
        open_encoder("v.npy")
    np.save("v.npy", np.zeros((3, 0)))
    with pytest.raises(SchemaError, match=r"found float64 of shape \(3, 0\)\."):
        open_encoder("v.npy")


def test_an_array_has_a_row_for_each_record_and_no_more(tmp_path, pairs, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", np.vstack([VECTORS, VECTORS]))
    encoder = open_encoder("v.npy")
    encoder.check(pairs, "image", 12)
    with pytest.raises(
        SchemaError, match=r"^v.npy has 12 rows, but the source has 6 records: row i must be record i\."
    ):
        encoder.check(pairs, "image", 6)


@pytest.mark.parametrize("kind", [">f4", ">f8", "<f2", ">i2"])
def test_an_array_of_another_machine_is_read_by_its_type(tmp_path, pairs, kind):
    np.save(tmp_path / "v.npy", VECTORS.astype(kind))
    found = load_encodings(pairs, open_encoder(str(tmp_path / "v.npy")), "image")
    np.testing.assert_array_equal(found[:], VECTORS.astype(kind)[pairs["row"].to_numpy()].astype(np.float32))


@pytest.mark.parametrize("name", ["v.npy", "v.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY\x01", b"PAR1rubbish"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, name, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=f"^Cannot read {re.escape(name)}: [^\n]*[^.]\\.$") as error:
        open_encoder(name)
    assert "pickle" not in str(error.value)  # numpy advises to load such a file unsafely


def test_columns_that_are_no_numbers_are_one_line(pairs):
    with pytest.raises(SchemaError, match=r"columns:te needs columns of numbers .* 'te'; found text \(String\)\."):
        load_encodings(pairs, open_encoder("columns:te"), "image")
    with pytest.raises(
        SchemaError,
        match=r"columns:v_ needs columns .* 'v_'; found id, row, text, image\. "
        r"Of a table, source.numbers keeps them: numbers: \[v_\*\]\.",
    ):
        load_encodings(pairs, open_encoder("columns:v_"), "image")
    partly = pairs.with_columns(v_0=pl.Series([1.0, None, 3, 4]), v_1=pl.Series([5.0, 6, float("nan"), 8]))
    with pytest.raises(SchemaError, match=r"has null, NaN or infinite values for 2 of 4 rows\. The first ids: a, c\."):
        load_encodings(partly, open_encoder("columns:v_"), "image")


def test_pairs_without_ids_are_one_line(tmp_path, pairs):
    as_lists().write_parquet(tmp_path / "v.parquet")
    with pytest.raises(
        SchemaError,
        match=r"v.parquet has vectors of its own rows only. It needs the column id of the pairs; found text\.",
    ):
        load_encodings(pairs.select("text"), open_encoder(str(tmp_path / "v.parquet")), "text")


def test_given_vectors_are_not_stored_and_read_no_other_texts(tmp_path, pairs):
    as_lists().write_parquet(tmp_path / "v.parquet")
    encoder = open_encoder(str(tmp_path / "v.parquet"))
    build_encodings(pairs, encoder, "text", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    with pytest.raises(ConfigError, match=r"v.parquet has vectors of its own rows only: other texts need another"):
        encoder.encode_texts(["a"])


def test_the_fingerprint_follows_the_content(tmp_path):
    as_lists().write_parquet(tmp_path / "v.parquet")
    before = open_encoder(str(tmp_path / "v.parquet")).fingerprint
    as_lists(VECTORS + 1).write_parquet(tmp_path / "v.parquet")
    assert open_encoder(str(tmp_path / "v.parquet")).fingerprint != before


def test_rows_of_a_table_are_not_held_in_memory(tmp_path, pairs):
    as_lists().write_parquet(tmp_path / "v.parquet")
    _, _, read = open_encoder(str(tmp_path / "v.parquet")).rows(pairs, "image")
    assert not isinstance(read(np.array([0])), np.memmap)
    assert any(isinstance(cell.cell_contents, np.memmap) for cell in read.__closure__)
