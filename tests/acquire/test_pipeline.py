"""One worker: every slot of its shards ends once, whatever a decoder, a host, a disk or another run does."""

import os
import pickle
import threading
import time

import polars as pl
import pytest

from acquire_material import config, events, host, photo, shard_hashes, slots
from counterpoint.acquire import open_shard, pipeline
from counterpoint.acquire.acquisition import Acquisition
from counterpoint.acquire.open_shard import OpenShard, interleaved_hosts
from counterpoint.acquire.pipeline import ShardsTask, acquire_shards
from counterpoint.acquire.result_queue import MAX_BYTES, ResultQueue
from counterpoint.acquire.shard_writer import ShardWriter
from counterpoint.acquire.transcode import transcode
from counterpoint.acquire.web.fetch_result import FetchResult
from counterpoint.engines import engine
from counterpoint.errors import RunFolderError

pytestmark = pytest.mark.slow


@pytest.fixture
def server():
    with host() as server:
        yield server


def planned(folder, urls, **settings):
    rules = config(folder, urls, **settings)
    Acquisition(rules).plan()
    return rules


def task_of(rules, n_shards, **more):
    return ShardsTask("all", rules, tuple(range(n_shards)), **more)


def read(out):
    return pl.concat([pl.read_parquet(path) for path in sorted((out / "shards").glob("*.parquet"))])


def test_every_slot_ends_once_in_slot_order_with_its_own_status(server, tmp_path):
    urls = [server.url(f"{('ok', '404', '503')[number % 3]}/{number}.jpg") for number in range(25)]
    rules = planned(tmp_path, [*urls, "ftp://a.example/x.jpg", "http://10.0.0.1/x.jpg"])
    statistics = acquire_shards(task_of(rules, 3))
    rows = read(tmp_path / "out")
    assert rows["slot"].to_list() == list(range(27))
    expected = [("ok", "http_404", "http_5xx")[number % 3] for number in range(25)]
    assert rows["status"].to_list() == [*expected, "url_scheme", "blocked_address"]
    assert rows.filter(pl.col("status") == "ok")["image"].bin.size().unique().to_list() == [4096]
    assert (statistics["shards"], statistics["rows"]) == (3, 27)


def test_a_task_done_again_asks_for_nothing_and_changes_nothing(server, tmp_path):
    rules = planned(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(15)])
    task = pickle.loads(pickle.dumps(task_of(rules, 2)))
    acquire_shards(task)
    before, n_requests = shard_hashes(tmp_path / "out"), server.requested.total()
    assert acquire_shards(task)["shards"] == 0
    assert (shard_hashes(tmp_path / "out"), server.requested.total()) == (before, n_requests)


def test_the_next_shard_is_fetched_while_the_tail_of_one_waits(tmp_path):
    with host() as server, host(delay_s=1.5) as slow:
        urls = [(slow if number == 3 else server).url(f"ok/{number}.jpg") for number in range(20)]
        acquire_shards(task_of(planned(tmp_path, urls), 2))
        assert slow.requested.total() == 1
    committed = {name: events(tmp_path / "out", name)[-1] for name in ("00000", "00001")}
    assert committed["00001"]["event"] == "committed"
    assert committed["00001"]["time"] < committed["00000"]["time"]


def test_a_surprise_of_a_decoder_costs_its_slot_and_no_other(server, tmp_path, monkeypatch):
    def surprised(body, **rules):
        if body == photo(4):
            raise ZeroDivisionError("who\nknows")
        return transcode(body, **rules)

    monkeypatch.setattr(open_shard, "transcode", surprised)
    rules = planned(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(10)])
    acquire_shards(task_of(rules, 1))
    assert read(tmp_path / "out")["status"].to_list() == ["ok"] * 4 + ["internal"] + ["ok"] * 5
    (event,) = [each for each in events(tmp_path / "out", "00000") if each["event"] == "internal_error"]
    assert (event["slot"], event["error"]) == (4, "ZeroDivisionError: who\nknows")


def acquire_with_a_deadly_decoder(task):
    def deadly(body, **rules):
        if body == photo(4):
            os._exit(11)
        return transcode(body, **rules)

    open_shard.transcode = deadly
    return acquire_shards(task)


def test_a_slot_that_killed_its_process_twice_is_given_up_and_the_others_are_kept(server, tmp_path):
    rules = planned(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(20)])
    list(engine("local")([task_of(rules, 2)], acquire_with_a_deadly_decoder, workers=1))
    assert read(tmp_path / "out")["status"].to_list() == ["ok"] * 4 + ["internal"] + ["ok"] * 15
    assert not list((tmp_path / "out").rglob("*.suspects"))


def test_a_disk_that_is_full_ends_the_task_and_what_is_committed_stays(server, tmp_path, monkeypatch):
    def full(self, *args, **rules):
        if len(committed) == 1:
            raise RunFolderError("No space left to write x.")
        committed.append(1)
        return commit(self, *args, **rules)

    commit, committed = ShardWriter.commit, []
    rules = planned(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(30)])
    with monkeypatch.context() as patched:
        patched.setattr(ShardWriter, "commit", full)
        with pytest.raises(RunFolderError, match="No space left"):
            acquire_shards(task_of(rules, 3))
    assert threading.active_count() < 8
    assert len(list((tmp_path / "out/shards").glob("*.json"))) == 1
    assert acquire_shards(task_of(rules, 3))["shards"] == 2
    assert slots(tmp_path / "out") == list(range(30))


def test_nothing_is_committed_in_the_name_of_a_run_that_is_over(server, tmp_path):
    rules = planned(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(10)])
    with pytest.raises(RunFolderError, match="Another run took over"):
        acquire_shards(task_of(rules, 1, token="a lease that nobody holds"))
    assert not list((tmp_path / "out").glob("shards/*"))


def test_a_retry_asks_only_for_what_may_end_otherwise(server, tmp_path):
    kinds = ["ok", "503", "404", "ok", "503"]
    rules = planned(tmp_path, [server.url(f"{kind}/{number}.jpg") for number, kind in enumerate(kinds)])
    acquire_shards(task_of(rules, 1))
    server.is_healed = True
    server.requested.clear()
    acquire_shards(task_of(rules, 1, generation=1))
    assert set(server.requested) == {"/503/1.jpg", "/503/4.jpg"}
    again = pl.read_parquet(tmp_path / "out/shards/00000.r1.parquet")
    assert again.select("slot", "status").rows() == [(1, "ok"), (4, "ok")]


def test_the_log_contains_the_history_of_a_shard(server, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "REPORT_S", 0.02)
    server.delay_s = 0.1
    rules = planned(tmp_path, [server.url(f"{'ok' if number else '404'}/{number}.jpg") for number in range(10)])
    acquire_shards(task_of(rules, 1))
    log = events(tmp_path / "out", "00000")
    assert [log[0]["event"], log[-1]["event"]] == ["begun", "committed"]
    assert {"progress"} <= {event["event"] for event in log}
    assert log[-1]["statuses"] == {"ok": 9, "http_404": 1}
    assert log[-1]["worst_hosts"] == {"127.0.0.1": 1}
    assert log[-1]["attempts"] == 10


def test_a_report_that_comes_late_does_not_follow_the_end_of_a_shard(server, tmp_path, monkeypatch):
    def commit(self):
        committed(self)
        self.report()

    committed = OpenShard.commit
    monkeypatch.setattr(OpenShard, "commit", commit)
    acquire_shards(task_of(planned(tmp_path, [server.url("ok/0.jpg")]), 1))
    assert [event["event"] for event in events(tmp_path / "out", "00000")] == ["begun", "committed"]


def test_hosts_are_spread_over_a_shard_that_lists_them_one_after_another():
    listed = pl.DataFrame({"slot": range(600), "host": ["big"] * 500 + [f"{number}.example" for number in range(100)]})
    order = interleaved_hosts(listed)
    assert sorted(order["slot"]) == list(range(600))
    quarters = [order[start : start + 150].filter(pl.col("host") == "big").height for start in range(0, 600, 150)]
    assert all(105 <= n <= 145 for n in quarters)
    assert order.equals(interleaved_hosts(listed))


def test_the_queue_has_no_room_while_what_waits_or_is_decoded_is_too_much():
    results = ResultQueue()
    for slot in (0, 1):
        results.put(FetchResult(slot, "ok", 200, bytes(MAX_BYTES // 2)))
    assert not results.has_room()
    taken = iter(results)
    next(taken)
    assert not results.has_room()
    next(taken)
    assert results.has_room()


def test_a_worker_that_waits_for_room_does_not_wait_for_ever(server, tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoint.acquire.result_queue.MAX_BYTES", 1)
    monkeypatch.setattr(open_shard, "transcode", lambda body, **rules: time.sleep(0.01) or transcode(body, **rules))
    rules = planned(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(30)])
    assert acquire_shards(task_of(rules, 3))["rows"] == 30
