"""For any table, a study file is written whose source can be read, or one line names the fault."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterpoint.acquire.lists.infer import acquire_file
from counterpoint.config import read_study
from counterpoint.config.acquire import read_acquire
from counterpoint.data.infer import study_file
from counterpoint.data.sources import open_source
from counterpoint.errors import CounterpointError
from source_material import GOOD

pytestmark = pytest.mark.slow

KNOWN = ("image", "file", "caption", "text", "label", "split", "id", "group", "url", "NSFW", "text_id", "image_id")
TYPICAL = (
    "1.png",
    "IM\\1.png",
    "train",
    "test",
    "a cat on a mat",
    "two dogs",
    "https://x.org/1.jpg",
    "UNLIKELY",
    "[1]",
)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=16)
NAMES = st.one_of(st.sampled_from(KNOWN), ANY.filter(bool))
CELLS = st.one_of(st.sampled_from(TYPICAL), ANY, st.floats().map(str), st.integers().map(str), st.none())
SETTINGS = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw, *needed):
    """Draw a table of strings with the *needed* columns, most of whose cells are as they should be."""
    names = [*needed, *draw(st.lists(NAMES.filter(lambda name: name not in needed), max_size=5, unique=True))]
    n_rows = draw(st.integers(1, 12))
    columns = {name: draw(st.lists(CELLS, min_size=n_rows, max_size=n_rows)) for name in names}
    good = {"image": "im/1.png", "url": "https://x.org/1.jpg", "caption": "a cat on a mat"}
    for name in needed:
        many = [good[name] + (" in the sun" if n % 3 and name == "caption" else "") for n in range(n_rows)]
        columns[name] = [many[n] if n % 4 else columns[name][n] for n in range(n_rows)]
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def written(folder, frame, suffix, write):
    """Return the file that *write* makes for *frame*, or None where one line refuses it."""
    table, file = folder / f"t{suffix}", folder / "made.yaml"
    {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".parquet": frame.write_parquet}[suffix](table)
    try:
        file.write_text(write(file, table), encoding="utf-8")
    except CounterpointError as error:
        if len(str(error).splitlines()) != 1:
            pytest.fail(f"not one line: {error}")
        return None
    return file


@given(tables("image", "caption"), st.sampled_from([".csv", ".jsonl", ".parquet"]))
@SETTINGS
def test_a_written_study_file_opens_and_its_source_is_read(frame, suffix):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "im").mkdir()
        (folder / "im" / "1.png").write_bytes(GOOD)
        file = written(folder, frame, suffix, study_file)
        if file is not None:
            records, dropped = next(open_source(read_study(file).source).read(folder))
            assert len(records) + len(dropped) <= len(frame)


@given(tables("url", "caption"), st.sampled_from([".csv", ".jsonl", ".parquet"]))
@SETTINGS
def test_a_written_acquire_file_opens(frame, suffix):
    with tempfile.TemporaryDirectory() as name:
        file = written(Path(name), frame, suffix, lambda file, table: acquire_file(file, str(table)))
        if file is not None:
            assert read_acquire(file).input.path


@pytest.mark.parametrize("odd", ["^)$", "^$", "^.*$", "*"])
@pytest.mark.parametrize(("column", "write"), [("image", study_file), ("url", acquire_file)])
def test_a_column_whose_name_is_a_pattern_is_a_column(odd, column, write, tmp_path):
    given = {"image": "im/1.png", "url": "https://x.org/1.jpg"}
    frame = pl.DataFrame({column: [given[column]] * 6, "caption": ["a cat on a mat"] * 6, odd: ["x", "y"] * 3})
    (tmp_path / "im").mkdir()
    (tmp_path / "im" / "1.png").write_bytes(GOOD)
    file = written(
        tmp_path, frame, ".csv", lambda file, table: write(file, table if write is study_file else str(table))
    )
    assert file is not None
