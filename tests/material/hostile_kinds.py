"""The answers of the hostile host: a table of kinds, each with the statuses that an acquisition may give its row."""

from typing import Literal, NamedTuple

import hostile_images as images
from hostile_answers import (
    Answer,
    chunked,
    falling_silent,
    head,
    healing,
    hopping,
    image,
    jpeg_of_anyone,
    jpeg_with,
    lying_about_length,
    redirecting,
    repeating,
    replying,
    resetting,
    sending,
    zip_of_jpeg,
)
from hostile_images import OK_IMAGES

DOMAIN = "hostile.test"
DENIED = ("127.0.0.2", "::1")
"""Addresses of this machine that answer too, and must never receive a request."""


class Kind(NamedTuple):
    """A row of a hostile list."""

    expected: tuple[str, ...]
    """The right statuses: more than one where it depends on the limit that is reached first."""
    answer: Answer | None = None
    """The answer of the host, or None where it must not or cannot receive a request."""
    url: str = "http://{host}:{http}/{name}"
    """``{host}`` is a name of this kind's own, ``{http}`` and so on are ports."""
    reaches: Literal["request", "connection", "nothing"] = "request"
    """How far an acquisition gets: the log of the host must show this step, and no step for "nothing"."""
    resolves: str = "127.0.0.1"
    """The address of its host name."""
    then_resolves: str | None = None
    """The address of its host name at the second look-up, for the port ``{other}``."""


SLOW = ("too_slow", "timeout_total")
UNKNOWN = ("dns_nxdomain", "dns_temporary")  # as the resolver of this machine has it
ROBOTS = "X-Robots-Tag: "

KINDS: dict[str, Kind] = {
    # Images that are well.
    **{f"ok-{name}": Kind(("ok",), image(body)) for name, body in OK_IMAGES.items()},
    "ok-type-says-html": Kind(("ok",), image(images.jpeg, "Content-Type: text/html")),
    "ok-type-says-png": Kind(("ok",), image(images.jpeg, "Content-Type: image/png")),
    "ok-no-type": Kind(("ok",), replying(images.jpeg)),
    "ok-named-as-another.svg": Kind(("ok",), image(images.png), url="http://{host}:{http}/{name}?x=%00&y=../../etc#f"),
    "ok-chunked": Kind(("ok",), chunked(ending=b"0\r\n\r\n")),
    "ok-chunked-with-trailers": Kind(("ok",), chunked(ending=b"0\r\nX-Late: \x1b[2J\r\n\r\n")),
    "ok-until-closed": Kind(("ok",), lambda talk: talk.send(b"HTTP/1.0 200 OK\r\n\r\n", images.jpeg())),
    "ok-https": Kind(("ok",), jpeg_of_anyone, "https://{host}:{https}/{name}"),
    "ok-early-hints": Kind(("ok",), lambda talk: (talk.send(head("103 Early Hints") * 9), jpeg_of_anyone(talk))[1]),
    "gzipped": Kind(("ok",), lambda talk: talk.reply(zip_of_jpeg(), "200 OK", "Content-Encoding: gzip")),
    "unknown-encoding": Kind(("ok",), jpeg_with("Content-Encoding: x-mystery")),
    # What is no image, and images of formats that are not read.
    "html": Kind(("not_image",), image(images.HTML, "Content-Type: image/jpeg")),
    "json": Kind(("not_image",), image(b'{"error": "gone"}', "Content-Type: application/json")),
    "empty": Kind(("empty_body",), image(b"")),
    "zero-bytes": Kind(("not_image",), image(bytes(5000))),
    "one-byte": Kind(("not_image",), image(b"\xff")),
    "jpeg-magic-only": Kind(("decode_error",), image(b"\xff\xd8\xff")),
    "svg": Kind(("unsupported_format",), image(images.SVG, "Content-Type: image/svg+xml")),
    "pdf": Kind(("unsupported_format",), image(images.unread("PDF"))),
    "eps": Kind(("unsupported_format",), image(images.unread("EPS"))),
    "bmp": Kind(("unsupported_format",), image(images.unread("BMP"))),
    "tiff": Kind(("unsupported_format",), image(images.unread("TIFF"))),
    "ico": Kind(("unsupported_format",), image(images.unread("ICO"))),
    "jpeg2000": Kind(("unsupported_format",), image(images.unread("JPEG2000"))),
    "heic": Kind(("unsupported_format",), image(images.HEIC)),
    # Images that are damaged, or not to be decoded.
    "jpeg-cut": Kind(("truncated_image",), image(lambda: images.jpeg()[:900])),
    "png-cut": Kind(("truncated_image",), image(lambda: images.png()[:900])),
    "png-flipped": Kind(("decode_error",), image(lambda: images.flipped(images.png(), 200))),
    "png-bomb": Kind(("too_many_pixels",), image(images.png_bomb)),
    "jpeg-says-65500": Kind(("too_many_pixels",), image(lambda: images.jpeg_saying(65_500, 65_500))),
    "png-long-strip": Kind(("too_many_pixels",), image(images.long_strip)),
    "gzip-bomb": Kind(
        ("body_too_large",),
        lambda talk: talk.reply(images.gzip_bomb(), "200 OK", "Content-Encoding: gzip"),
    ),
    "jpeg-many-scans-cmyk": Kind(("decode_error",), image(lambda: images.many_scans(5000, "CMYK"))),
    "webp-large": Kind(("ok",), image(images.large_webp)),
    "jpeg-many-scans": Kind(("decode_error",), image(lambda: images.many_scans(5000))),
    "too-small": Kind(("too_small",), image(lambda: images.encoded(images.picture(15, 15), "PNG"))),
    "one-pixel": Kind(("too_small",), image(lambda: images.encoded(images.picture(1, 1), "GIF"))),
    "aspect": Kind(("aspect",), image(lambda: images.encoded(images.picture(400, 20), "PNG"))),
    # HTTP.
    **{
        f"http-{status}": Kind((f"http_{status}",), replying(b"<html>no</html>", f"{status} No"))
        for status in (401, 403, 404, 410, 429)
    },
    "http-404-with-image": Kind(("http_404",), lambda talk: talk.reply(images.jpeg(), "404 Not Found")),
    "http-418": Kind(("http_4xx",), replying(b"", "418 I'm a teapot")),
    "http-451": Kind(("http_4xx",), replying(b"", "451 Unavailable For Legal Reasons")),
    "http-429-retry-after": Kind(("http_429",), replying(b"", "429 Too Many Requests", "Retry-After: 7200")),
    "http-429-date": Kind(
        ("http_429",), replying(b"", "429 Too Many Requests", "Retry-After: Fri, 31 Dec 2199 23:59:59 GMT")
    ),
    "http-429-nonsense": Kind(("http_429",), replying(b"", "429 Too Many Requests", "Retry-After: -1e999 \x1b[31m")),
    "http-500": Kind(("http_5xx",), replying(b"", "500 Internal Server Error")),
    "http-502": Kind(("http_5xx",), replying(images.HTML, "502 Bad Gateway")),
    "http-503-retry-after": Kind(("http_5xx",), replying(b"", "503 Service Unavailable", "Retry-After: 7200")),
    "heals": Kind(("http_5xx",), healing),
    "http-204": Kind(("empty_body",), sending(head("204 No Content"))),
    "http-206": Kind(("body_truncated",), replying(images.jpeg, "206 Partial Content")),
    "http-304": Kind(("empty_body",), sending(head("304 Not Modified"))),
    "http-1xx-flood": Kind(
        ("connect_reset",), repeating(b"", head("100 Continue", "X: " + "x" * 60))
    ),
    # Redirects.
    **{
        f"redirect-{status}": Kind(("ok",), redirecting("/ok-jpeg", f"{status} Moved"))
        for status in (301, 302, 303, 307, 308)
    },
    "redirect-relative": Kind(("ok",), redirecting("./ok-jpeg?from=here#there")),
    "redirect-without-scheme": Kind(("ok",), redirecting(f"//redirect-without-scheme.{DOMAIN}:{{http}}/ok-jpeg")),
    "redirect-to-https": Kind(("ok",), redirecting(f"https://redirect-to-https.{DOMAIN}:{{https}}/ok-jpeg")),
    "redirect-four-hops": Kind(("ok",), hopping(4)),
    "redirect-six-hops": Kind(("redirect_limit",), hopping(6)),
    "redirect-loop": Kind(("redirect_limit",), redirecting("/redirect-loop")),
    "redirect-to-404": Kind(("http_404",), redirecting("/http-404")),
    "redirect-to-private": Kind(("blocked_address",), redirecting("http://10.0.0.1:{http}/denied")),
    "redirect-to-loopback": Kind(("blocked_address",), redirecting("http://127.0.0.2:{http}/denied")),
    "redirect-to-loopback-v6": Kind(("blocked_address",), redirecting("http://[::1]:{http}/denied")),
    "redirect-to-mapped": Kind(("blocked_address",), redirecting("http://[::ffff:127.0.0.2]:{http}/denied")),
    "redirect-to-decimal": Kind(("blocked_address",), redirecting("http://2130706434:{http}/denied")),
    "redirect-to-octal": Kind(("blocked_address",), redirecting("http://0177.0.0.2:{http}/denied")),
    "redirect-to-metadata": Kind(("blocked_address",), redirecting("http://169.254.169.254:{http}/denied")),
    "redirect-to-denied-name": Kind(("blocked_address",), redirecting(f"http://name-of-loopback.{DOMAIN}:{{http}}/x")),
    "redirect-to-file": Kind(("url_scheme",), redirecting("file:///etc/passwd")),
    "redirect-to-ftp": Kind(("url_scheme",), redirecting("ftp://127.0.0.1:{http}/x.jpg")),
    "redirect-to-gopher": Kind(("url_scheme",), redirecting("gopher://127.0.0.1:{http}/_GET%20/denied")),
    "redirect-to-javascript": Kind(("url_scheme",), redirecting("javascript:alert(1)")),
    "redirect-to-credentials": Kind(("url_invalid",), redirecting(f"http://a:b@ok-jpeg.{DOMAIN}:{{http}}/denied")),
    "redirect-to-nowhere": Kind(("redirect_limit",), redirecting("")),
    "redirect-without-location": Kind(
        ("redirect_limit",), replying(b"", "302 Found")
    ),
    "redirect-very-long": Kind(("url_invalid",), redirecting("/denied?" + "x" * 90_000)),
    "redirect-with-controls": Kind(("url_invalid",), redirecting("/denied\x1b]0;x\x07")),
    "redirect-to-port-0": Kind(("url_invalid",), redirecting(f"http://ok-jpeg.{DOMAIN}:0/denied")),
    # Transport.
    "reset-at-accept": Kind(
        ("connect_reset", "connect_refused"), url="http://{host}:{reset}/{name}", reaches="connection"
    ),
    "closed-at-accept": Kind(("connect_reset",), url="http://{host}:{closing}/{name}", reaches="connection"),
    "refused": Kind(("connect_refused",), url="http://{host}:{closed}/{name}", reaches="nothing"),
    "backlog-full": Kind(("connect_timeout",), url="http://{host}:{full}/{name}", reaches="nothing"),
    "closed-before-a-byte": Kind(("connect_reset",), sending()),
    "reset-before-a-byte": Kind(("connect_reset",), resetting(b"")),
    "closed-in-header": Kind(("connect_reset",), sending(b"HTTP/1.1 200 OK\r\nContent-Type: ima")),
    "reset-in-body": Kind(("body_truncated",), resetting(head("200 OK", "Content-Length: 9999") + images.jpeg())),
    "length-too-long": Kind(("body_truncated",), lying_about_length(1000)),
    "length-too-short": Kind(("truncated_image",), lying_about_length(-1000)),
    "length-of-10-gb": Kind(
        ("body_too_large",), lambda talk: talk.send(head("200 OK", "Content-Length: 10737418240"), images.jpeg())
    ),
    "length-negative": Kind(("connect_reset",), jpeg_with("Content-Length: -5")),
    "length-of-30-digits": Kind(
        ("body_too_large",), repeating(head("200 OK", "Content-Length: " + "9" * 30), images.jpeg() * 20)
    ),
    "endless-body": Kind(("body_too_large",), repeating(head(), images.jpeg() * 20)),
    "endless-chunks": Kind(
        ("body_too_large",), repeating(head("200 OK", "Transfer-Encoding: chunked"), b"8000\r\n%b\r\n" % bytes(0x8000))
    ),
    "chunks-broken": Kind(("body_truncated",), chunked(ending=b"zz\r\nnonsense")),
    "chunks-cut": Kind(("body_truncated",), chunked(ending=b"ff\r\nhalf")),
    "slow-header": Kind(SLOW, repeating(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause_s=0.2)),
    "slow-body": Kind(SLOW, repeating(head("200 OK", "Content-Length: 9999"), b"\xff", pause_s=0.2)),
    "slow-body-at-speed": Kind(
        ("timeout_total",), repeating(head("200 OK", "Content-Length: 900000"), bytes(1200), pause_s=0.2)
    ),
    "silent": Kind(SLOW, falling_silent(b"")),
    "silent-in-body": Kind(SLOW, falling_silent(head("200 OK", "Content-Length: 9999") + b"\xff\xd8\xff")),
    "tls-silent": Kind(
        ("connect_timeout",), url="https://{host}:{mute}/{name}", reaches="connection"
    ),
    "tls-untrusted": Kind(("tls_error",), url="https://{host}:{untrusted}/{name}", reaches="connection"),
    "tls-expired": Kind(("tls_error",), url="https://{host}:{expired}/{name}", reaches="connection"),
    "tls-wrong-host": Kind(("tls_error",), url="https://{host}:{wrong}/{name}", reaches="connection"),
    "tls-not-spoken": Kind(("tls_error",), url="https://{host}:{http}/{name}", reaches="connection"),
    "tls-not-asked-for": Kind(("connect_reset",), url="http://{host}:{https}/{name}", reaches="connection"),
    "header-of-1-mb": Kind(("connect_reset",), jpeg_with("X-Large: " + "x" * (1 << 20))),
    "header-of-a-million": Kind(("connect_reset",), repeating(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000)),
    "header-with-controls": Kind(("ok",), jpeg_with("X-Evil: \x1b]0;owned\x07\x1b[2J\x08", "Server: \xff\xfe\x9b31m")),
    "header-with-null": Kind(("connect_reset",), jpeg_with("X-Null: a\0b")),
    "header-unicode-status": Kind(("ok",), replying(images.jpeg, "200 \x1b[31mFINE\xe9")),
    "http-0.9": Kind(("connect_reset",), lambda talk: talk.send(images.jpeg())),
    "status-line-garbage": Kind(("connect_reset",), sending(b"HTTP/1.1 two hundred\r\n\r\n\xff\xd8\xff")),
    "status-999": Kind(("http_5xx",), replying(images.jpeg, "999 Request denied")),
    "http-2-preface": Kind(("connect_reset",), sending(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")),
    # Opting out.
    **{
        f"robots-{tag}": Kind(("blocked_optout",), jpeg_with(ROBOTS + tag))
        for tag in ("noai", "noimageai", "noindex", "noimageindex")
    },
    "robots-loud": Kind(("blocked_optout",), jpeg_with("X-ROBOTS-TAG: NOFOLLOW ,  NoAI")),
    "robots-twice": Kind(("blocked_optout",), jpeg_with(ROBOTS + "nofollow", ROBOTS + "noimageai")),
    "robots-none": Kind(("blocked_optout",), jpeg_with(ROBOTS + "none")),
    "robots-for-everyone-named": Kind(("blocked_optout",), jpeg_with(ROBOTS + "counterpoint: noai")),
    "robots-for-another": Kind(("ok",), jpeg_with(ROBOTS + "otherbot: noindex")),
    "robots-allows": Kind(("ok",), jpeg_with(ROBOTS + "all", ROBOTS + "max-image-preview:large")),
    "robots-not-a-word": Kind(("ok",), jpeg_with(ROBOTS + "noaimless")),
    # Host names.
    "name-unknown": Kind(UNKNOWN, url="http://name-unknown.invalid/", reaches="nothing"),
    "name-idn": Kind(UNKNOWN, url="http://bücher.invalid/", reaches="nothing"),
    "name-of-loopback": Kind(("blocked_address",), resolves="127.0.0.2", reaches="nothing"),
    "name-of-loopback-v6": Kind(("blocked_address",), resolves="[::1]", reaches="nothing"),
    "name-of-private": Kind(("blocked_address",), resolves="192.168.0.1", reaches="nothing"),
    "name-of-metadata": Kind(("blocked_address",), resolves="169.254.169.254", reaches="nothing"),
    "name-of-mapped": Kind(("blocked_address",), resolves="[::ffff:127.0.0.2]", reaches="nothing"),
    "name-of-nat64": Kind(("blocked_address",), resolves="[64:ff9b::7f00:2]", reaches="nothing"),
    "name-of-6to4": Kind(("blocked_address",), resolves="[2002:7f00:2::]", reaches="nothing"),
    "name-of-both": Kind(("ok",), jpeg_of_anyone, resolves="127.0.0.2,127.0.0.1"),
    "rebinding": Kind(
        ("blocked_address",), redirecting(f"http://rebinding.{DOMAIN}:{{other}}/denied"), then_resolves="127.0.0.2"
    ),
    # URLs that must open no socket.
    **{
        f"address-{name}": Kind(("blocked_address",), url=f"http://{host}:{{http}}/denied", reaches="nothing")
        for name, host in (
            ("loopback", "127.0.0.2"), ("private-10", "10.1.2.3"),
            ("private-172", "172.16.0.1"), ("private-192", "192.168.1.1"),
            ("metadata", "169.254.169.254"), ("shared", "100.64.0.1"), ("zero", "0.0.0.0"),
            ("multicast", "224.0.0.1"), ("broadcast", "255.255.255.255"),
            ("relay", "192.88.99.1"), ("decimal", "2130706434"), ("hex", "0x7f000002"),
            ("hex-parts", "0x7f.0x0.0x0.0x2"), ("octal", "0177.0.0.2"),
            ("octal-one", "017700000002"), ("short", "127.2"), ("short-three", "127.0.2"),
            ("dot-at-end", "127.0.0.2."), ("full-width", "127。0。0。2"),
            ("v6-loopback", "[::1]"), ("v6-unspecified", "[::]"),
            ("v6-mapped", "[::ffff:127.0.0.2]"), ("v6-mapped-hex", "[::ffff:7f00:2]"),
            ("v6-compatible", "[::127.0.0.2]"), ("v6-nat64", "[64:ff9b::127.0.0.2]"),
            ("v6-nat64-local", "[64:ff9b:1::7f00:2]"), ("v6-6to4", "[2002:7f00:2::1]"),
            ("v6-teredo", "[2001:0:7f00:2::80ff:fffd]"), ("v6-site-local", "[fec0::1]"),
            ("v6-unique-local", "[fd00::1]"), ("v6-link-local", "[fe80::1]"),
            ("v6-link-local-zone", "[fe80::1%25lo]"), ("v6-multicast", "[ff02::1]"),
        )
    },
    **{
        f"url-{name}": Kind(expected, url=url, reaches="nothing")
        for name, expected, url in (
            ("with-credentials", ("url_invalid",), "http://user:secret@{host}:{http}/denied"),
            ("with-user", ("url_invalid",), "http://user@{host}:{http}/denied"),
            ("ftp", ("url_scheme",), "ftp://127.0.0.1:{http}/x.jpg"),
            ("file", ("url_scheme",), "file:///etc/passwd"),
            ("file-with-host", ("url_scheme",), "file://127.0.0.1/etc/passwd"),
            ("gopher", ("url_scheme",), "gopher://127.0.0.1:{http}/_GET%20/denied"),
            ("dict", ("url_scheme",), "dict://127.0.0.1:{http}/d"),
            ("data", ("url_scheme",), "data:image/gif;base64,R0lGODlhAQABAAAAACw="),
            ("javascript", ("url_scheme",), "javascript:alert(1)"),
            ("with-percent-in-host", ("url_invalid",), "http://%31%32%37.0.0.2:{http}/denied"),
            ("with-five-numbers", ("url_invalid",), "http://127.0.0.0.2:{http}/denied"),
            ("without-scheme", ("url_scheme",), "{host}:{http}/denied"),
            ("port-0", ("url_invalid",), "http://{host}:0/denied"),
            ("port-99999", ("url_invalid",), "http://{host}:99999/denied"),
            ("port-word", ("url_invalid",), "http://{host}:http/denied"),
            ("space-in-host", ("url_invalid",), "http://ho st:{http}/denied"),
            ("null", ("url_invalid",), "http://{host}:{http}/denied\0.jpg"),
            ("newline", ("url_invalid",), "http://{host}:{http}/denied\r\nX-Injected: 1"),
            ("escape-codes", ("url_invalid",), "http://{host}:{http}/denied\x1b[2J\x1b]0;x\x07"),
            ("of-10-kb", ("url_invalid",), "http://{host}:{http}/denied?" + "x" * 10_240),
            ("empty", ("url_invalid",), ""),
            ("without-host", ("url_invalid",), "http:///denied.jpg"),
            ("label-of-64", ("url_invalid",), f"http://{'a' * 64}.test/denied"),
            ("backslash", ("blocked_address",), "http://127.0.0.2\\@{host}:{http}/denied"),
            ("unclosed-bracket", ("url_invalid",), "http://[::1:{http}/denied"),
        )
    },
    "url-with-spaces": Kind(("ok",), None, "http://{host}:{http}/ok-jpeg?a b c", reaches="nothing"),
}  # fmt: skip
