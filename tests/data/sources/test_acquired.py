"""An acquired slot is a record.  Every other slot is in the ledger with its reason, label and host."""

import tempfile
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.acquire.statuses import OK, STATUSES
from counterpoint.acquire.transcode import SlotOutcome
from counterpoint.config import read_study
from counterpoint.data.infer import study_file
from counterpoint.data.sources import open_source
from counterpoint.data.sources.acquired import NOT_ACQUIRED
from counterpoint.errors import SourceError
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.formats.images import ImageReader
from counterpoint.formats.shards import read_listed
from counterpoint.store import Store
from source_material import GOOD, read, write_acquisition, write_slots

GONE, LATE = SlotOutcome("http_404"), SlotOutcome("timeout_total")
KEPT = SlotOutcome(OK, image=GOOD)


def open_acquired(path, **choices):
    return open_source({"kind": "acquired", "path": path, **choices})


@settings(max_examples=30, deadline=None)
@given(
    ends=st.lists(
        st.sampled_from(STATUSES).map(lambda status: KEPT if status == OK else SlotOutcome(status)), min_size=1
    ),
    waiting=st.sets(st.integers(0, 3)),
)
def test_records_and_dropped_are_all_slots_of_the_plan(ends, waiting):
    for shard in waiting:
        ends[4 * shard : 4 * shard + 4] = [None] * len(ends[4 * shard : 4 * shard + 4])
    labels = ["ab"[slot % 2] for slot in range(len(ends))]
    with tempfile.TemporaryDirectory() as folder:
        write_acquisition(folder, ends, label=labels)
        records, dropped = read(open_acquired(folder), Path(folder, "work"))
    expected = [NOT_ACQUIRED if end is None else end.status for end in ends]
    assert records["row"].to_list() == [row for row, status in enumerate(expected) if status == OK]
    assert dropped["reason"].to_list() == [status for status in expected if status != OK]
    both = pl.concat([records.select(dropped_and := ["row", "label", "host"]), dropped.select(dropped_and)]).sort("row")
    assert both["label"].to_list() == labels
    assert both["host"].to_list() == [f"h{slot % 2}" for slot in range(len(ends))]


def test_records_have_their_images_and_what_the_list_knew_of_them(tmp_path):
    write_acquisition(tmp_path / "out", [KEPT, KEPT], id=["x", None], similarity=[0.3, None])
    records, _ = read(open_acquired(tmp_path / "out"), tmp_path / "work")
    assert records["id"].to_list() == ["x", "1"]
    assert records["similarity"].to_list() == [0.3, None]
    assert records["url"].to_list() == ["http://h0/0", "http://h1/1"]
    assert set(records["source"]) == {"out"}
    assert inspect_images(records, Limits())["image_status"].to_list() == ["ok", "ok"]
    assert not (tmp_path / "work").exists()


def test_the_text_is_clean_unless_it_is_wanted_raw(tmp_path):
    write_acquisition(tmp_path, [KEPT], text=["  Tom &amp; \t Jerry\x00"])
    texts = [read(open_acquired(tmp_path, text=text), tmp_path)[0]["text"].item() for text in ("clean", "raw")]
    assert texts == ["Tom & Jerry", "  Tom &amp; \t Jerry\x00"]
    assert read(open_acquired(tmp_path), tmp_path)[0]["text"].item() == texts[0]


def test_what_a_retry_fetched_counts_and_changes_the_fingerprint(tmp_path):
    write_acquisition(tmp_path, [KEPT, LATE, GONE])
    before = open_acquired(tmp_path).fingerprint()
    assert before == open_acquired(tmp_path).fingerprint()
    assert before != open_acquired(tmp_path, text="raw").fingerprint()
    store = Store(tmp_path)
    write_slots(store, read_listed(store, 0)[1:2], [None, SlotOutcome(OK, image=GOOD + b"!")], generation=1)
    records, dropped = read(open_acquired(tmp_path), tmp_path)
    assert (records["row"].to_list(), dropped["reason"].to_list()) == ([0, 1], ["http_404"])
    with ImageReader() as reader:
        assert [reader.read(ref) for ref in records["image"]] == [GOOD, GOOD + b"!"]
    assert open_acquired(tmp_path).fingerprint() != before


def test_an_acquisition_in_an_object_store_is_read_through_copies(tmp_path):
    pytest.importorskip("fsspec", reason="the extra counterpoint[acquire] is not installed")
    url = f"memory://{uuid4().hex}/out"
    write_acquisition(url, [KEPT, GONE])
    records, dropped = read(open_acquired(url), tmp_path / "work")
    assert (len(records), len(dropped)) == (1, 1)
    assert inspect_images(records, Limits())["image_status"].to_list() == ["ok"]
    assert records["image"][0].startswith(str(tmp_path / "work"))


@pytest.mark.parametrize("plan", [None, "[]", '{"n_rows": 3}'])
def test_a_folder_without_a_plan_is_no_acquisition(tmp_path, plan):
    (tmp_path / "thesis.txt").touch()
    if plan is not None:
        (tmp_path / "plan.json").write_text(plan)
    with pytest.raises(
        SourceError, match=r"is no output of `counterpoint acquire`: no plan\.json. Found .*thesis\.txt"
    ):
        read(open_acquired(tmp_path), tmp_path)


def test_a_study_file_takes_an_acquisition_for_what_it_is(tmp_path):
    write_acquisition(tmp_path / "labelled", [KEPT], label=["cat"])
    write_acquisition(tmp_path / "bare", [KEPT])
    for name, has_rules in (("labelled", False), ("bare", True)):
        (tmp_path / "s.yaml").write_text(study_file(tmp_path / "s.yaml", tmp_path / name), encoding="utf-8")
        found = yaml.safe_load((tmp_path / "s.yaml").read_text(encoding="utf-8"))
        assert found["source"] == {"kind": "acquired", "path": name}
        assert ("label" in found) == has_rules
        assert read_study(tmp_path / "s.yaml").source["path"] == str(tmp_path / name)


def test_a_study_file_may_name_an_object_store(tmp_path):
    (tmp_path / "s.yaml").write_text("study: s\nsource: {kind: acquired, path: 's3://bucket/out'}\n")
    assert read_study(tmp_path / "s.yaml").source["path"] == "s3://bucket/out"
