"""Code that reads untrusted strings and bytes takes time in proportion to their length."""

import pytest

from checked_urls import checked_url
from counterpoint.acquire.web.optout import Robots, opts_out
from counterpoint.acquire.web.urls import Target
from counterpoint.config.acquire import Guard
from counterpoint.engines.time_limit import time_limit
from counterpoint.errors import ImageError
from counterpoint.features.child import give_back, take_child
from counterpoint.features.decode import Limits, decode_image
from counterpoint.formats.images import split_ref
from counterpoint.formats.magic import image_format
from counterpoint.formats.tars import _NAME

pytestmark = pytest.mark.slow

N_BYTES = 1_000_000
HANGS_S = 20.0
HUGE = Guard(max_url_bytes=1 << 20)


def decoded(data):
    try:
        decode_image(data, limits=Limits(), mode="gray")
    except ImageError:
        return


def judged(data):
    with pytest.raises(ImageError):
        image_format(data)


def reference(part):
    split_ref(part)
    split_ref(part + ".tar#" + part)


def url(part):
    checked_url("http://" + part, HUGE)
    checked_url("http://a.example/" + part, HUGE)


def robots(part):
    target = Target("http://a.example/" + "a" * 1000, "http", "a.example", 80, is_address=False)
    reader = Robots()
    reader.learn(target, "ok", f"User-agent: *\nDisallow: /{part}b$".encode())
    reader.allows(target)
    opts_out([part])


READERS = {
    "format": (judged, [b"<?xml", b"<!---->", b"<!--", b"<!DOCTYPE svg", b" ", b"P6", b"....ftyp", b"a"]),
    "decoder": (
        lambda part: decoded(b"\xff\xd8\xff" + part), [b"\xff", b"\xff\xda", b"\xff\xe1\0\2", b"\xff\xc4\0\2", b"\xe1"],
    ),
    "gif": (lambda part: decoded(b"GIF89a\x10\0\x10\0\0\0\0" + part), [b"!\xfe\1a\0", b"!\xf9\4\0\0\0\0\0", b"!"]),
    "png": (lambda part: decoded(b"\x89PNG\r\n\x1a\n" + part), [b"\0\0\0\0tEXt\0\0\0\0", b"\0\0\0\0IDAT", b"\0"]),
    "reference": (reference, [".tar", "#", ".tar#", "a/", "/"]),
    "member": (_NAME.fullmatch, ["/", "a/", "a.", "a", "a.b/", "a\n"]),
    "URL": (url, ["a.", "@", "../", "%", "[", "1.", "ü", "9", ":"]),
    "robots": (robots, ["*a", "**", "*a*b", "%", "/*", "$"]),
}  # fmt: skip


def read(name):
    """Feed a reader a megabyte of each of its parts, in a process that may be ended."""
    reader, parts = READERS[name]
    with time_limit(HANGS_S):
        for part in parts:
            reader(part * (N_BYTES // len(part)))


@pytest.mark.parametrize("name", READERS)
def test_a_megabyte_of_one_part_is_read_in_time(name):
    child = take_child()
    child.call(read, name)
    give_back(child)
