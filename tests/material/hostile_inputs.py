"""Inputs that a stranger may send to the URL guard, the header reader and the decoder, and a check for each.

`TARGETS` pairs a strategy with a check.  A check returns the outcome in one word, or raises when something is wrong.
"""

import re
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import numpy as np
import pycurl
from hypothesis import strategies as st

from checked_urls import checked_url
from counterpoint.acquire.statuses import OK, STATUSES
from counterpoint.acquire.transcode import TRANSCODERS, transcode
from counterpoint.acquire.web.curl import Transfer
from counterpoint.acquire.web.guard import denied
from counterpoint.acquire.web.optout import Robots, opts_out
from counterpoint.acquire.web.urls import Target
from counterpoint.config.acquire import Guard
from counterpoint.errors import ImageError
from counterpoint.features.decode import REASONS, Limits, decode_image, header
from counterpoint.safe_text import log_line
from hostile_bytes import ARBITRARY, mutated_images
from hostile_folders import TREES, check_of_folder
from hostile_kinds import KINDS
from hostile_study_files import FILES, check_of_study_file
from hostile_tables import TABLES, check_of_table
from hostile_tars import TARS, check_of_tar

Draw = Callable[[st.SearchStrategy], Any]


def _often(most: st.SearchStrategy[Any], *few: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # one_of would take a strategy that is given again as one.
    return st.sampled_from([*few, *[most] * 3 * len(few)]).flatmap(lambda strategy: strategy)


# --- URLs and addresses --------------------------------------------------------------------------------------------

RULES = Guard(max_url_bytes=300)
URL_STATUSES = {"url_invalid", "url_scheme", "blocked_address"}
DENIED_V4 = (
    "127.0.0.1",
    "127.8.9.2",
    "10.1.2.3",
    "192.168.7.7",
    "172.20.1.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.1.1.1",
)

_spelled_part = st.sampled_from(["{}", "0x{:x}", "0X{:X}", "0{:o}", "000{:o}", "0x000{:x}"])
_spaces = st.sampled_from(["", "", "", " ", "\t", "\n", "\x1b[2J", "\0", "\x85", "\u2028", "\ufeff"])
_good_paths = st.sampled_from(["", "/", "/a.jpg", "?q", "#f", "/%00%0d%0a", "/../../etc/passwd", "//evil/", "/ü b"])
_paths = _often(
    _good_paths, st.text(max_size=40), st.sampled_from(["\\x", ";"]), st.integers(200, 400).map(lambda n: "/" + "x" * n)
)
_names = st.one_of(
    st.sampled_from(["a" * 64, "..", "", "a..b"]),
    st.from_regex(r"[a-z0-9_.\-]{1,30}", fullmatch=True),
    st.text(max_size=20),
    st.text(st.sampled_from("0123456789abcdefx.:[]%@/\\０１２。．ⓐℂ℡ß"), max_size=24),
)


@st.composite
def spelled_v4(draw: Draw, addresses: st.SearchStrategy[str]) -> str:
    """Spell an IPv4 address in one of the many ways that inet_aton reads."""
    number = int(IPv4Address(draw(addresses)))
    n_parts = draw(st.integers(1, 4))
    parts = [number >> 24 - 8 * place & 255 for place in range(n_parts - 1)]
    parts.append(number & (1 << 8 * (5 - n_parts)) - 1)
    host = ".".join(draw(_spelled_part).format(part) for part in parts)
    dots = draw(st.sampled_from([".", ".", ".", "。", "．", "｡"]))
    return (draw(st.sampled_from(["{}", "{}."])).format(host)).replace(".", dots)


@st.composite
def wrapped_v6(draw: Draw) -> str:
    """Carry a denied IPv4 address in an IPv6 one."""
    number = int(IPv4Address(draw(st.sampled_from(DENIED_V4))))
    noise = draw(st.integers(0, (1 << 64) - 1))
    form = draw(st.sampled_from(["mapped", "nat64", "6to4", "teredo", "compatible", "isatap"]))
    value = {
        "mapped": 0xFFFF << 32 | number,
        "nat64": 0x64FF9B << 96 | number,
        "6to4": 0x2002 << 112 | number << 80 | noise,
        "teredo": 0x2001 << 112 | noise << 32 | number ^ 0xFFFFFFFF,
        "compatible": number,
        "isatap": 0x20014860 << 96 | 0x5EFE << 32 | number,
    }[form]
    return str(IPv6Address(value & (1 << 128) - 1))


_good_hosts = st.one_of(
    st.sampled_from(["example.com", "EXAMPLE.com.", "bücher.example", "xn--bcher-kva.example", "8.8.8.8"]),
    spelled_v4(st.sampled_from(DENIED_V4)), wrapped_v6().map("[{}]".format), st.ip_addresses(v=6).map("[{}]".format),
    spelled_v4(st.ip_addresses(v=4).map(str)), st.from_regex(r"[a-z0-9_\-]{1,9}\.[a-z]{1,9}", fullmatch=True),
)  # fmt: skip
_hosts = _often(_good_hosts, _names)
_ports = st.sampled_from(["", "", "", "", ":80", ":443", ":8080", ":1", ":", ":0", ":99999", ":８０", ":" + "9" * 5000])
_schemes = st.sampled_from(
    [
        "http://",
        "https://",
        "HTTP://",
        "http:",
        "http:/",
        "http:///",
        "//",
        "ftp://",
        "file://",
        "data:",
        "javascript:",
        "",
    ]
)
_credentials = st.sampled_from(["", "", "", "", "u@", "u:p@", "@", ":@", "a@b@"])
_built = st.builds(lambda *parts: "".join(parts), _spaces, _schemes, _credentials, _hosts, _ports, _paths, _spaces)
_nearly_good = st.builds("http{}://{}{}{}".format, st.sampled_from(["", "s"]), _hosts, _ports, _paths)
_of_kinds = st.sampled_from([kind.url.replace("{http}", "80").replace("{host}", "a.test") for kind in KINDS.values()])


@st.composite
def _respelled(draw: Draw) -> str:
    """Change a few characters of a URL of the hostile list."""
    text = list(draw(_of_kinds)[:400])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 2))] = draw(st.text(max_size=2))
    return "".join(text)


URLS = _often(_nearly_good, _built, _respelled(), st.text(max_size=80))
ADDRESSES = st.one_of(
    wrapped_v6(), st.sampled_from(DENIED_V4), st.ip_addresses().map(str), st.text(max_size=20),
    st.builds("{}%{}".format, st.ip_addresses(v=6), st.text(max_size=5)),
)  # fmt: skip


def check_of_url(url: str) -> str:
    """Compare the answer of the guard for a URL, as a row or as a redirect, with the behaviour of the system."""
    with suppress(ValueError):
        _judged(urljoin("https://example.com/a/b.jpg?q", url))
    return _judged(url)


def _judged(url: str) -> str:
    accepted, status = checked_url(url, RULES)
    if accepted is None:
        assert status in URL_STATUSES, status
        return str(status)
    assert status is None
    assert re.fullmatch(r"https?://[!-~]+", accepted), "more than printable ASCII"
    assert len(accepted) <= RULES.max_url_bytes
    assert checked_url(accepted, RULES) == (accepted, None), "its one spelling has another"
    parts = urlsplit(accepted)
    assert parts.username is None, "credentials"
    assert parts.hostname
    assert parts.port != 0
    address = _address_of(parts.hostname)
    assert address is None or denied(address) is None, f"leads to {address}"
    return "accepted: address" if address else "accepted: name"


def _address_of(host: str) -> str | None:
    """Return the address that the system reads in a host without looking it up."""
    if ":" in host:
        return host
    try:
        return str(IPv4Address(socket.inet_aton(host)))
    except OSError:
        return None


def check_of_address(address: str) -> str:
    """Compare the answer of the guard for an address with the IPv4 address inside it."""
    reason = denied(address)
    assert reason is None or (reason and reason.isprintable())
    if address in DENIED_V4:
        assert reason
    try:
        ip = IPv6Address(address)
    except ValueError:
        return "denied" if reason else "allowed"
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    assert reason or not any(v4 and denied(str(v4)) for v4 in inner), "carries an address that is denied"
    return "denied" if reason else "allowed"


# --- opting out ----------------------------------------------------------------------------------------------------

_words = st.sampled_from(
    ["User-agent: ", "Disallow: /", "Allow: /*", "Crawl-delay: ", "Sitemap: ", "Request-rate: ", "Visit-time: ", "*",
     "counterpoint", "noai", "noindex", ": ", ",", "$", "\n", "\n", "\r", "#", "%", "%2f", "/a.jpg", "1e999", "\ufeff"]
)  # fmt: skip
_lines = st.lists(_often(_words, st.text(max_size=9)), max_size=40).map("".join)
ROBOTS = st.builds(str.__add__, st.sampled_from(["", "User-agent: *\n", "User-agent: *\nDisallow: /"]), _lines)
_IMAGE = Target("http://example.com/a.jpg", "http", "example.com", 80, is_address=False)


def check_of_robots(text: str) -> str:
    """Read a robots.txt, and each line of it as an X-Robots-Tag: the answer is yes or no for any text."""
    robots = Robots()
    robots.learn(_IMAGE, "ok", text.encode("utf-8", "surrogatepass"))
    allowed, is_optout = robots.allows(_IMAGE), opts_out(text.splitlines())
    assert {allowed, is_optout} <= {True, False}
    assert log_line(text).isascii()
    assert log_line(text).isprintable()
    return f"{'allowed' if allowed else 'refused'}, {'opts out' if is_optout else 'does not opt out'}"


_codes = st.sampled_from([b"200", b"200", b"206", b"301", b"404", b"429", b"503", b"100", b"999", b"", b"2 0", b"\xb2"])
_names_of_headers = st.sampled_from(
    [b"Location", b"Retry-After", b"X-Robots-Tag", b"location ", b"HTTP/1.1 200 OK\r", b""]
)
_values = st.one_of(
    st.binary(max_size=60), st.sampled_from([b"noai", b"1e999", b"http://[", b",:" * 2000, b"\0", b" " * 5000, b"\xff"])
)
_header_lines = st.builds(lambda name, value: name + b":" + value + b"\r\n", _names_of_headers, _values)
RESPONSES = st.builds(
    lambda version, code, lines: b"HTTP/" + version + b" " + code + b" OK\r\n" + b"".join(lines) + b"\r\n",
    st.sampled_from([b"1.1", b"2", b"." * 3000, b"1.1 ", b""]), _codes, st.lists(_header_lines, max_size=12),
)  # fmt: skip


def check_of_response(data: bytes) -> str:
    """Read the head of an answer line by line as libcurl hands it over: its status is one of the closed list."""
    transfer = Transfer({pycurl.MAXFILESIZE_LARGE: 1 << 20}, refuse=lambda *_: None)
    for line in data.splitlines(keepends=True):
        transfer._header(line)
    assert all(log_line(value).isprintable() for value in transfer.header(b"location"))
    status = transfer.status(0, "", is_late=False)
    assert status in STATUSES
    return status


# --- images --------------------------------------------------------------------------------------------------------

LIMITS = Limits(min_side_px=4, max_side_px=512, max_pixels=1 << 15, max_aspect=20.0)


BYTES = _often(mutated_images(), ARBITRARY)


def check_of_header(data: bytes) -> str:
    """Return which format the header reader saw, or its reason."""
    try:
        kind, width_px, height_px = header(data)
    except ImageError as error:
        return _reason(error)
    assert min(width_px, height_px) >= 0
    return f"read: {kind}"


def check_of_picture(data: bytes) -> str:
    """Hold the decoder to its promise: pixels within the limits and of the stated size, or a reason."""
    mode, least = ("gray", 8) if zlib.crc32(data) & 1 else ("rgb", None)
    try:
        found = decode_image(data, limits=LIMITS, mode=mode, min_side_px=least)
    except ImageError as error:
        return _reason(error)
    assert found.pixels.dtype == np.uint8
    assert found.pixels.flags.c_contiguous
    height_px, width_px, n_channels = found.pixels.shape
    assert n_channels == {"gray": 1, "rgb": 3}[mode]
    LIMITS.check(found.width_px, found.height_px)
    if found.format != "jpeg" or least is None:
        assert (width_px, height_px) == (found.width_px, found.height_px), "the size is not the pixels'"
    assert width_px * height_px <= LIMITS.max_pixels
    return f"decoded: {found.format}"


def check_of_kept(data: bytes) -> str:
    """Hold the keeper to its promise: nothing raises, and kept bytes are an image."""
    how = sorted(TRANSCODERS)[zlib.crc32(data) % len(TRANSCODERS)]
    kept = transcode(data, limits=LIMITS, kept=how)
    assert kept.status in STATUSES
    assert kept.status != "internal"
    assert kept.n_bytes == len(data)
    if kept.status != OK:
        assert kept.image is None
        return kept.status
    assert len(kept.image) == 64 * 64 if how == "gray-64" else header(kept.image)
    assert kept.phash is None or 0 <= kept.phash < 1 << 64  # an even picture has none
    return f"kept: {how}"


def _reason(error: ImageError) -> str:
    assert error.reason in REASONS
    assert "\n" not in str(error)
    return error.reason


class Fuzzed(NamedTuple):
    """A fuzzed function: inputs, the check of each input, and the most processor seconds for one input."""

    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], str]
    limit_s: float = 2.0


TARGETS = {
    "URL": Fuzzed(URLS, check_of_url),
    "address": Fuzzed(ADDRESSES, check_of_address),
    "robots": Fuzzed(ROBOTS, check_of_robots),
    "response": Fuzzed(RESPONSES, check_of_response),
    "header": Fuzzed(BYTES, check_of_header),
    "picture": Fuzzed(BYTES, check_of_picture),
    "keep": Fuzzed(BYTES, check_of_kept),
    "settings": Fuzzed(FILES, check_of_study_file),
    "tar": Fuzzed(TARS, check_of_tar),
    "folder": Fuzzed(TREES, check_of_folder),
    "table": Fuzzed(TABLES, check_of_table),
}
