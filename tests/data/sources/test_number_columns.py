"""Further columns of numbers that a table keeps for its pairs."""

import polars as pl
import pytest

from counterpoint.data.sources import open_source
from counterpoint.errors import SourceError


def written(folder, **columns) -> dict[str, str]:
    rows = pl.DataFrame({"image": ["a.png", "b.png"], "text": ["a", "b"], "label": ["x", "y"]} | columns)
    rows.write_csv(folder / "pairs.csv")
    return {"kind": "table", "path": str(folder / "pairs.csv")}


def read(source, work) -> pl.DataFrame:
    return pl.concat([records for records, _ in open_source(source).read(work)])


def test_named_columns_and_those_of_a_start_are_kept_as_numbers(tmp_path):
    source = written(tmp_path, x_0=["1.5", "NaN"], x_1=["2", ""], size=["10", "20"], other=["p", "q"])
    found = read(source | {"numbers": ["x_*", "size"]}, tmp_path)
    assert found.select("x_0", "x_1", "size").rows() == [(1.5, 2.0, 10.0), (None, None, 20.0)]
    assert "other" not in found.columns
    assert {"x_0", "size"}.isdisjoint(read(source, tmp_path).columns)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (["sise"], r"no column for source\.numbers, 'sise'.*Did you mean 'size'"),
        (["z_*"], r"no column for source\.numbers, 'z_\*'"),
        (["label"], r"source\.numbers names 'label', a column that pairs have already"),
        (["name"], r"column 'name' of source\.numbers must hold numbers: 1 of 2 values are not, such as 'red'"),
    ],
)
def test_a_column_that_holds_no_numbers_is_one_line(numbers, message, tmp_path):
    source = written(tmp_path, size=[10, 20], name=["red", "3"])
    with pytest.raises(SourceError, match=message):
        read(source | {"numbers": numbers}, tmp_path)


def test_a_source_without_such_columns_has_the_fingerprint_of_before(tmp_path):
    source = written(tmp_path, size=[10, 20])
    plain, with_size = (open_source(source | more) for more in ({}, {"numbers": ["size"]}))
    assert "numbers" not in plain.model_dump(mode="json")
    assert plain.fingerprint() != with_size.fingerprint()
