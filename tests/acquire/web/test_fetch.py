"""Fetching: one answer for each request and the right one, limits that hold, manners towards hosts."""

import gzip
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pycurl")

import pycurl

from counterpoint import __version__
from counterpoint.acquire.statuses import STATUSES
from counterpoint.acquire.web import resolver
from counterpoint.acquire.web.certificates import CertificateBundle
from counterpoint.acquire.web.curl import Transfer, options
from counterpoint.acquire.web.curl_statuses import status_of_code
from counterpoint.acquire.web.event_loop import EventLoop
from counterpoint.acquire.web.fetch import Fetcher, Request
from counterpoint.acquire.web.fetch_result import FetchResult
from counterpoint.acquire.web.hosts import Hosts, Job
from counterpoint.acquire.web.optout import MAX_ROBOTS_BYTES, Robots, opts_out
from counterpoint.acquire.web.urls import Target, parse_url
from counterpoint.config.acquire import Fetch, Guard
from counterpoint.errors import ConfigError
from hostile_server import HostileServer, hostile_server

IMAGE = b"\xff\xd8\xff" + bytes(range(256)) * 40
LOCAL = Guard(allow_address=("127.0.0.1/32",))
QUICK = {"connect_s": 1.0, "total_s": 4.0, "slow_s": 1}


class Web:
    """A host on loopback whose paths are answered by functions; it notes who asked for what."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.requested: list[tuple[str, str, float]] = []
        self.headers: list[dict[str, str]] = []
        self.n_connections = 0
        self._lock = threading.Lock()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def setup(self) -> None:
                web.n_connections += 1
                super().setup()

            def do_GET(self) -> None:
                with web._lock:
                    web.requested.append((self.headers["Host"].split(":")[0], self.path, time.monotonic()))
                    web.headers.append(dict(self.headers))
                web.pages.get(self.path.split("?")[0], page(IMAGE))(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256  # with 5, the sixth connection at once would have to try again after a second

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a peer that went away is what some tests want
        self.port = self.server.server_address[1]

    def url(self, path: str = "/x.jpg", host: str = "a.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self, host: str | None = None) -> list[str]:
        return [path for who, path, _ in self.requested if host in (None, who)]


def page(body: bytes, code: int = 200, *, after_s: float = 0.0, **headers: str) -> Callable:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(after_s)
        handler.send_response(code)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield web
    web.server.shutdown()
    web.server.server_close()
    thread.join(timeout=5)


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with hostile_server(bound_s=120) as server:
        yield server


class Events(list):
    def __call__(self, event: str, **fields: object) -> None:
        self.append((event, fields))

    def of(self, event: str) -> list[dict]:
        return [fields for name, fields in self if name == event]


@contextmanager
def fetching(guard: Guard = LOCAL, *, resolve=(), record=None, **rules) -> Iterator[Fetcher]:
    fetcher = Fetcher(Fetch(**QUICK | rules), guard, record=Events() if record is None else record, resolve=resolve)
    try:
        yield fetcher
    finally:
        fetcher.close()


def fetched(urls, guard: Guard = LOCAL, *, resolve=(), record=None, **rules) -> list[FetchResult]:
    """Return the results in the order of *urls*."""
    with fetching(guard, resolve=resolve, record=record, **rules) as fetcher:
        results = list(fetcher.fetch(Request(slot, url) for slot, url in enumerate(urls)))
    assert sorted(result.slot for result in results) == list(range(len(urls)))
    assert all(result.status in STATUSES for result in results)
    assert all(bool(result.body) == (result.status == "ok") for result in results)
    return sorted(results)


def named(web: Web, *hosts: str, address: str = "127.0.0.1") -> list[str]:
    return [f"{host}:{web.port}:{address}" for host in hosts or ("a.test",)]


def statuses(results: list[FetchResult]) -> list[str]:
    return [result.status for result in results]


# --- results -------------------------------------------------------------------------------------------------------


def test_every_request_gets_one_answer_with_the_bytes_as_they_were_sent(web):
    for n in range(50):
        web.pages[f"/{n}"] = page(IMAGE + bytes([n]) * n * 900)
    results = fetched([web.url(f"/{n}") for n in range(50)], resolve=named(web), connections=8)
    assert [result.body for result in results] == [IMAGE + bytes([n]) * n * 900 for n in range(50)]
    assert {result.http_code for result in results} == {200}
    assert web.n_connections <= 6


def test_a_list_of_nothing_ends_at_once():
    assert fetched([]) == []


def test_connections_are_used_again_and_no_more_are_open_than_a_host_may_have(web):
    web.pages["/x.jpg"] = page(IMAGE, after_s=0.01)
    assert set(statuses(fetched([web.url()] * 40, resolve=named(web), per_host=3))) == {"ok"}
    assert web.n_connections <= 3


def test_requests_are_honest(web):
    fetched([web.url()], resolve=named(web), contact="https://example.org/\x1b[2J")
    seen = web.headers[0]
    assert seen["User-Agent"] == f"counterpoint/{__version__} (+https://example.org/\\x1b[2J)"
    assert seen["Accept"].startswith("image/jpeg")
    assert seen["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(seen)


def test_no_cookie_is_ever_sent_back(web):
    web.pages["/x.jpg"] = page(IMAGE, Set_Cookie="a=b")
    fetched([web.url()] * 3, resolve=named(web))
    assert all("Cookie" not in seen for seen in web.headers)


def test_proxies_and_netrc_of_the_environment_are_ignored(web, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine a.test login me password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert statuses(fetched([web.url()], resolve=named(web))) == ["ok"]
    assert "Authorization" not in web.headers[0]


@pytest.mark.parametrize("code", [*range(200, 227), *range(300, 309), *range(400, 452), *range(500, 512), 600, 999])
def test_every_http_code_has_a_status(code):
    status = status_of_code(code)
    assert status in STATUSES
    if code >= 400:
        assert status in (f"http_{code}", f"http_{code // 100}xx", "http_5xx")


def test_the_code_of_a_failure_stands_with_its_status(web):
    for code in (204, 206, 304, 401, 403, 404, 410, 418, 500, 503):
        web.pages[f"/{code}"] = page(b"" if code in (204, 304) else b"<html>", code)
    codes = (204, 206, 304, 401, 403, 404, 410, 418, 500, 503)
    results = fetched([web.url(f"/{code}") for code in codes], resolve=named(web))
    assert [result.http_code for result in results] == list(codes)
    assert statuses(results) == [
        "empty_body", "body_truncated", "empty_body", "http_401", "http_403", "http_404", "http_410", "http_4xx",
        "http_5xx", "http_5xx",
    ]  # fmt: skip


# --- limits --------------------------------------------------------------------------------------------------------


def test_a_body_is_bounded_by_its_header_and_while_it_streams(web):
    web.pages["/just"] = page(bytes(5000))
    web.pages["/said"] = page(bytes(5001))

    def streaming(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(bytes(1000))

    web.pages["/streamed"] = streaming
    urls = [web.url(path) for path in ("/just", "/said", "/streamed")]
    assert statuses(fetched(urls, resolve=named(web), max_body_bytes=5000)) == [
        "ok",
        "body_too_large",
        "body_too_large",
    ]


def test_a_compressed_body_is_never_inflated_beyond_the_limit(web):
    bomb = gzip.compress(bytes(20 << 20))

    def transfer_encoded(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "gzip, chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb))

    web.pages["/te"] = transfer_encoded
    web.pages["/ce"] = page(bomb, Content_Encoding="gzip")
    te, ce = fetched([web.url("/te"), web.url("/ce")], resolve=named(web), max_body_bytes=1 << 20)
    assert te.status != "ok"
    assert (ce.status, ce.body) == ("body_too_large", b"")


def test_a_body_that_is_sent_compressed_without_request_is_read(web):
    gzipped, zlibbed = gzip.compress(IMAGE), zlib.compress(IMAGE)
    sent = {
        "gzip": (gzipped, "gzip", "ok"),
        "x-gzip": (gzipped, "X-GZIP", "ok"),
        "deflate": (zlibbed, "deflate", "ok"),
        "raw-deflate": (zlibbed[2:-4], "deflate", "ok"),
        "twice": (gzip.compress(gzipped), "gzip, gzip", "ok"),
        "not-after-all": (IMAGE, "gzip", "ok"),
        "not-deflate": (IMAGE, "deflate", "ok"),
        "made-up": (IMAGE, "binary", "ok"),
        "cut-off": (gzipped[:-9], "gzip", "body_truncated"),
        "damaged": (gzipped[:-6] + b"????" + gzipped[-2:], "gzip", "body_truncated"),
        "nothing-inside": (gzip.compress(b""), "gzip", "empty_body"),
    }
    for name, (body, coding, _) in sent.items():
        web.pages[f"/{name}"] = page(body, Content_Encoding=coding)
    results = fetched([web.url(f"/{name}") for name in sent], resolve=named(web), max_body_bytes=2 * len(IMAGE))
    assert statuses(results) == [status for _, _, status in sent.values()]
    assert {result.body for result in results if result.status == "ok"} == {IMAGE}


def test_a_compressed_robots_txt_is_obeyed(web):
    web.pages["/robots.txt"] = page(gzip.compress(b"User-agent: *\nDisallow: /"), Content_Encoding="gzip")
    guard = Guard(allow_address=("127.0.0.1/32",), robots=True)
    assert statuses(fetched([web.url()], guard, resolve=named(web))) == ["blocked_optout"]


def test_an_error_page_without_end_is_given_up_early_and_keeps_its_status(web):
    sent = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(404)
        handler.end_headers()
        while len(sent) < 1000:
            handler.wfile.write(bytes(100_000))
            sent.append(100_000)

    web.pages["/gone"] = endless
    results = fetched([web.url("/gone")], resolve=named(web), max_body_bytes=1 << 30)
    assert results == [FetchResult(0, "http_404", 404, b"")]
    assert len(sent) < 1000


def test_a_redirect_with_a_slow_body_does_not_escape_the_deadline(web):
    def hop(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.4)
        page(b"", 302, Location=f"/{int(handler.path[1:]) + 1}")(handler)

    web.pages |= {f"/{n}": hop for n in range(30)}
    before = time.monotonic()
    results = fetched([web.url("/0")], resolve=named(web), total_s=1.0, max_redirects=30)
    assert statuses(results) == ["timeout_total"]
    assert time.monotonic() - before < 3.0


@pytest.mark.parametrize(("n_hops", "status"), [(4, "ok"), (5, "redirect_limit")])
def test_redirects_are_followed_so_often_and_no_more(web, n_hops, status):
    for n in range(n_hops):
        web.pages[f"/{n}"] = page(b"", 301, Location=f"{n + 1}?hop")
    results = fetched([web.url("/0")], resolve=named(web), max_redirects=4)
    assert statuses(results) == [status]
    assert len(web.requested) == min(n_hops, 4) + 1


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("file:///etc/passwd", "url_scheme"), ("ftp://a.test/x", "url_scheme"), ("javascript:x", "url_scheme"),
        ("http://me@a.test/", "url_invalid"), ("http://[::1/", "url_invalid"), ("http://a.test:0/", "url_invalid"),
        ("http://127.0.0.2/", "blocked_address"), ("//0x7f000002/", "blocked_address"), ("", "redirect_limit"),
        ("http://[::ffff:10.0.0.1]/", "blocked_address"), ("http://private.test:80/", "blocked_address"),
    ],
)  # fmt: skip
def test_a_redirect_is_checked_as_the_first_url_was(web, location, status):
    web.pages["/x.jpg"] = page(b"moved", 302, Location=location)
    resolve = [*named(web), "private.test:80:10.0.0.1"]
    assert fetched([web.url()], resolve=resolve) == [FetchResult(0, status, 302, b"")]


def test_a_host_that_accepts_and_says_nothing_is_too_slow_and_a_drip_too(hostile):
    urls = [hostile.url(name) for name in ("silent", "slow-body", "slow-header", "tls-silent", "backlog-full")]
    results = fetched(urls, resolve=hostile.resolve)
    assert statuses(results) == ["too_slow", "too_slow", "too_slow", "connect_timeout", "connect_timeout"]


def test_certificates_are_checked_unless_switched_off_and_a_file_adds_to_the_systems(hostile):
    urls = [hostile.url(name) for name in ("ok-https", "tls-untrusted", "tls-expired", "tls-wrong-host")]
    trusting = fetched(urls, resolve=hostile.resolve, ca_file=hostile.ca_file)
    assert statuses(trusting) == ["ok", "tls_error", "tls_error", "tls_error"]
    assert set(statuses(fetched(urls, resolve=hostile.resolve))) == {"tls_error"}
    assert "tls_error" not in statuses(fetched(urls, resolve=hostile.resolve, verify_tls=False))


def test_a_file_of_certificates_that_has_none_is_one_line(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing\n")
    for path in (tmp_path / "empty.pem", tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=rf"fetch\.ca_file: no certificates in {path}"):
            CertificateBundle(path)


# --- the guard at the socket ---------------------------------------------------------------------------------------


def test_a_name_of_a_private_address_is_refused_and_the_log_says_so_escaped(web):
    events = Events()
    resolve = named(web, "evil.test", address="10.1.2.3,[::1],127.0.0.2")
    results = fetched(
        [web.url(host="evil.test"), "http://127.0.0.2/\x7f", "http://10.0.0.1/"], resolve=resolve, record=events
    )
    assert statuses(results) == ["blocked_address", "url_invalid", "blocked_address"]
    refused = [
        (event["slot"], event["host"], event["address"], event["reason"]) for event in events.of("address_refused")
    ]
    assert sorted(refused) == [
        (0, "evil.test", "10.1.2.3", "private"), (0, "evil.test", "127.0.0.2", "loopback"),
        (0, "evil.test", "::1", "loopback"), (2, "10.0.0.1", "10.0.0.1", "private"),
    ]  # fmt: skip


def test_of_several_addresses_only_those_that_are_allowed_are_tried(web):
    resolve = named(web, address="127.0.0.2,127.0.0.1,10.0.0.1")
    assert statuses(fetched([web.url()], resolve=resolve)) == ["ok"]


def test_the_socket_itself_refuses_whatever_libcurl_was_given():
    requested = []
    far_end = socket.socket()
    far_end.bind(("127.0.0.1", 0))
    far_end.listen()
    port = far_end.getsockname()[1]

    def refuse(address: str, _job: Job) -> str:
        requested.append(address)
        return "private"

    ring, _other = socket.socketpair()
    loop = EventLoop(max_connections=2, wakeup=ring)
    transfer = Transfer(options(Fetch(), CertificateBundle().path), refuse=refuse)
    transfer.prepare(
        Target(f"http://a.test:{port}/", "http", "a.test", port, False), ["127.0.0.1"], connect_s=2, total_s=2
    )
    loop.add(transfer.handle)
    ended = []
    while not ended:
        loop.wait(0.1)
        ended = list(loop.finished())
    assert transfer.status(*ended[0][1:], is_late=False) == "blocked_address"
    assert set(requested) == {"127.0.0.1"}
    far_end.setblocking(False)
    with pytest.raises(BlockingIOError):
        far_end.accept()
    loop.close()
    for end in (far_end, ring, _other):
        end.close()


# --- opting out ----------------------------------------------------------------------------------------------------


def test_an_optout_ends_the_transfer_before_its_body(web):
    sent = []

    def long_body(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("X-Robots-Tag", "noimageai")
        handler.end_headers()
        time.sleep(0.3)
        for _ in range(3000):
            handler.wfile.write(bytes(10_000))
            sent.append(1)

    web.pages["/x.jpg"] = long_body
    assert fetched([web.url()], resolve=named(web)) == [FetchResult(0, "blocked_optout", 200, b"")]
    assert len(sent) < 3000


def test_an_optout_is_for_images_that_are_there_and_may_be_disregarded(web):
    web.pages["/x.jpg"] = page(IMAGE, X_Robots_Tag="noai")
    web.pages["/gone"] = page(b"gone", 404, X_Robots_Tag="noindex")
    web.pages["/moved"] = page(b"", 302, Location="/y.jpg", X_Robots_Tag="noindex")
    urls = [web.url(path) for path in ("/x.jpg", "/gone", "/moved")]
    assert statuses(fetched(urls, resolve=named(web))) == ["blocked_optout", "http_404", "ok"]
    guard = Guard(allow_address=LOCAL.allow_address, respect_optout=False)
    assert statuses(fetched(urls, guard, resolve=named(web))) == ["ok", "http_404", "ok"]


@pytest.mark.parametrize(
    ("tags", "out"),
    [
        (["noai"], True), (["NOINDEX , nofollow"], True), (["nofollow", "noimageai"], True), (["none"], True),
        (["otherbot: noindex"], False), (["otherbot: nofollow, noindex"], False), (["counterpoint: noai"], True),
        (["otherbot: noindex, counterpoint: noimageindex"], True), (["*: noindex"], True), ([], False), ([""], False),
        (["noaimless, all"], False), (["max-snippet: 20, noindex"], True), (["max-image-preview:large"], False),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], True), ([":noindex"], False),
    ],
)  # fmt: skip
def test_an_optout_that_names_another_robot_is_not_for_us(tags, out):
    assert opts_out(tags) is out


@given(st.lists(st.text()))
def test_no_header_breaks_the_reading_of_optouts(tags):
    assert opts_out(tags) in (True, False)


ROBOTS = Guard(allow_address=LOCAL.allow_address, robots=True)


def test_robots_txt_is_read_once_a_host_and_obeyed(web):
    web.pages["/robots.txt"] = page(b"User-agent: *\nDisallow: /private/*.jpg$\n", X_Robots_Tag="noindex")
    urls = [web.url(path) for path in ("/x.jpg", "/private/x.jpg", "/private/x.png", "/y.jpg")] * 3
    results = fetched(urls, ROBOTS, resolve=named(web))
    assert statuses(results) == ["ok", "blocked_optout", "ok", "ok"] * 3
    assert Counter(web.paths())["/robots.txt"] == 1
    assert "/private/x.jpg" not in web.paths()


@pytest.mark.parametrize(
    ("code", "status"), [(404, "ok"), (403, "ok"), (500, "blocked_optout"), (503, "blocked_optout")]
)
def test_a_missing_robots_txt_allows_and_a_broken_host_does_not(web, code, status):
    web.pages["/robots.txt"] = page(b"", code)
    assert statuses(fetched([web.url()], ROBOTS, resolve=named(web))) == [status]


def test_a_robots_txt_that_moved_is_followed_behind_the_guard(web):
    web.pages["/robots.txt"] = page(b"", 301, Location=web.url("/rules", host="b.test"))
    web.pages["/rules"] = page(b"User-agent: counterpoint\nDisallow: /")
    resolve = named(web, "a.test", "b.test", "c.test")
    assert statuses(fetched([web.url()], ROBOTS, resolve=resolve)) == ["blocked_optout"]
    web.pages["/robots.txt"] = page(b"", 301, Location="http://127.0.0.2/rules")
    assert statuses(fetched([web.url()], ROBOTS, resolve=resolve)) == ["ok"]
    web.pages["/robots.txt"] = page(b"", 301, Location="/robots.txt")
    assert statuses(fetched([web.url(host="c.test")] * 9, ROBOTS, resolve=resolve)) == ["ok"] * 9


def test_an_image_moved_to_another_host_obeys_that_hosts_robots_txt(web):
    web.pages["/x.jpg"] = page(b"", 302, Location=web.url("/secret.jpg", host="b.test"))
    web.pages["/robots.txt"] = page(b"User-agent: *\nDisallow: /secret")
    results = fetched([web.url()] * 8, ROBOTS, resolve=named(web, "a.test", "b.test"), connections=2)
    assert statuses(results) == ["blocked_optout"] * 8
    assert "/secret.jpg" not in web.paths()


def test_a_robots_txt_that_never_comes_does_not_hold_up_the_image_beyond_its_deadline(web):
    web.pages["/robots.txt"] = page(b"", after_s=3.5)
    before = time.monotonic()
    results = fetched([web.url()] * 3, ROBOTS, resolve=named(web), total_s=1.0, slow_s=2)
    assert set(statuses(results)) <= {"timeout_total", "ok"}
    assert time.monotonic() - before < 3.0


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"User-agent: *\n{text}".encode()))
def test_no_robots_txt_breaks_anything(body):
    robots = Robots()
    target = parse_url("http://a.test/x.jpg?y=1", max_url_bytes=99)
    assert isinstance(target, Target)
    robots.claim(target)
    robots.learn(target, "ok", body)
    assert robots.allows(target) in (True, False)


def test_of_a_robots_txt_only_so_much_is_read():
    robots, target = Robots(), Target("http://a.test/x", "http", "a.test", 80, False)
    robots.learn(target, "ok", b"#" * MAX_ROBOTS_BYTES + b"\nUser-agent: *\nDisallow: /\n")
    assert robots.allows(target) is True


# --- manners -------------------------------------------------------------------------------------------------------


def test_a_host_that_cannot_be_reached_is_dead_for_the_rest_and_forgiven_afterwards(hostile):
    events = Events()
    dead = hostile.url("refused")
    with fetching(resolve=hostile.resolve, record=events, host_failures=3, per_host=1) as fetcher:
        first = sorted(fetcher.fetch(Request(slot, dead) for slot in range(9)))
        again = sorted(fetcher.fetch(Request(slot, dead) for slot in range(2)))
        fetcher.forget()
        forgiven = sorted(fetcher.fetch([Request(0, dead)]))
    assert statuses(first) == ["connect_refused"] * 3 + ["host_dead"] * 6
    assert statuses(again) == ["host_dead"] * 2
    assert statuses(forgiven) == ["connect_refused"]
    assert [(event["host"], event["status"]) for event in events.of("host_dead")] == [
        ("refused.hostile.test", "connect_refused")
    ]


def test_a_host_that_answers_in_between_does_not_die(hostile):
    urls = [hostile.url("reset-before-a-byte"), hostile.url("ok-jpeg").replace("ok-jpeg.", "reset-before-a-byte.")] * 4
    results = fetched(urls, resolve=hostile.resolve, host_failures=2, per_host=1)
    assert statuses(results) == ["connect_reset", "ok"] * 4


def test_one_slow_host_does_not_stall_the_others(web):
    def slow(handler: BaseHTTPRequestHandler) -> None:
        slow_ones_before = len(web.paths("slow.test"))
        time.sleep(0.2)
        page(IMAGE)(handler)
        assert slow_ones_before

    web.pages["/slow"] = slow
    urls = [web.url("/slow", host="slow.test")] * 12 + [web.url(f"/{n}", host=f"h{n % 5}.test") for n in range(60)]
    resolve = named(web, "slow.test", *(f"h{n}.test" for n in range(5)))
    with fetching(resolve=resolve, connections=8, per_host=2) as fetcher:
        order = [result.slot for result in fetcher.fetch(Request(slot, url) for slot, url in enumerate(urls))]
    assert sorted(order) == list(range(72))
    assert max(order.index(slot) for slot in range(12, 72)) < max(order.index(slot) for slot in range(12))


def test_a_host_is_not_flooded_by_redirects_to_it(web):
    at_once, most = [], []

    def busy(handler: BaseHTTPRequestHandler) -> None:
        at_once.append(1)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.pop()  # before the answer: after it the next request may be here already
        page(IMAGE)(handler)

    web.pages |= {"/x.jpg": page(b"", 302, Location=web.url("/busy", host="b.test")), "/busy": busy}
    others = [f"h{n}.test" for n in range(12)]
    results = fetched([web.url(host=host) for host in others], resolve=named(web, "b.test", *others), per_host=2)
    assert statuses(results) == ["ok"] * 12
    assert max(most) == 2


def test_requests_are_pulled_only_as_far_as_the_window_and_while_there_is_room(web):
    pulled, room = [], [True]
    web.pages["/x.jpg"] = page(IMAGE, after_s=0.05)

    def requests() -> Iterator[Request]:
        for slot in range(400):
            pulled.append(slot)
            yield Request(slot, web.url())

    with fetching(resolve=named(web), connections=2, per_host=1) as fetcher:
        results = fetcher.fetch(requests(), room=lambda: room[0])
        next(results)
        assert len(pulled) <= 2 * 16 + 3
        room[0] = False
        next(results)  # was under way already
        threading.Timer(0.3, lambda: room.__setitem__(0, True)).start()
        next(results)
        assert room[0]
        results.close()
        assert fetched([web.url()], resolve=named(web))[0].status == "ok"


def test_a_fetch_that_was_left_can_be_begun_again(web):
    web.pages["/x.jpg"] = page(IMAGE, after_s=0.05)
    with fetching(resolve=named(web), connections=4) as fetcher:
        left = fetcher.fetch(Request(slot, web.url()) for slot in range(40))
        next(left)
        left.close()
        assert statuses(list(fetcher.fetch(Request(slot, web.url()) for slot in range(5)))) == ["ok"] * 5


def test_a_fetcher_may_be_closed_while_it_fetches_and_closed_again(web):
    web.pages["/x.jpg"] = page(IMAGE, after_s=0.2)
    with fetching(resolve=named(web), connections=4) as fetcher:
        left = fetcher.fetch(Request(slot, web.url()) for slot in range(40))
        next(left)
        fetcher.close()
        left.close()


def test_an_error_of_the_list_itself_comes_through(web):
    def requests() -> Iterator[Request]:
        yield Request(0, web.url())
        raise ConfigError("the list is gone")

    with fetching(resolve=named(web)) as fetcher, pytest.raises(ConfigError, match="gone"):
        list(fetcher.fetch(requests()))


def test_a_host_that_asks_for_patience_gets_it_and_one_answer_each(web):
    def busy_once(handler: BaseHTTPRequestHandler) -> None:
        page(b"", 429, Retry_After="1")(handler) if len(web.requested) == 1 else page(IMAGE)(handler)

    web.pages["/x.jpg"] = busy_once
    events = Events()
    results = fetched([web.url()] * 3, resolve=named(web), per_host=1, record=events)
    assert statuses(results) == ["http_429", "ok", "ok"]
    assert web.requested[1][2] - web.requested[0][2] >= 0.95
    assert [(event["host"], event["seconds"]) for event in events.of("retry_after")] == [("a.test", 1.0)]


def test_to_wait_for_a_host_after_its_retry_after_takes_no_time_from_an_image(web):
    def busy_once(handler: BaseHTTPRequestHandler) -> None:
        page(b"", 429, Retry_After="1")(handler) if len(web.requested) == 1 else page(IMAGE, after_s=1.0)(handler)

    web.pages["/x.jpg"] = busy_once
    results = fetched([web.url()] * 2, resolve=named(web), per_host=1, total_s=1.7, slow_s=4)
    assert statuses(results) == ["http_429", "ok"]


def test_a_request_is_tried_again_after_retry_after_when_attempts_are_left(web):
    def busy_once(handler: BaseHTTPRequestHandler) -> None:
        page(b"", 503, Retry_After="1")(handler) if len(web.requested) == 1 else page(IMAGE)(handler)

    web.pages["/x.jpg"] = busy_once
    assert statuses(fetched([web.url()], resolve=named(web), attempts=2)) == ["ok"]
    assert web.requested[1][2] - web.requested[0][2] >= 0.95


@pytest.mark.parametrize(("code", "status"), [(429, "http_429"), (503, "http_5xx")])
def test_a_host_that_asks_for_more_patience_than_there_is_is_left_alone(web, code, status):
    web.pages["/x.jpg"] = page(b"", code, Retry_After="7200")
    results = fetched([web.url()] * 20, resolve=named(web), attempts=3, per_host=2)
    assert statuses(results) == [status] * 20
    assert len(web.requested) <= 2
    assert Counter(result.http_code for result in results)[None] >= 18


def test_a_host_that_never_has_enough_of_delays_is_given_up(web):
    web.pages["/x.jpg"] = page(b"", 429, Retry_After="1")
    results = fetched([web.url()] * 30, resolve=named(web), per_host=1, host_failures=2)
    assert statuses(results) == ["http_429"] * 30
    assert len(web.requested) == 2


def test_retryable_failures_are_tried_again_and_others_are_not(web):
    def heals(handler: BaseHTTPRequestHandler) -> None:
        page(b"", 500)(handler) if web.paths().count("/heals") < 3 else page(IMAGE)(handler)

    web.pages |= {"/heals": heals, "/gone": page(b"", 404), "/broken": page(b"", 500)}
    urls = [web.url(path) for path in ("/heals", "/gone", "/broken")]
    assert statuses(fetched(urls, resolve=named(web), attempts=3)) == ["ok", "http_404", "http_5xx"]
    assert Counter(web.paths()) == {"/heals": 3, "/gone": 1, "/broken": 3}


def test_no_attempt_begins_that_would_come_after_the_deadline(web):
    web.pages["/x.jpg"] = page(b"", 500)
    assert statuses(fetched([web.url()], resolve=named(web), attempts=99, total_s=1.2)) == ["http_5xx"]
    assert len(web.requested) == 2  # at 0 and 0.5 s; the third would be at 1.5 s


# --- names ---------------------------------------------------------------------------------------------------------


def looked_up(monkeypatch, answer: Callable[[str], list]) -> list[str]:
    requested = []

    def getaddrinfo(name: bytes, *_: object, **__: object) -> list:
        requested.append(name.decode())
        return answer(name.decode())

    monkeypatch.setattr(resolver.socket, "getaddrinfo", getaddrinfo)
    return requested


def entry(address: str) -> tuple:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))


def test_a_name_is_looked_up_once_and_its_address_checked(web, monkeypatch):
    places = {"good.test": "127.0.0.1", "evil.test": "127.0.0.2"}
    requested = looked_up(monkeypatch, lambda name: [entry(places[name])])
    results = fetched([web.url(host="good.test"), web.url(host="evil.test")] * 5)
    assert statuses(results) == ["ok", "blocked_address"] * 5
    assert sorted(requested) == ["evil.test", "good.test"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (socket.EAI_NONAME, "dns_nxdomain"), (socket.EAI_NODATA, "dns_nxdomain"), (socket.EAI_AGAIN, "dns_temporary"),
        (socket.EAI_FAIL, "dns_temporary"), (socket.EAI_SYSTEM, "dns_temporary"), (socket.EAI_MEMORY, "dns_temporary"),
    ],
)  # fmt: skip
def test_a_name_that_does_not_exist_is_not_one_that_does_not_answer(monkeypatch, error, status):
    def fail(name: str) -> list:
        raise socket.gaierror(error, "no")

    requested = looked_up(monkeypatch, fail)
    assert statuses(fetched(["http://gone.test/"] * 4)) == [status] * 4
    assert requested == ["gone.test"]


def test_a_resolver_that_does_not_answer_ends_within_the_time_for_connecting(web, monkeypatch):
    over = threading.Event()

    def hang(name: str) -> list:
        if name != "good.test":
            over.wait(20)
        return [entry("127.0.0.1")]

    looked_up(monkeypatch, hang)
    before = time.monotonic()
    urls = [f"http://h{n}.test/" for n in range(30)] + [web.url(host="good.test")]
    results = fetched(urls, connections=40, connect_s=0.5)
    took_s = time.monotonic() - before
    over.set()
    assert statuses(results) == ["dns_temporary"] * 30 + ["ok"]
    assert took_s < 4.0


def test_names_that_need_no_resolver_ask_none(monkeypatch):
    requested = looked_up(monkeypatch, lambda _: [])
    assert statuses(fetched(["http://hidden.onion/", "http://nobody.test/"])) == ["dns_nxdomain", "dns_nxdomain"]
    assert requested == ["nobody.test"]


# --- hosts, without a network --------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 3), st.data())
def test_turns_are_never_more_than_allowed_and_every_job_gets_one(hosts_of_jobs, per_host, data):
    hosts = Hosts(per_host=per_host, max_failures=5, record=Events())
    for slot, number in enumerate(hosts_of_jobs):
        target = Target(f"http://h{number}/", "http", f"h{number}", 80, False)
        hosts.add(Job(slot, target, hosts.of(f"h{number}"), target, target))
    active, seen = [], []
    while len(seen) < len(hosts_of_jobs):
        job = hosts.next(0.0)
        if job is None:
            hosts.leave_turn(active.pop(data.draw(st.integers(0, len(active) - 1))))
            continue
        active.append(job)
        seen.append(job.slot)
        assert max(Counter(one.host.name for one in active).values()) <= per_host
    assert sorted(seen) == list(range(len(hosts_of_jobs)))
    assert hosts.n_waiting == 0


def test_hosts_take_turns():
    hosts = Hosts(per_host=9, max_failures=5, record=Events())
    for slot, name in enumerate("aaabbc"):
        target = Target(f"http://{name}/", "http", name, 80, False)
        hosts.add(Job(slot, target, hosts.of(name), target, target))
    assert "".join(hosts.next(0.0).host.name for _ in range(6)) == "abcaba"


def test_the_handles_are_set_to_no_more_than_http():
    settings = options(Fetch(), Path("/ca.pem"))
    assert settings[pycurl.PROTOCOLS] == pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
    assert settings[pycurl.FOLLOWLOCATION] == 0
