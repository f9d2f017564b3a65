"""Every kind of the hostile host through the fetch loop and the decoder, then through a whole acquisition."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import hostile_images as images
from counterpoint.acquire.fetch import Answer, Fetcher, Request
from counterpoint.acquire.keep import keep
from counterpoint.config.acquire import Decode, Fetch, Guard
from counterpoint.features.decode import Limits
from hostile_server import KINDS, HostileServer, hostile_server

NAMES = list(KINDS)
LIMITS = Limits(**Decode().model_dump())
FETCH: dict[str, Any] = {"total_s": 4.0, "connect_s": 2.0, "slow_s": 2, "connections": 256}
GUARD = {"allow_address": ("127.0.0.1/32",)}
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
        answers = list(fetcher.fetch(Request(slot, server.url(name)) for slot, name in enumerate(NAMES)))
        took_s = time.monotonic() - start
        fetcher.close()
        assert sorted(answer.slot for answer in answers) == list(range(len(NAMES)))
        yield Ended({NAMES[answer.slot]: status(answer) for answer in answers}, events, server, took_s)


def status(answer: Answer) -> str:
    if answer.status != "ok":
        assert not answer.body
        return answer.status
    return keep(answer.body, limits=LIMITS, kept="gray-64").status


@pytest.mark.parametrize("name", NAMES)
def test_each_kind_ends_with_its_status(ended, name):
    assert ended.statuses[name] in KINDS[name].expected


@pytest.mark.parametrize("name", NAMES)
def test_the_host_saw_what_should_have_been_asked_and_nothing_else(ended, name):
    reached = {"request": ended.server.requests, "connection": ended.server.connections}.get(KINDS[name].reaches)
    assert reached(name) if reached else not ended.server.requests(name)


def test_no_socket_opens_to_an_address_that_is_denied(ended):
    assert ended.server.denied() == []
    assert not [seen for seen in ended.server.contacts if seen.path and seen.path.startswith("/denied")]


def test_no_row_is_waited_for_after_its_deadline(ended):
    assert ended.took_s < OVERDUE_S
