import json
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.data.sources import SOURCES, Source, open_source
from counterpoint.data.sources.base import row_frames, stamp
from counterpoint.data.sources.table import TableSource
from counterpoint.errors import ConfigError, SourceError
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.lookup import find
from source_contract import SOURCE_CONTRACT
from source_material import IMAGES, read, sample, write_tar

IMAGE = st.sampled_from([*IMAGES, None])
# A lone carriage return may end a row of a CSV, which is refused: tests of formats have it.
TEXT = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\r"), max_size=8)
)
LABEL = st.sampled_from(["a", "b", None])
ROWS = st.lists(st.tuples(IMAGE, TEXT, LABEL), min_size=1, max_size=8)


def files(folder: Path, rows: list) -> list[str | None]:
    """Write the images of *rows*, and return their names."""
    names = [None if image is None else f"{row}.img" for row, (image, _, _) in enumerate(rows)]
    for name, (image, _, _) in zip(names, rows, strict=True):
        if name is not None:
            (folder / name).write_bytes(IMAGES[image])
    return names


def table_of(folder: Path, rows: list) -> pl.DataFrame:
    texts, labels = [text for _, text, _ in rows], [label for _, _, label in rows]
    columns = {"image": files(folder, rows), "text": texts, "label": labels}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def csv(folder: Path, rows: list) -> Source:
    # An empty text and a missing one are the same in a CSV.  A blank line is no row.
    table_of(folder, rows).with_columns(pl.lit("x").alias("more")).write_csv(folder / "t.csv", quote_style="always")
    return open_source({"kind": "table", "path": folder / "t.csv"})


def json_lines(folder: Path, rows: list) -> Source:
    table_of(folder, rows).write_ndjson(folder / "t.jsonl")
    return open_source({"kind": "table", "path": folder / "t.jsonl"})


def parquet(folder: Path, rows: list) -> Source:
    bodies = [None if image is None else IMAGES[image] for image, _, _ in rows]
    table_of(folder, rows).with_columns(pl.Series("image", bodies, dtype=pl.Binary)).write_parquet(folder / "t.parquet")
    return open_source({"kind": "table", "path": folder / "t.parquet"})


def frame(folder: Path, rows: list) -> Source:
    return TableSource.of(pl.read_parquet(parquet(folder, rows).path))


def webdataset(folder: Path, rows: list) -> Source:
    samples = [
        sample(
            text=None if text is None else text.encode(), image=None if image is None else IMAGES[image], label=label
        )
        for image, text, label in rows
    ]
    write_tar(folder / "0.tar", samples)
    return open_source({"kind": "webdataset", "path": folder, "label": "label"})


def imagefolder(folder: Path, rows: list) -> Source:
    names = [name or "absent.img" for name in files(folder, rows)]
    table_of(folder, rows).with_columns(pl.Series("file_name", names)).write_ndjson(folder / "metadata.jsonl")
    return open_source({"kind": "folder", "path": folder})


MAKERS = [csv, json_lines, parquet, frame, webdataset, imagefolder]


@pytest.mark.parametrize("maker", MAKERS)
@settings(max_examples=20, deadline=None)
@given(rows=ROWS)
def test_records_and_dropped_partition_the_input_whatever_the_images(maker, rows):
    with tempfile.TemporaryDirectory() as folder:
        records, dropped = read(maker(Path(folder), rows), Path(folder, "work"))
        assert len(records) + len(dropped) == len(rows)
        assert len(dropped) == 0
        given_texts = [text or None for _, text, _ in rows]
        assert [text or None for text in records["text"]] == given_texts
        statuses = inspect_images(records, Limits(), workers=1)["image_status"]
        for (image, _, _), status in zip(rows, statuses, strict=True):
            assert (status == "missing") == (image is None)
            assert (status == "ok") <= (image in {"good", "jpeg", "cmyk", "animated"})


def classes(folder: Path, rows: list) -> Source:
    for row, (image, text, label) in enumerate(rows):
        (folder / str(label)).mkdir(exist_ok=True)
        (folder / str(label) / f"{row}.png").write_bytes(IMAGES[image or "zero_bytes"])
        if text is not None:
            (folder / str(label) / f"{row}.txt").write_bytes(text.encode())
    return open_source({"kind": "folder", "path": folder, "layout": "classes"})


def study2023(folder: Path, rows: list) -> Source:
    for name in ("pos", "neg"):
        (folder / name).mkdir()
    for row, (image, _, _) in enumerate(rows):
        if image is not None:
            (folder / "pos" / f"1_{row}.jpg").write_bytes(IMAGES[image])
    texts = pl.DataFrame({"desc": [text for _, text, _ in rows]}, schema={"desc": pl.String})
    texts.with_columns(pl.lit("x").alias("more")).write_csv(folder / "pos.csv", quote_style="always")
    (folder / "neg.csv").write_text("desc\n")
    return open_source({"kind": "folder", "path": folder, "layout": "study2023"})


@pytest.mark.parametrize("maker", [classes, study2023])
@settings(max_examples=20, deadline=None)
@given(rows=ROWS)
def test_folders_lose_no_image_and_no_text(maker, rows):
    with tempfile.TemporaryDirectory() as folder:
        records, dropped = read(maker(Path(folder), rows), Path(folder))
        assert (len(records), len(dropped)) == (len(rows), 0)
        given_texts = sorted((text or "").strip() for _, text, _ in rows)
        assert sorted((text or "").strip() for text in records["text"]) == given_texts
        statuses = inspect_images(records, Limits(), workers=1)["image_status"]
        n_good = sum(image in {"good", "jpeg", "cmyk", "animated"} for image, _, _ in rows)
        assert (statuses == "ok").sum() == n_good


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 5), share=st.floats(0, 1))
def test_a_cut_tar_gives_the_rows_before_the_cut_and_one_dropped_row(n, share):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "0.tar")
        write_tar(path, [sample(label=1)] * n)
        whole = path.read_bytes()
        path.write_bytes(whole[: 512 + int(share * (len(whole) - 1024))])
        records, dropped = read(open_source({"kind": "webdataset", "path": path, "label": None}), Path(folder))
        assert len(records) <= n
        assert dropped.select("id", "reason").rows() in ([], [("0.tar", "truncated_shard")])
        assert len(dropped) == 1 or len(records) == n


@pytest.mark.parametrize("rule", SOURCE_CONTRACT)
@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_keeps_the_contract(kind, rule, tmp_path):
    try:
        rule(find(kind, SOURCES, what="source"), tmp_path)
    except ConfigError as error:
        if "pip install" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize("rule", SOURCE_CONTRACT)
def test_the_source_of_the_extension_guide_keeps_the_contract(rule, diary, tmp_path):
    rule(diary, tmp_path)


@pytest.fixture
def diary(tmp_path, monkeypatch):
    """The class of the guide, as it is written there, in a module of another package."""
    page = Path(__file__).parents[3].joinpath("docs", "extend.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```python\n((?:(?!```).)*class Diary.*?)```", page, re.DOTALL)
    name = f"diary_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = import_module(name)
    yield module.Diary
    del sys.modules[name]


def test_a_source_with_settings_to_give_needs_an_example_of_its_own(tmp_path):
    with pytest.raises(NotImplementedError, match=r"WithoutExample needs a classmethod example\(folder\)"):
        WithoutExample.example(tmp_path)


class WithoutExample(Source):
    """A source whose path has no default, and which writes no example."""

    path: Path


def test_a_source_of_this_package_needs_one_line_in_the_table(diary, monkeypatch, tmp_path):
    (tmp_path / "pages").mkdir()
    diary.example(tmp_path / "pages")
    monkeypatch.setitem(SOURCES, "diary", f"{diary.__module__}:Diary")
    records, _ = read(open_source({"kind": "diary", "path": tmp_path / "pages"}), tmp_path / "work")
    assert records["id"].to_list() == ["monday"]


def test_an_unknown_setting_names_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match=r"Unknown key 'source.knd'\. Did you mean 'kind'"):
        open_source({"kind": "generated", "knd": 1})


@pytest.mark.parametrize("kind", ["acquired", "table", "folder", "webdataset"])
def test_a_wrong_path_names_the_nearest_sibling(kind, tmp_path):
    (tmp_path / "captions").mkdir()
    with pytest.raises(SourceError, match=r"captoins/x. Did you mean 'captions'\?"):
        read(open_source({"kind": kind, "path": tmp_path / "captoins" / "x"}), tmp_path)


def test_a_source_of_no_kind_or_of_an_unknown_one_is_refused():
    with pytest.raises(ConfigError, match=r"Missing key 'source.kind'\. Allowed: acquired, emoji, folder"):
        open_source({"path": "x"})
    with pytest.raises(ConfigError, match=r"Unknown source 'tabel'\. Did you mean 'table'"):
        open_source({"kind": "tabel"})
    with pytest.raises(ConfigError, match="'math:tau' is no source"):
        open_source({"kind": "math:tau"})


def test_a_source_of_ones_own_is_named_by_its_path(tmp_path):
    source = open_source({"kind": "counterpoint.data.sources.generated:GeneratedSource", "n": 3})
    assert len(read(source, tmp_path)[0]) == 3


def test_a_batch_holds_at_most_ten_thousand_rows_and_rows_count_on(tmp_path):
    lines = (json.dumps({"image": "gone.png", "text": f"text {row}"}) for row in range(25_000))
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    batches = list(open_source({"kind": "table", "path": tmp_path / "t.jsonl"}).read(tmp_path))
    assert [len(records) for records, _ in batches] == [10_000, 10_000, 5_000]
    assert batches[2][0]["row"][0] == 20_000


def test_an_input_without_rows_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("image,text\n")
    with pytest.raises(SourceError, match=r"Source table .*t.csv has no rows"):
        read(open_source({"kind": "table", "path": tmp_path / "t.csv"}), tmp_path)


def test_a_changed_input_changes_the_fingerprint(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,text\n1.png,a\n")
    source = open_source({"kind": "table", "path": path})
    before = source.fingerprint()
    path.write_text("image,text\n1.png,ab\n")
    assert source.fingerprint() != before


class OneFile(Source):
    """A source of one file, which it opens without a look."""

    path: Path

    def rows(self, work):
        yield from row_frames([{"id": "a", "text": self.path.read_text()}], {})

    def fingerprint(self):
        return stamp(self, [self.path])


def test_a_file_that_a_source_from_outside_does_not_find_is_one_line(tmp_path):
    source = OneFile(path=tmp_path / "gone.txt")
    for use in (source.fingerprint, lambda: read(source, tmp_path)):
        with pytest.raises(SourceError, match=r"gone\.txt"):
            use()
