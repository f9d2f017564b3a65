"""The guard lets no address pass that is not public, in whatever spelling, and never raises."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checked_urls import checked_url
from counterpoint.acquire.web.guard import allowed_networks, denied
from counterpoint.acquire.web.urls import parse_url
from counterpoint.config.acquire import Guard
from counterpoint.errors import ConfigError
from counterpoint.safe_text import log_line

pycurl = pytest.importorskip("pycurl")

RULES = Guard()
PRIVATE = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
)  # fmt: skip
PRIVATE_6 = (
    "::/128", "::1/128", "::/96", "100::/64", "2001:db8::/32", "2001:2::/48", "fc00::/7", "fe80::/10", "fec0::/10",
    "ff00::/8", "64:ff9b:1::/48", "3fff::/20", "5f00::/16",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "192.169.0.1", "223.255.255.255", "100.128.0.1")
PUBLIC_6 = ("2606:4700::1111", "2a00:1450:4001::1")


def within(networks: tuple[str, ...]) -> st.SearchStrategy[int]:
    nets = [ip_network(network) for network in networks]
    return st.sampled_from(nets).flatmap(lambda net: st.integers(int(net.network_address), int(net.broadcast_address)))


def _parts(number: int, n: int) -> list[int]:
    """Split an IPv4 address as inet_aton joins it: n - 1 bytes, and the rest."""
    return [number >> 24 - 8 * place & 255 for place in range(n - 1)] + [number & (1 << 32 - 8 * (n - 1)) - 1]


DIGITS = (
    str,
    lambda part: f"0{part:o}",
    lambda part: f"0x{part:x}",
    lambda part: f"0X{part:08X}",
    lambda p: f"000{p:o}",
)
WIDE = str.maketrans("0123456789.x", "０１２３４５６７８９。ｘ")


@st.composite
def spellings(draw: st.DrawFn, number: int) -> str:
    parts = _parts(number, draw(st.integers(1, 4)))
    text = ".".join(draw(st.sampled_from(DIGITS))(part) for part in parts) + draw(st.sampled_from(["", "."]))
    return draw(st.sampled_from([text, text.translate(WIDE)]))


WRAPS = (
    lambda v4: 0xFFFF << 32 | v4,
    lambda v4: 0x0064FF9B << 96 | v4,
    lambda v4: 0x0064FF9B0001 << 80 | v4,
    lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    lambda v4: 0x20010000 << 96 | 0x08080808 << 64 | v4 ^ 0xFFFFFFFF,
    lambda v4: 0x20010000 << 96 | v4 << 64 | 0x08080808 ^ 0xFFFFFFFF,
    lambda v4: 0x26064700 << 96 | 0x5EFE << 32 | v4,
    lambda v4: v4,
)


@given(st.data(), within(PRIVATE))
def test_no_denied_ipv4_address_passes_in_any_spelling(data, number):
    url = f"http://{data.draw(spellings(number))}{data.draw(st.sampled_from(['', ':80', ':8080']))}/x.jpg"
    assert checked_url(url, RULES) == (None, "blocked_address")


@given(st.data(), st.sampled_from(PUBLIC))
def test_a_public_ipv4_address_passes_in_any_spelling_as_itself(data, address):
    spelt = data.draw(spellings(int(IPv4Address(address))))
    assert checked_url(f"http://{spelt}/", RULES) == (f"http://{address}/", None)


@given(within(PRIVATE), st.sampled_from(WRAPS))
def test_no_denied_ipv4_address_passes_within_an_ipv6_one(number, wrap):
    address = IPv6Address(wrap(number))
    assert denied(str(address))
    for spelt in (str(address), address.exploded, address.exploded.upper()):
        assert checked_url(f"https://[{spelt}]:99/", RULES) == (None, "blocked_address")


@given(within(PRIVATE_6))
def test_no_denied_ipv6_address_passes(number):
    assert denied(str(IPv6Address(number)))
    assert checked_url(f"http://[{IPv6Address(number)}]/", RULES) == (None, "blocked_address")


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_6, "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_public_addresses_are_not_denied(address):
    assert denied(address) is None


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:4700::1111%1", "localhost", "", "1.2.3", "/var/run/x.sock"])
def test_what_is_no_plain_address_is_denied(address):
    assert denied(address)


def test_an_allowed_network_opens_itself_and_its_mapped_form_only():
    allowed = allowed_networks(("127.0.0.1/32", "fd00::/8"))
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "fd00::1"):
        assert denied(address, allowed) is None
    for address in (
        "127.0.0.2",
        "::1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::ffff:127.0.0.2",
        "fc00::1",
    ):
        assert denied(address, allowed)
    assert checked_url("http://127.1/", Guard(allow_address=("127.0.0.1/32",))) == ("http://127.0.0.1/", None)


def test_an_allowed_network_that_is_none_is_one_line():
    with pytest.raises(ConfigError, match=r"guard\.allow_address: .*'home'.*127\.0\.0\.1/32"):
        allowed_networks(("home",))


@pytest.mark.parametrize(
    ("url", "spelt"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        (" https://example.com:443/a b?c d#e \n", "https://example.com/a%20b?c%20d"),
        ("http://example.com:080/%20%zz", "http://example.com/%20%zz"),
        ("http://example.com./?q=ü&r='<\">", "http://example.com/?q=%C3%BC&r=%27%3C%22%3E"),
        ("http://example.com\\a\\b?c\\d", "http://example.com/a/b?c\\d"),
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"),
        ("http://FAẞ.de/", "http://xn--fa-hia.de/"),
        ("http://i❤.ws/", "http://xn--i-7iq.ws/"),
        ("http://ｅｘａｍｐｌｅ。com/", "http://example.com/"),
        ("http://a_b.-x-.example:8080?x", "http://a_b.-x-.example:8080/?x"),
        ("http://[2606:4700:0::1111]:80/", "http://[2606:4700::1111]/"),
        ("http://1.1.257/", "http://1.1.1.1/"),
        ("http://example.com/?url=http://127.0.0.1/@x", "http://example.com/?url=http://127.0.0.1/@x"),
    ],
)  # fmt: skip
def test_a_url_has_one_spelling(url, spelt):
    assert checked_url(url, RULES) == (spelt, None)
    assert checked_url(spelt, RULES) == (spelt, None)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("", "url_invalid"), ("example.com/x.jpg", "url_invalid"), ("//example.com/", "url_invalid"),
        ("http:/example.com/", "url_invalid"), ("http://", "url_invalid"), ("http:///x", "url_invalid"),
        ("http://user@example.com/", "url_invalid"), ("http://a:b@example.com/", "url_invalid"),
        ("http://example.com\\@127.0.0.1/", None), ("http://127.0.0.1\\@example.com/", "blocked_address"),
        ("http://exa mple.com/", "url_invalid"), ("http://exa\tmple.com/", "url_invalid"),
        ("http://example.com/\0", "url_invalid"), ("http://example.com/\r\nHost: x", "url_invalid"),
        ("http://%31%32%37.0.0.1/", "url_invalid"), ("http://127.0.0.1%00.example/", "url_invalid"),
        ("http://example.com:0/", "url_invalid"), ("http://example.com:65536/", "url_invalid"),
        ("http://example.com:8080x/", "url_invalid"), ("http://example.com:８０/", "url_invalid"),
        ("http://example.com:/", None), ("http://a..b/", "url_invalid"), ("http://./", "url_invalid"),
        (f"http://{'a' * 64}.example/", "url_invalid"), (f"http://{'a.' * 127}a/", "url_invalid"),
        ("http://1.2.3.4.5/", "url_invalid"), ("http://256.1.1.1/", "url_invalid"), ("http://0x/", "url_invalid"),
        ("http://08.1.1.1/", "url_invalid"), ("http://4294967296/", "url_invalid"),
        ("http://1_0.0.0.1/", "url_invalid"),
        ("http://-1.1/", "url_invalid"), ("http://example.1/", "url_invalid"), ("http://[::1/", "url_invalid"),
        ("http://[v1.x]/", "url_invalid"), ("http://[::1]x/", "url_invalid"), ("http://[]/", "url_invalid"),
        ("http://[fe80::1%25lo]/", "blocked_address"), ("http://\ud800.example/", "url_invalid"),
        ("http://example.com/\udfff", "url_invalid"), ("http://xn--\u0301.example/", None),
        ("http://example.com/" + "ü" * 500, "url_invalid"), ("http://example.com/" + "x" * 3000, "url_invalid"),
        ("ftp://example.com/", "url_scheme"), ("file:///etc/passwd", "url_scheme"), ("FILE:/etc/passwd", "url_scheme"),
        ("data:image/gif;base64,R0", "url_scheme"), ("javascript:alert(1)", "url_scheme"),
        ("gopher://127.0.0.1/", "url_scheme"), ("ws://example.com/", "url_scheme"), ("httpx://a/", "url_scheme"),
    ],
)  # fmt: skip
def test_what_is_no_web_address_says_why(url, status):
    rules = Guard(max_url_bytes=2048)
    assert checked_url(url, rules)[1] == status


URLISH = st.one_of(
    st.text(),
    st.from_regex(
        r"https?://[a-zü0-9_-]{1,9}(\.[a-zß0-9_-]{1,9}){0,3}\.?(:[0-9]{1,5})?([/?#\\].{0,20})?", fullmatch=True
    ),
    st.from_regex(r"(?i)https?://[a-z0-9.\-_:@%\[\]\\/ x]{0,24}([/?#\\].{0,12})?", fullmatch=True),
    st.builds("http://{}{}".format, st.text(max_size=12), st.text(max_size=12)),
)


@given(URLISH)
@example("http://\u2488.example/")
def test_whatever_passes_is_plain_ascii_and_passes_again_as_itself(url):
    spelt, status = checked_url(url, RULES)
    assert (spelt is None) != (status is None)
    if spelt is None:
        assert status in ("url_invalid", "url_scheme", "blocked_address")
        return
    assert spelt.isascii()
    assert spelt.isprintable()
    assert " " not in spelt
    assert checked_url(spelt, RULES) == (spelt, None)


@pytest.mark.skipif(not hasattr(pycurl, "CurlUrl"), reason="an older pycurl")
@given(URLISH)
def test_libcurl_and_python_read_the_same_host_as_the_guard(url):
    target = parse_url(url, max_url_bytes=2048)
    if isinstance(target, str):
        return
    theirs = pycurl.CurlUrl()
    theirs.setpart(pycurl.UPART_URL, target.url)
    assert theirs.getpart(pycurl.UPART_HOST).strip("[]") == target.host
    assert int(theirs.getpart(pycurl.UPART_PORT, pycurl.U_DEFAULT_PORT)) == target.port
    assert (urlsplit(target.url).hostname, urlsplit(target.url).username) == (target.host, None)


@given(st.integers(0, 2**32 - 1))
def test_every_address_of_a_private_network_is_denied_and_reasons_are_words(number):
    reason = denied(str(IPv4Address(number)))
    assert bool(reason) or not any(IPv4Address(number) in IPv4Network(network) for network in PRIVATE)


@given(st.text() | st.binary())
def test_what_is_shown_can_harm_no_terminal(text):
    line = log_line(text)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 200 * 10 + 3
