"""Hosts that opt out of collection: by X-Robots-Tag headers, and by robots.txt when the settings ask for it."""

from collections import OrderedDict
from collections.abc import Iterable

from counterpoint.acquire.web.urls import Target
from counterpoint.errors import CounterpointError

try:
    from protego import Protego
except ImportError as error:
    raise CounterpointError("Reading robots.txt needs the extra counterpoint[acquire].") from error

ROBOT = "counterpoint"
"""The name with which a host may address Counterpoint."""
REFUSALS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
"""``none`` is short for noindex and nofollow."""
MAX_ROBOTS_BYTES = 512 << 10
"""The part of a robots.txt that is read. RFC 9309 demands at least 500 KiB."""
MAX_HOSTS = 10_000
"""The number of hosts whose robots.txt is remembered."""

_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})


def opts_out(tags: Iterable[str]) -> bool:
    """Return whether values of X-Robots-Tag refuse Counterpoint.

    The part after the name of another robot applies to that robot only.

    >>> opts_out(["all, NoAI"]), opts_out(["counterpoint: noindex"]), opts_out(["otherbot: noindex, noai"])
    (True, True, False)
    >>> opts_out(["max-image-preview: large, noindex"])
    True
    """
    return any(_refuses(tag.lower()) for tag in tags)


def _refuses(tag: str) -> bool:
    is_ours = True
    for part in tag.split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip() not in _WITH_VALUE:
            is_ours = name.strip() in (ROBOT, "*")
            part = rest  # noqa: PLW2901
        if is_ours and part.strip() in REFUSALS:
            return True
    return False


class Robots:
    """The rules in the robots.txt of each host, and the files that are being read."""

    def __init__(self) -> None:
        self._rules: OrderedDict[str, Protego | bool] = OrderedDict()
        self._being_read: set[str] = set()

    def allows(self, target: Target) -> bool | None:
        """Return whether *target* may be fetched. None means that its host's robots.txt is not known."""
        rules = self._rules.get(_origin(target))
        return rules if rules is None or isinstance(rules, bool) else rules.can_fetch(target.url, ROBOT)

    def claim(self, target: Target) -> Target | None:
        """Return the URL of the robots.txt for *target* to the first caller. None: another job reads it."""
        origin = _origin(target)
        if origin in self._being_read:
            return None
        self._being_read.add(origin)
        return target._replace(url=f"{origin}/robots.txt")

    def learn(self, target: Target, status: str, body: bytes = b"") -> None:
        """Store the result of the request for a robots.txt.

        RFC 9309 takes a server error as a refusal of everything, and a missing file as a permission.

        Parameters
        ----------
        target
            *target* is a URL of the host.
        status
            *status* is the status of the request for the robots.txt.
        body
            *body* is its content, if *status* is "ok".
        """
        origin = _origin(target)
        self._being_read.discard(origin)
        self._rules[origin] = _read(body) if status == "ok" else status != "http_5xx"
        if len(self._rules) > MAX_HOSTS:
            self._rules.popitem(last=False)


def _origin(target: Target) -> str:
    return target.url[: target.url.index("/", len(target.scheme) + 3)]


def _read(body: bytes) -> Protego | bool:
    try:
        return Protego.parse(body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace"))
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError):  # an untrusted file, without rules
        return True
