"""URLs in one spelling each: the URL that a browser would request, or the status of a URL that cannot be requested.

Pure functions. ``acquire.web.guard`` decides which hosts may be contacted.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import quote

from counterpoint.errors import CounterpointError

try:
    import idna
except ImportError as error:
    raise CounterpointError("Reading URLs needs the extra counterpoint[acquire].") from error

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_URL = re.compile(r"(https?)://([^/?#\\]+)([^#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+(?:%[^\]]*)?)\]|([^:@%\[\]]+))(?::([0-9]{0,9}))?", re.IGNORECASE)
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_PLAIN = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z|~]*")
_IN_PATH = "!$%&'()*+,-./:;=@_~|[]"
_IN_QUERY = "!$%&()*+,-./:;=?@_~|[]^`{}\\"
_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """A URL in its one spelling, and its parts."""

    url: str
    scheme: str
    host: str
    """A name in lower case and ASCII, or an address without brackets."""
    port: int
    is_address: bool


def parse_url(url: str, *, max_url_bytes: int) -> Target | str:
    """Return the target of *url*, or the status ``url_invalid`` or ``url_scheme``. Addresses are not checked.

    It repairs the same faults as a browser: spaces around the URL, spaces and letters beyond ASCII in it, backslashes
    in its path. A host that looks like a number becomes the address to which the system would connect.

    >>> parse_url("https://127.1:8443?x", max_url_bytes=99)
    Target(url='https://127.0.0.1:8443/?x', scheme='https', host='127.0.0.1', port=8443, is_address=True)
    """
    text = url.strip(" \t\r\n\f")
    if len(text) > max_url_bytes or _CONTROL.search(text):
        return "url_invalid"
    parts = _URL.match(text)
    if parts is None:
        scheme = _SCHEME.match(text)
        return "url_scheme" if scheme and scheme[1].lower() not in _PORTS else "url_invalid"
    place, path = _place(parts[1].lower(), parts[2]), _path(parts[3])
    if place is None or path is None:
        return "url_invalid"
    spelled = f"{place.url}{path}"
    if len(spelled) > max_url_bytes:
        return "url_invalid"
    return Target(spelled, place.scheme, place.host, place.port, place.is_address)


@lru_cache(maxsize=16384)
def _place(scheme: str, authority: str) -> Target | None:
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        return None
    literal, name, digits = parts.groups()
    port = int(digits) if digits else _PORTS[scheme]
    try:
        host = str(IPv6Address(literal)) if literal else _name(name)
    except ValueError:
        return None
    if not 1 <= port <= 65535:
        return None
    shown = f"[{host}]" if literal else host
    if port != _PORTS[scheme]:
        shown = f"{shown}:{port}"
    return Target(f"{scheme}://{shown}", scheme, host, port, bool(literal) or _is_numeric(host))


def _name(name: str) -> str:
    """Return a host name in ASCII and lower case, and a number in any spelling as a dotted quad.

    Raises
    ------
    ValueError
        When it is neither.
    """
    if not name.isascii():
        name = ".".join(_ascii_label(label) for label in idna.uts46_remap(name, std3_rules=False).split("."))
    name = name.lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError(name)
    return str(_number(name)) if _is_numeric(name) else name


def _ascii_label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def _number(name: str) -> IPv4Address:
    """Return the address that inet_aton reads in *name*: up to four parts, decimal, octal or hexadecimal.

    >>> _number("0177.1"), _number("2130706433")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'))
    """
    *most, last = [_part(part) for part in name.split(".")]
    if len(most) > 3 or any(part > 255 for part in most) or last >= 256 ** (4 - len(most)):
        raise ValueError(name)
    return IPv4Address(sum(part << 24 - 8 * place for place, part in enumerate(most)) + last)


def _part(part: str) -> int:
    if not _NUMBER.fullmatch(part):  # int() would read 1_0 and -1
        raise ValueError(part)
    if part.startswith("0x"):
        return int(part, 16)
    return int(part, 8 if part.startswith("0") else 10)


def _is_numeric(host: str) -> bool:
    return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def _path(path: str) -> str | None:
    if not path.startswith("/"):
        path = "/" + path if not path.startswith("\\") else path
    if _PLAIN.fullmatch(path):
        return path
    before, mark, query = path.partition("?")
    try:
        return quote(before.replace("\\", "/"), safe=_IN_PATH) + mark + quote(query, safe=_IN_QUERY)
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
