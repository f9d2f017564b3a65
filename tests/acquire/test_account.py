"""The account sums to the plan's rows whenever it is read; a lease lets one run write; logs and suspects outlive."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.acquire.account import Account, AccountReader, read_account
from counterpoint.acquire.acquisition import ignore_account
from counterpoint.acquire.decoder_crashes import DecoderCrashes
from counterpoint.acquire.event_log import EventLog, newest
from counterpoint.acquire.lease import NAME, Lease, check_lease, read_lease, renew, take_lease
from counterpoint.acquire.monitor import Monitor
from counterpoint.acquire.plan import Plan
from counterpoint.acquire.statuses import RETRYABLE, STATUSES
from counterpoint.errors import RunFolderError
from counterpoint.formats.shard_markers import Marker
from counterpoint.store import Store

N_SLOTS = 5


def commit(store, shard, generation, statuses, replaces=None, **more):
    marker = Marker(shard, generation, sha256="", n_bytes=0, statuses=statuses, replaces=replaces or {}, **more)
    store.write(marker.file, b"")
    marker.write(store)


def commit_all(store, outcomes):
    """Commit shards as an acquisition would: generation 0 of each, then its retries."""
    for shard, (first, again) in enumerate(outcomes):
        counts = Counter(first)
        commit(store, shard, 0, dict(counts))
        replaces = {status: n for status, n in counts.items() if status in RETRYABLE}
        if replaces and again:
            commit(store, shard, 1, dict(Counter(again[: sum(replaces.values())])), replaces)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.write_json("plan.json", {field.name: {} for field in fields(Plan)} | {"n_rows": 4 * N_SLOTS})
    return store


five = st.lists(st.sampled_from(STATUSES), min_size=N_SLOTS, max_size=N_SLOTS)


@settings(deadline=None, max_examples=20)  # each writes files that are flushed to the disk
@given(outcomes=st.lists(st.tuples(five, five), max_size=4))
def test_the_sum_is_the_plan_and_no_count_is_negative(outcomes, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("account"))
    commit_all(store, outcomes)
    account = AccountReader(store, 4 * N_SLOTS).read()
    assert sum(account.statuses.values()) + account.waiting == 4 * N_SLOTS
    assert account.waiting == (4 - len(outcomes)) * N_SLOTS
    assert min(account.statuses.values(), default=1) > 0


def test_of_a_row_that_was_tried_again_the_newest_status_counts(store):
    commit(store, 0, 0, {"ok": 2, "http_5xx": 3}, body_bytes=200)
    commit(store, 0, 1, {"ok": 1, "http_404": 1, "http_5xx": 1}, {"http_5xx": 3}, body_bytes=100)
    account = read_account(store)
    assert account.statuses == {"ok": 3, "http_404": 1, "http_5xx": 1}
    assert account.generations == {0: 1, 1: 1}
    assert (account.n_bytes, account.retryable, account.success_share) == (300, 1, 0.6)


def test_readers_see_the_plans_rows_at_every_moment_while_shards_are_committed_and_retried(store):
    outcomes = [(["ok", "ok", "http_5xx", "too_slow", "http_404"], ["ok", "http_5xx"])] * 4
    writing = threading.Thread(target=lambda: [(commit_all(store, outcomes[:n]), time.sleep(0)) for n in (1, 2, 3, 4)])
    sums, done = set(), []
    writing.start()
    while writing.is_alive() or not done:
        account = read_account(store)
        sums.add(sum(account.statuses.values()) + account.waiting)
        done.append(account.done)
    writing.join()
    assert sums == {4 * N_SLOTS}
    assert done == sorted(done)
    assert read_account(store).statuses == {"ok": 12, "http_5xx": 4, "http_404": 4}


def test_a_marker_that_is_not_one_counts_as_a_shard_that_waits(store):
    store.write("shards/00000.json", b'{"shard": 0, "gener')
    commit(store, 7, 0, {"ok": 5})
    store.write("shards/00001.json", store.read("shards/00007.json"))
    (store.local / "shards/00007.parquet").unlink()
    assert read_account(store).waiting == 4 * N_SLOTS


def test_rows_that_ended_in_an_open_shard_are_in_flight_until_its_log_is_silent_or_it_is_committed(store):
    log = EventLog(store, "events/00002.jsonl")
    log.record("progress", rows=3, bytes=30)
    log.record("host_dead", host="a.example")
    log.flush()
    store.append("events/00003.jsonl", b'{"time": "2020-01-01T00:00:00+00:00", "event": "progress", "rows": 4}\n')
    account = read_account(store)
    assert (account.in_flight, account.n_bytes, account.waiting) == (3, 30, 4 * N_SLOTS)
    commit(store, 2, 0, {"ok": N_SLOTS}, body_bytes=50)
    account = read_account(store)
    assert (account.in_flight, account.n_bytes, account.waiting) == (0, 50, 3 * N_SLOTS)


def test_the_worst_hosts_are_those_of_the_markers_summed(store):
    for shard in (0, 1):
        commit(store, shard, 0, {"http_404": 5}, failing_hosts={"a.example": 2, f"{shard}.example": 3})
    assert read_account(store).worst_hosts == {"a.example": 4, "0.example": 3, "1.example": 3}


def test_status_without_a_plan_is_one_line_that_says_what_to_do(tmp_path):
    with pytest.raises(RunFolderError, match=r"holds no plan\. `counterpoint acquire plan`"):
        read_account(Store(tmp_path))


def test_a_reader_that_is_used_twice_reads_each_marker_once(store, monkeypatch):
    for shard in range(50):
        commit(store, shard, 0, {"ok": 1})
    reader = AccountReader(store, 50)
    reader.read()
    monkeypatch.setattr(Marker, "read", None)
    assert reader.read().done == 50


def to_retry(store):
    reader = AccountReader(store, 4 * N_SLOTS)
    reader.read_markers()
    return reader.to_retry()


def test_a_shard_counts_once_however_many_look_at_a_time(store, monkeypatch):
    def slow(*args):
        time.sleep(0.01)
        return read(*args)

    read = Marker.read
    monkeypatch.setattr(Marker, "read", slow)
    for shard in range(4):
        commit(store, shard, 0, {"ok": N_SLOTS})
    monitor = Monitor(store, 4 * N_SLOTS, ignore_account)
    looking = [threading.Thread(target=monitor.update) for _ in range(4)]
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    assert monitor.update().statuses == {"ok": 4 * N_SLOTS}


def test_a_retry_takes_only_what_may_end_otherwise_and_finishes_an_interrupted_one_first(store):
    first = {"ok": 1, "http_5xx": 2, "http_404": 2}
    again = {"ok": 1, "http_5xx": 1}
    assert to_retry(store) == (1, {})
    commit(store, 2, 0, {"http_404": 5})
    assert to_retry(store) == (1, {})
    commit(store, 0, 0, first)
    commit(store, 1, 0, first)
    assert to_retry(store) == (1, {0: 2, 1: 2})
    commit(store, 1, 1, again, {"http_5xx": 2})
    assert to_retry(store) == (1, {0: 2})
    commit(store, 0, 1, again, {"http_5xx": 2})
    assert to_retry(store) == (2, {0: 1, 1: 1})


# The lease.


def test_a_second_run_on_a_folder_is_refused_while_the_first_lives(store):
    lease = take_lease(store)
    with pytest.raises(RunFolderError, match=f"is being written by process {os.getpid()} on "):
        take_lease(store)
    renew(store, lease, pace={}, is_over=True)
    assert take_lease(store).token != lease.token


def test_the_lease_of_a_dead_process_is_taken_at_once(store):
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    store.write_json(NAME, asdict(Lease(pid=int(child.stdout))))
    take_lease(store)


def test_the_lease_of_another_machine_is_taken_when_it_was_not_renewed(store):
    elsewhere = Lease(host="elsewhere.example")
    store.write_json(NAME, asdict(elsewhere))
    with pytest.raises(RunFolderError, match=r"on elsewhere\.example"):
        take_lease(store)
    store.write_json(NAME, asdict(replace(elsewhere, renewed="2020-01-01T00:00:00+00:00")))
    take_lease(store)


def test_a_run_whose_lease_was_taken_commits_and_renews_no_more(store):
    lease = take_lease(store)
    check_lease(store, lease.token)
    store.write_json(NAME, asdict(Lease()))
    for step in (lambda: check_lease(store, lease.token), lambda: renew(store, lease, pace={})):
        with pytest.raises(RunFolderError, match="Another run took over"):
            step()
    assert read_lease(store).token != lease.token


# Logs and suspects.


def test_a_log_line_that_broke_off_hides_no_event_before_it(store):
    log = EventLog(store, "events/00000.jsonl")
    log.record("progress", rows=1)
    log.flush()
    store.append("events/00000.jsonl", b'{"time": "2026-01-01", "event": "progr')
    assert newest(store, "events/00000.jsonl", "progress")["rows"] == 1
    assert newest(store, "events/00000.jsonl", "committed") is None
    assert newest(store, "events/none.jsonl", "progress") is None


def test_what_a_server_says_cannot_move_the_cursor_of_who_reads_the_log(store):
    log = EventLog(store, "events/00000.jsonl")
    log.record("address_refused", host="\x1b[2J\u202egpj\n{}")
    log.flush()
    (line,) = store.read("events/00000.jsonl").splitlines()
    assert all(32 <= byte < 127 for byte in line)


DYING = f"""
import os, sys
from pathlib import Path
from counterpoint.acquire.decoder_crashes import DecoderCrashes
from counterpoint.acquire.monitor import Monitor
suspects = DecoderCrashes(Path(sys.argv[1]), {N_SLOTS}, max_decode_s=20)
with suspects.decoding(4):
    pass
with suspects.decoding(int(sys.argv[2])), suspects.decoding(int(sys.argv[3])):
    os._exit(9)
"""


def test_only_a_slot_that_saw_two_deaths_is_deadly(tmp_path):
    path = tmp_path / "events" / "00000.suspects"
    for slots in ((1, 2), (2, 3)):
        assert subprocess.run([sys.executable, "-c", DYING, str(path), *map(str, slots)], check=False).returncode == 9
    suspects = DecoderCrashes(path, N_SLOTS, max_decode_s=20)
    assert {slot: suspects.status(slot) for slot in range(N_SLOTS) if suspects.status(slot)} == {2: "internal"}
    suspects.forget()
    assert not path.exists()


def test_a_run_forgets_the_crashes_of_shards_that_a_killed_run_had_just_committed(store):
    events = store.local / "events"
    for name in ("00000", "00000.r1", "00001", "00001.r1"):
        DecoderCrashes(events / f"{name}.suspects", N_SLOTS, max_decode_s=20).close()
    for shard, generation in ((0, 0), (0, 1), (1, 0)):
        commit(store, shard, generation, {})
    with Monitor(store, 2 * N_SLOTS, ignore_account):
        assert [path.name for path in events.glob("*.suspects")] == ["00001.r1.suspects"]


def test_a_run_forgets_the_crashes_of_a_shard_whose_worker_died_right_after_its_commit(store):
    left = store.local / "events" / "00000.suspects"
    with Monitor(store, N_SLOTS, ignore_account):
        DecoderCrashes(left, N_SLOTS, max_decode_s=20).close()
        commit(store, 0, 0, {})
    assert not left.exists()


def test_an_account_of_no_rows_has_no_success_share():
    assert Account(n_rows=0, statuses={}).success_share is None
