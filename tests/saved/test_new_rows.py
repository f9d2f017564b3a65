"""A table is read alike as a file and in a folder, with its ids, and each readable row is predicted."""

import numpy as np
import polars as pl
import pytest

from counterpoint.errors import SourceError
from counterpoint.formats.png import rgb_png
from counterpoint.saved.new_rows import rows_of_table

TABLE = pl.DataFrame({"id": ["q1", "q2", "q2"], "text": ["a cat", "a dog", "a fox"]})


def read(path, folder, **reads):
    rows = rows_of_table(path, folder, **reads)
    return pl.concat([batch.rows for batch in rows.batches()], how="diagonal"), rows.notes


@pytest.mark.parametrize("modalities", [("text",), ("text", "image")])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_folder_with_one_table_is_read_as_the_table(tmp_path, modalities, ending):
    folder = tmp_path / "new"
    folder.mkdir()
    file = folder / f"new.{ending}"
    TABLE.write_csv(file) if ending == "csv" else TABLE.write_parquet(file)
    alone, notes = read(file, tmp_path, modalities=modalities)
    within, notes_within = read(folder, tmp_path, modalities=modalities)
    assert within.equals(alone)
    assert notes_within == notes
    assert within["id"].to_list() == ["q1", "q2", "q2"]
    assert read(tmp_path, tmp_path, modalities=modalities)[0].equals(alone)  # the only folder in a folder


def test_the_images_of_a_table_in_a_folder_are_found_from_that_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_bytes(rgb_png(np.zeros((16, 16, 3), np.uint8)))
    pl.DataFrame({"caption": ["a cat"] * 2, "file": ["pictures/1.png"] * 2}).write_csv(tmp_path / "new.csv")
    alone, notes = read(tmp_path / "new.csv", tmp_path)
    within, notes_within = read(tmp_path, tmp_path)
    assert within["image"].to_list() == [str(tmp_path / "pictures" / "1.png")] * 2
    assert within.equals(alone)
    assert notes == notes_within == ("The text is in column caption.", "The image is in column file.")


def test_several_tables_of_the_same_columns_are_read_in_order(tmp_path):
    TABLE.head(2).write_csv(tmp_path / "b.csv")
    TABLE.tail(1).select("text", "id").write_csv(tmp_path / "c.csv")
    (tmp_path / "settings.yaml").write_text("no table")
    found, _ = read(tmp_path, tmp_path)
    assert found.select("row", "id", "text").rows() == [(0, "q1", "a cat"), (1, "q2", "a dog"), (2, "q2", "a fox")]


def test_tables_of_other_columns_in_a_folder_are_refused_in_one_line(tmp_path):
    TABLE.write_csv(tmp_path / "a.csv")
    TABLE.rename({"text": "price"}).write_csv(tmp_path / "b.csv")
    with pytest.raises(SourceError, match=r"a\.csv and b\.csv do not both have price, text\. Name one table") as error:
        rows_of_table(tmp_path, tmp_path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_table_among_several_tables_is_named(tmp_path):
    for name in ("a.csv", "b.csv"):
        TABLE.write_csv(tmp_path / name)
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(SourceError, match=r"settings\.json stands among tables"):
        rows_of_table(tmp_path, tmp_path)
    (tmp_path / "b.csv").unlink()
    assert len(read(tmp_path, tmp_path)[0]) == 3


@pytest.mark.parametrize("name", ["ID", "Id", "uuid", "Sample ID"])
def test_ids_are_found_by_the_name_of_their_column_and_need_not_be_unique(tmp_path, name):
    TABLE.rename({"id": name, "text": "Text"}).write_csv(tmp_path / "new.csv")
    found, notes = read(tmp_path / "new.csv", tmp_path, modalities=("text",))
    assert found["id"].to_list() == ["q1", "q2", "q2"]
    assert found["text"].to_list() == TABLE["text"].to_list()
    assert notes == ("The text is in column Text.", f"The id is in column {name}.")


def test_a_column_named_id_goes_before_another_id(tmp_path):
    TABLE.with_columns(uuid=pl.lit("u")).select("uuid", "id", "text").write_csv(tmp_path / "new.csv")
    found, notes = read(tmp_path / "new.csv", tmp_path, modalities=("text",))
    assert found["id"].to_list() == ["q1", "q2", "q2"]
    assert notes == ()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_row_without_an_id_is_read_and_has_none(tmp_path, ending):
    table = TABLE.with_columns(id=pl.Series(["q1", None, "q3"]))
    write = {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}[ending]
    write(tmp_path / f"new.{ending}")
    found, _ = read(tmp_path / f"new.{ending}", tmp_path)
    assert found.select("row", "id", "text").rows() == [(0, "q1", "a cat"), (1, None, "a dog"), (2, "q3", "a fox")]
    assert "reason" not in found.columns or found["reason"].null_count() == 3


def test_a_row_that_cannot_be_read_keeps_its_reason_where_ids_are_empty(tmp_path):
    (tmp_path / "new.csv").write_text("id,text\n,a cat\n,a dog,too much\n")
    found, _ = read(tmp_path / "new.csv", tmp_path)
    assert found.select("id", "text", "reason").rows() == [(None, "a cat", None), ("line 3", None, "bad_row")]
