"""The hostile host itself: what it logs, what it answers, and that it ends."""

import io
import socket
import threading

import pycurl

from counterpoint.acquire.statuses import STATUSES
from hostile_images import jpeg
from hostile_server import KINDS, HostileServer, hostile_server


def got(server: HostileServer, url: str, *, resolve: bool = True) -> tuple[int, bytes]:
    body, curl = io.BytesIO(), pycurl.Curl()
    options = {
        pycurl.URL: url, pycurl.WRITEDATA: body, pycurl.PROXY: "", pycurl.CAINFO: str(server.ca_file),
        pycurl.TIMEOUT: 10, pycurl.RESOLVE: server.resolve if resolve else [],
    }  # fmt: skip
    for option, value in options.items():
        curl.setopt(option, value)
    try:
        curl.perform()
        return curl.getinfo(pycurl.RESPONSE_CODE), body.getvalue()
    except pycurl.error as error:
        return -error.args[0], b""
    finally:
        curl.close()


def test_the_table_has_more_than_sixty_kinds_with_statuses_of_the_closed_list():
    assert len(KINDS) >= 60
    assert {status for kind in KINDS.values() for status in kind.expected} <= set(STATUSES)
    assert all((kind.answer is None) == (kind.reaches != "request") for kind in KINDS.values())


def test_it_answers_by_name_and_at_its_literal_address_and_logs_both():
    with hostile_server(files={"/mine.jpg": b"mine"}) as server:
        assert got(server, server.url("ok-jpeg")) == (200, jpeg())
        assert got(server, server.url("ok-https", literal=True), resolve=False) == (200, jpeg())
        assert got(server, f"http://127.0.0.1:{server.ports['http']}/mine.jpg") == (200, b"mine")
        assert got(server, f"http://127.0.0.1:{server.ports['http']}/robots.txt") == (404, b"")
        assert [len(server.requests(name)) for name in ("ok-jpeg", "ok-https", "html")] == [1, 1, 0]
        seen = server.requests("ok-jpeg")[0]
        assert (seen.address, seen.port, seen.path) == ("127.0.0.1", server.ports["http"], "/ok-jpeg")
        assert seen.headers["host"] == f"ok-jpeg.hostile.test:{server.ports['http']}"


def test_it_sees_who_connects_to_an_address_that_is_denied():
    with hostile_server() as server:
        assert server.denied() == []
        assert got(server, server.url("address-loopback")) == (200, jpeg())
        assert [(seen.address, seen.path) for seen in server.denied()] == [
            ("127.0.0.2", None),
            ("127.0.0.2", "/denied"),
        ]


def test_a_second_look_up_of_the_rebinding_name_gives_another_address():
    with hostile_server() as server:
        assert got(server, server.url("rebinding"))[0] == 302
        assert server.denied() == []
        assert (
            got(server, server.url("rebinding").replace(str(server.ports["http"]), str(server.ports["other"])))[0]
            == 200
        )
        assert {seen.address for seen in server.denied()} == {"127.0.0.2"}


def test_it_ends_with_its_context_whatever_is_under_way():
    before = threading.active_count()
    with hostile_server() as server, socket.create_connection(("127.0.0.1", server.ports["http"])) as peer:
        peer.sendall(b"GET /silent HTTP/1.1\r\n\r\n")
        while not server.requests("silent"):
            pass
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.endswith(("(_converse)", "(_accept)")):
            thread.join(timeout=5)
    assert threading.active_count() == before
    assert refuses(server)


def test_it_ends_by_itself_after_its_bound():
    with hostile_server(bound_s=0.1) as server:
        for _ in range(100):
            if refuses(server):
                return
            threading.Event().wait(0.05)
    raise AssertionError("it went on")


def refuses(server: HostileServer) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.ports["http"]), timeout=1).close()
    except OSError:
        return True
    return False
