"""Who does not want to be collected: X-Robots-Tag headers, and robots.txt when it is asked for."""

from collections import OrderedDict
from collections.abc import Iterable

from counterpoint.acquire.web.urls import Target
from counterpoint.errors import CounterpointError

try:
    from protego import Protego
except ImportError as error:
    raise CounterpointError("Reading robots.txt needs the extra counterpoint[acquire].") from error

ROBOT = "counterpoint"
"""The name by which a host may address us."""
REFUSALS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
"""``none`` is short for noindex and nofollow."""
MAX_ROBOTS_BYTES = 512 << 10
"""More of a robots.txt is not read; RFC 9309 asks for 500 KiB at least."""
MAX_HOSTS = 10_000
"""How many hosts' robots.txt are remembered."""

_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})


def opts_out(tags: Iterable[str]) -> bool:
    """Say whether values of X-Robots-Tag refuse us; what follows another robot's name is for that robot.

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
    """What the robots.txt of each host allows, and who is reading one just now."""

    def __init__(self) -> None:
        self._rules: OrderedDict[str, Protego | bool] = OrderedDict()
        self._being_read: set[str] = set()

    def allows(self, target: Target) -> bool | None:
        """Say whether *target* may be fetched; None: its host's robots.txt is not known."""
        rules = self._rules.get(_origin(target))
        return rules if rules is None or isinstance(rules, bool) else rules.can_fetch(target.url, ROBOT)

    def claim(self, target: Target) -> Target | None:
        """Return where the robots.txt for *target* is, for the first who asks; None: somebody is reading it already."""
        origin = _origin(target)
        if origin in self._being_read:
            return None
        self._being_read.add(origin)
        return target._replace(url=f"{origin}/robots.txt")

    def learn(self, target: Target, status: str, body: bytes = b"") -> None:
        """Note how the robots.txt for *target* ended: RFC 9309 takes a broken host as a no, a missing file as a yes."""
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
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError):  # a stranger's file; it says nothing
        return True
