"""Every kind of the hostile host through the fetch loop and the decoder, then through a whole acquisition."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
import yaml

import hostile_images as images
from counterpoint.acquire.transcode import transcode
from counterpoint.acquire.web.address_guard import AddressGuard
from counterpoint.acquire.web.fetch import Fetcher, Request
from counterpoint.acquire.web.fetch_result import FetchResult
from counterpoint.acquire.web.transfers import Transfers
from counterpoint.acquire.web.urls import parse_url
from counterpoint.config.acquire import Decode, Fetch, Guard
from counterpoint.features.decode import Limits
from hostile_server import KINDS, HostileServer, hostile_server

pytestmark = pytest.mark.slow

NAMES = list(KINDS)
LISTED = [name for name in NAMES if KINDS[name].url]
"""What is selected: a row without a URL is counted before."""
LIMITS = Limits(**Decode().model_dump())
FETCH: dict[str, Any] = {"total_s": 4.0, "connect_s": 2.0, "slow_s": 2, "connections": 256}
GUARD = {"allow_address": ("127.0.0.1/32",)}
SHARD_ROWS = 60
OVERDUE_S = 15.0
"""A host that is waited for in spite of the deadline keeps silent for longer than this."""


class Ended(NamedTuple):
    """What came of a list: how each row ended, what was recorded meanwhile, and what the host saw."""

    statuses: dict[str, str]
    events: list[dict[str, Any]]
    server: HostileServer
    took_s: float


@pytest.fixture(scope="module")
def ended() -> Iterator[Ended]:
    images.prepare()
    events: list[dict[str, Any]] = []
    with hostile_server() as server:
        fetcher = Fetcher(
            Fetch(**FETCH, ca_file=server.ca_file),
            Guard(**GUARD),
            record=lambda event, **fields: events.append({"event": event, **fields}),
            resolve=server.resolve,
        )
        start = time.monotonic()
        results = list(fetcher.fetch(Request(slot, server.url(name)) for slot, name in enumerate(NAMES)))
        took_s = time.monotonic() - start
        fetcher.close()
        assert sorted(result.slot for result in results) == list(range(len(NAMES)))
        yield Ended({NAMES[result.slot]: status(result) for result in results}, events, server, took_s)


def status(result: FetchResult) -> str:
    if result.status != "ok":
        assert not result.body
        return result.status
    return transcode(result.body, limits=LIMITS, kept="gray-64").status


@pytest.mark.parametrize("name", NAMES)
def test_each_kind_ends_with_its_status(ended, name):
    assert ended.statuses[name] in KINDS[name].expected


@pytest.mark.parametrize("name", NAMES)
def test_the_host_saw_the_expected_requests_and_nothing_else(ended, name):
    reached = {"request": ended.server.requests, "connection": ended.server.connections}.get(KINDS[name].reaches)
    assert reached(name) if reached else not ended.server.requests(name)


def test_no_socket_opens_to_an_address_that_is_denied(ended):
    assert ended.server.denied() == []
    assert not [seen for seen in ended.server.contacts if seen.path and seen.path.startswith("/denied")]


def test_the_socket_is_refused_even_where_nothing_before_it_refuses(monkeypatch):
    refuse, blocked = AddressGuard.refuse, [name for name in NAMES if "blocked_address" in KINDS[name].expected]
    monkeypatch.setattr(AddressGuard, "refuse", lambda *_: None)
    monkeypatch.setattr(AddressGuard, "check", lambda _, *url_and_slot: parse_url(url_and_slot[0], max_url_bytes=2048))
    monkeypatch.setattr(
        Transfers,
        "_refuse_socket",
        lambda self, address, job: refuse(self.address_guard, address, job.current.host, job.slot),
    )
    slots: set[int] = set()
    with hostile_server() as server:
        fetcher = Fetcher(
            Fetch(**FETCH), Guard(**GUARD), record=lambda _, **fields: slots.add(fields["slot"]), resolve=server.resolve
        )
        results = list(fetcher.fetch(Request(slot, server.url(name)) for slot, name in enumerate(blocked)))
        fetcher.close()
        assert {result.status for result in results} == {"blocked_address"}
        assert slots == set(range(len(blocked)))
        assert server.denied() == []


def test_no_row_is_waited_for_after_its_deadline(ended):
    assert ended.took_s < OVERDUE_S


CHILD = """
import json, re, sys
from functools import partial
from pathlib import Path
from counterpoint.acquire import pipeline
from counterpoint.acquire.acquisition import open_acquisition

def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

pipeline.Fetcher = partial(pipeline.Fetcher, resolve=json.loads(Path(sys.argv[2]).read_text()))
acquisition = open_acquisition(sys.argv[1])
acquisition.plan()
before_mb = peak_mb()
first, second = acquisition.run(), acquisition.retry()
print(json.dumps({"grown_mb": peak_mb() - before_mb, "first": dict(first.statuses), "second": dict(second.statuses),
                  "n_rows": second.n_rows, "waiting": second.waiting}))
"""


class Acquired(NamedTuple):
    """What a whole acquisition in a process of its own made of the list, and of a retry."""

    printed: dict[str, Any]
    rows: pl.DataFrame
    folder: Path
    server: HostileServer


@pytest.fixture(scope="module")
def acquired(tmp_path_factory) -> Iterator[Acquired]:
    images.prepare()
    folder = tmp_path_factory.mktemp("hostile")
    with hostile_server() as server:
        urls = [server.url(name) for name in NAMES]
        pl.DataFrame({"NAME": NAMES, "URL": urls, "TEXT": NAMES}).write_parquet(folder / "list.parquet")
        (folder / "resolve.json").write_text(json.dumps(server.resolve))
        settings = {
            "acquisition": "hostile",
            "input": {"path": "list.parquet", "columns": {"id": "NAME"}},
            "output": "out",
            "guard": {"allow_address": ["127.0.0.1/32"]},
            "fetch": {**FETCH, "ca_file": str(server.ca_file)},
            "run": {"engine": "inline"},
            "shard_rows": SHARD_ROWS,
        }
        (folder / "acquire.yaml").write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-c", CHILD, folder / "acquire.yaml", folder / "resolve.json"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stderr
        rows = pl.read_parquet(sorted((folder / "out" / "shards").glob("?????.parquet")))
        yield Acquired(json.loads(ended.stdout), rows, folder / "out", server)


def test_an_acquisition_gives_each_row_its_status(acquired):
    assert sorted(acquired.rows["id"]) == sorted(LISTED)
    ends = acquired.rows.select("id", "status").iter_rows()
    wrong = {name: status for name, status in ends if status not in KINDS[name].expected}
    assert wrong == {}
    assert acquired.rows["image"].is_not_null().sum() == (acquired.rows["status"] == "ok").sum() > 30


def test_an_acquisition_sends_the_expected_requests_and_nothing_else(acquired):
    reached = {"request": acquired.server.requests, "connection": acquired.server.connections}
    for name, kind in KINDS.items():
        if kind.reaches == "nothing":
            assert not acquired.server.requests(name), name
        else:
            assert reached[kind.reaches](name), name


def test_an_acquisition_opens_no_socket_to_an_address_that_is_denied(acquired):
    assert acquired.server.denied() == []
    refused = {event["slot"] for event in logged(acquired) if event["event"] == "address_refused"}
    blocked = acquired.rows.filter(pl.col("status") == "blocked_address")
    assert set(blocked["slot"]) <= refused


def test_an_acquisition_takes_little_memory_and_no_row_outlasts_its_deadline(acquired):
    assert acquired.printed["grown_mb"] < 400
    took_s = [event["seconds"] for event in logged(acquired) if event["event"] == "committed"]
    assert len(took_s) >= len(LISTED) // SHARD_ROWS
    assert max(took_s) < OVERDUE_S


def test_a_retry_mends_the_row_that_healed_and_no_row_is_lost(acquired):
    first, second = acquired.printed["first"], acquired.printed["second"]
    assert second["ok"] == first["ok"] + 1
    assert acquired.printed["waiting"] == 0
    assert sum(first.values()) == sum(second.values()) == acquired.printed["n_rows"] == len(LISTED)


def test_nothing_that_a_stranger_says_reaches_a_log_as_it_is(acquired):
    assert len(logged(acquired)) > 60
    for path in (acquired.folder / "events").glob("*.jsonl"):
        assert re.fullmatch(rb"[ -~\n]*", path.read_bytes()), path


def logged(acquired: Acquired) -> list[dict[str, Any]]:
    paths = sorted((acquired.folder / "events").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]
