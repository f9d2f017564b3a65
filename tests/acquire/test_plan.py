"""A plan gives each selected row one slot, is made once, and is refused when it is another's."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.acquire.lists.value_counts import ValueCounts
from counterpoint.acquire.plan import Plan, open_plan
from counterpoint.config.acquire import AcquireConfig
from counterpoint.errors import CounterpointError, RunFolderError, SourceError
from counterpoint.formats.shard_markers import list_name
from counterpoint.formats.shards import LISTED
from counterpoint.store import Store

N_ROWS = 25


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "list" / "a.parquet", range(15))
    write(tmp_path / "list" / "b.parquet", range(15, N_ROWS))
    return tmp_path


def write(path, numbers):
    path.parent.mkdir(exist_ok=True)
    urls = [f"http://host{n % 3}.org/{n}.jpg" for n in numbers]
    texts = ["a man walks" if n % 2 else "the dog sleeps" if n % 5 else "a house" for n in numbers]
    pl.DataFrame({"URL": urls, "TEXT": texts, "SAMPLE_ID": list(numbers)}).write_parquet(path)


def config(folder, **settings):
    values = {"acquisition": "a", "input": str(folder / "list"), "output": str(folder / "out"), "shard_rows": 4}
    return AcquireConfig.read(values | settings)


def made(folder, **settings):
    return open_plan(config(folder, **settings), Store(folder / "out"))


def lists(store, n_shards):
    return [pl.read_parquet(store.read(list_name(shard))) for shard in range(n_shards)]


@pytest.mark.parametrize("shard_rows", [1, 4, 5, 25, 100])
def test_every_selected_row_has_one_slot_in_the_order_of_the_list(folder, shard_rows):
    found = made(folder, shard_rows=shard_rows)
    parts = lists(Store(folder / "out"), found.n_shards)
    together = pl.concat(parts)
    assert dict(together.schema) == dict(LISTED)
    assert together["slot"].to_list() == list(range(N_ROWS))
    assert together["id"].to_list() == [str(n) for n in range(N_ROWS)]
    assert [part.height for part in parts[:-1]] == [shard_rows] * (found.n_shards - 1)
    assert Store(folder / "out").names("plan") == [Path(list_name(n)).name for n in range(found.n_shards)]


def test_a_plan_says_what_was_read_removed_and_selected(folder):
    keywords = {"classes": {"person": ["man"], "animal": ["dog"]}}
    found = made(folder, select={"keywords": keywords, "caps": {"person": 10}})
    assert (found.n_read, found.n_rows, found.n_shards) == (25, 20, 5)
    assert found.counts == {"no_label_rule": 3, "over_cap": 2}
    assert found.labels == {"animal": 10, "person": 10}
    assert (found.n_hosts, sum(found.largest_hosts.values())) == (3, 20)
    assert found.columns == {"id": "SAMPLE_ID", "url": "URL", "text": "TEXT"}
    assert (found.not_applied, found.unreadable_files, found.warnings) == (["nsfw", "punsafe"], {}, [])


def test_what_a_plan_prints_has_every_number(folder):
    lines = "\n".join(made(folder, select={"max_words": 2}, shard_rows=2).lines())
    assert [line.split() for line in lines.splitlines()[:4]] == [
        ["rows", "read", "25"],
        ["too_many_words", "-22"],
        ["selected", "3"],
        ["shards", "2"],
    ]
    assert "host1.org" in lines
    assert "Rule nsfw did nothing: the list has no such column." in lines


def test_a_plan_that_was_made_is_read_and_nothing_is_written(folder):
    first = made(folder)
    before = {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*")}
    assert made(folder) == first == Plan.read(Store(folder / "out"))
    assert {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*")} == before


def test_where_a_plan_is_and_who_works_may_differ(folder):
    made(folder)
    (folder / "out").rename(folder / "moved")
    other = config(folder, run={"workers": 3}, acquisition="b", output=str(folder / "moved"))
    assert open_plan(other, Store(folder / "moved")).n_rows == N_ROWS


def test_guard_and_manners_may_change_while_a_plan_is_fetched(folder):
    first = made(folder)
    guard = {"allow_address": ["127.0.0.1/32"], "robots": True, "max_url_bytes": 99}
    fetch = {"total_s": 30, "per_host": 1, "user_agent": "me/1", "attempts": 2, "max_body_bytes": 9}
    assert made(folder, guard=guard, fetch=fetch) == first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"select": {"min_words": 2}}, r"select\.min_words: 0, not 2\. Set it back"),
        ({"keep": "gray-64"}, 'keep: "jpeg-256", not "gray-64"'),
        ({"shard_rows": 5}, "shard_rows: 4, not 5"),
        ({"decode": {"min_side_px": 30}}, r"decode\.min_side_px: 16, not 30"),
        ({"select": {"caps": {"person": 5}}}, r'select\.caps: null, not \{"person": 5\}'),
        ({"input": {"path": "elsewhere"}}, r'input\.path: \[".*list("\]|…), not \["elsewhere"\]'),
    ],
)
def test_another_plan_is_refused_with_what_differs(folder, settings, message):
    made(folder)
    before = (folder / "out" / "plan.json").read_bytes()
    with pytest.raises(RunFolderError, match=message) as caught:
        made(folder, **settings)
    assert "\n" not in str(caught.value)
    assert (folder / "out" / "plan.json").read_bytes() == before


@pytest.mark.parametrize("what", ["changed", "gone", "new", "touched"])
def test_a_plan_of_another_list_is_refused_with_the_file(folder, what):
    made(folder)
    path = folder / "list" / {"new": "c.parquet"}.get(what, "b.parquet")
    if what == "gone":
        path.unlink()
    elif what == "touched":
        os.utime(path, ns=(1, 1))
    else:
        write(path, range(90, 99))
    why = {"gone": "is gone", "new": "is new"}.get(what, "has changed since")
    with pytest.raises(RunFolderError, match=rf"{path.name} {why}\. Bring the old files back, or name another"):
        made(folder)


def test_a_column_that_is_left_out_makes_another_plan(folder):
    made(folder)
    with pytest.raises(RunFolderError, match=r"input\.columns\.license: nothing, not null\. Set it back"):
        made(folder, input={"path": str(folder / "list"), "columns": {"license": None}})


def test_shards_without_a_plan_are_not_planned_over(folder):
    made(folder)
    Store(folder / "out").write("shards/00000.parquet", b"")
    (folder / "out" / "plan.json").unlink()
    with pytest.raises(RunFolderError, match=r"holds shards but no plan\.json\. Put it back, or name another"):
        made(folder)


def test_a_folder_without_a_plan_is_one_line(tmp_path):
    with pytest.raises(RunFolderError, match=r"holds no plan\. `counterpoint acquire plan` or `run` makes one"):
        Plan.read(Store(tmp_path))
    Store(tmp_path).write_json("plan.json", {"n_rows": 1})
    with pytest.raises(RunFolderError, match=r"plan\.json is not a plan of this version"):
        Plan.read(Store(tmp_path))


class Breaks(Store):
    """A folder whose disk is full after some writes."""

    n_left = 0

    def writing(self, name):
        if self.n_left == 0:
            raise RunFolderError(f"No space left to write {name}.")
        self.n_left -= 1
        return super().writing(name)


def test_a_plan_that_broke_off_is_made_again_and_is_the_same(folder):
    breaks = Breaks(folder / "out")
    breaks.n_left = 3
    with pytest.raises(RunFolderError, match="No space left"):
        open_plan(config(folder), breaks)
    assert Store(folder / "out").names("") == []
    again = made(folder)
    other = open_plan(config(folder), Store(folder / "other"))
    assert again == other
    for one, two in zip(lists(Store(folder / "out"), 7), lists(Store(folder / "other"), 7), strict=True):
        assert one.equals(two)


def test_a_plan_holds_no_keys_of_an_object_store(folder):
    source = {"path": str(folder / "list"), "storage": {"secret": "s3cr3t"}}
    made(folder, input=source, storage={"key": "s3cr3t"})
    assert "s3cr3t" not in (folder / "out" / "plan.json").read_text()


def test_a_plan_may_lie_in_an_object_store(folder):
    store = Store(f"memory://{folder.name}/out")
    first = open_plan(config(folder), store)
    assert open_plan(config(folder), store) == first
    assert pl.concat(lists(store, first.n_shards))["id"].to_list() == [str(n) for n in range(N_ROWS)]


def test_a_file_that_cannot_be_read_is_in_the_plan(folder):
    (folder / "list" / "c.parquet").write_bytes(b"PAR1")
    found = made(folder)
    assert found.n_rows == N_ROWS
    assert [Path(path).name for path in found.unreadable_files] == ["c.parquet"]
    assert "1 of 3 files could not be read, or not to the end: " in found.warnings[0]
    assert found.warnings[0] in found.lines()
    assert len(found.inputs) == 3


def test_a_column_that_only_its_case_hides_is_reported(tmp_path):
    (tmp_path / "a.csv").write_text("URL,TEXT,nsfw\nhttp://a.org,x,NSFW\n")
    found = open_plan(config(tmp_path, input=str(tmp_path / "a.csv")), Store(tmp_path / "out"))
    assert found.warnings == [
        "Column 'nsfw' is not read, because it is not called 'NSFW'. To read it, set input.columns.nsfw: nsfw."
    ]


def test_a_selection_of_nothing_is_one_line_and_no_plan(folder):
    with pytest.raises(SourceError, match="None of the 25 rows is selected: too_few_words 25"):
        made(folder, select={"min_words": 9})
    assert not (folder / "out").exists()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.none() | st.sampled_from("abcde"), max_size=20), max_size=5))
def test_a_tally_counts_each_value(parts):
    tally = ValueCounts()
    for part in parts:
        tally.add(pl.Series(part, dtype=pl.String))
    values = [value for part in parts for value in part if value is not None]
    assert dict(tally.most()) == {value: values.count(value) for value in set(values)}
    assert list(tally.most()) == sorted(set(values), key=lambda value: (-values.count(value), value))


def test_a_plan_of_an_unwritable_folder_is_one_line(folder):
    (folder / "out").write_text("a file")
    with pytest.raises(CounterpointError) as caught:
        made(folder)
    assert "\n" not in str(caught.value)


def test_a_plan_is_plain_json(folder):
    made(folder)
    found = json.loads((folder / "out" / "plan.json").read_bytes())
    assert (found["n_rows"], found["n_shards"], found["shard_rows"]) == (25, 7, 4)
    assert found["settings"]["keep"] == "jpeg-256"
    assert set(found["inputs"][0]) == {"path", "size", "changed"}


def rows_of_list(separator):
    rows = [f"http://a.org/{n}{separator}{'^' * (n == 5)}a caption {n}" for n in range(60)]
    return f"URL{separator}TEXT\n" + "".join(row + "\n" for row in rows).replace("^", '"')


def test_a_stray_quotation_mark_hides_no_row_of_a_list(tmp_path):
    (tmp_path / "a.tsv").write_text(rows_of_list("\t"))
    assert open_plan(config(tmp_path, input=str(tmp_path / "a.tsv")), Store(tmp_path / "tsv")).n_read == 60
    (tmp_path / "a.csv").write_text(rows_of_list(","))
    with pytest.raises(SourceError, match=r"a quotation mark in line 7 is never closed. The setting quoting: none"):
        open_plan(config(tmp_path, input=str(tmp_path / "a.csv")), Store(tmp_path / "csv"))
    plain = config(tmp_path, input={"path": str(tmp_path / "a.csv"), "quoting": "none"})
    assert open_plan(plain, Store(tmp_path / "plain")).n_read == 60


def test_a_list_from_a_spreadsheet_is_read_and_the_plan_says_how(tmp_path):
    body = "URL;TEXT\nhttp://a.org/1;schöner Hund\nhttp://a.org/2;Straße\n"
    (tmp_path / "a.csv").write_bytes(body.encode("cp1252"))
    made = open_plan(config(tmp_path, input=str(tmp_path / "a.csv")), Store(tmp_path / "out"))
    assert made.n_read == 2
    assert "a.csv is read with encoding cp1252 and separator ';', as found in it" in made.warnings[0]
