"""The check of one URL by the guard of a fetcher, as a pure function."""

from counterpoint.acquire.web.address_guard import AddressGuard
from counterpoint.config.acquire import Guard


def checked_url(url: str, rules: Guard) -> tuple[str | None, str | None]:
    """Return (the URL in its one spelling, None), or (None, the status of its refusal).

    >>> checked_url("HTTP://Bücher.example/a b.jpg#top", Guard())
    ('http://xn--bcher-kva.example/a%20b.jpg', None)
    >>> checked_url("http://0x7f.1/", Guard()), checked_url("file:///etc/passwd", Guard())
    ((None, 'blocked_address'), (None, 'url_scheme'))
    """
    target = AddressGuard(rules, record=lambda *_event, **_fields: None).check(url, slot=0)
    return (None, target) if isinstance(target, str) else (target.url, None)
