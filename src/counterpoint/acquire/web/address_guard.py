"""The guard of one fetcher: it refuses addresses and records each refusal."""

from collections.abc import Callable
from functools import lru_cache, partial

from counterpoint.acquire.web.guard import allowed_networks, denied
from counterpoint.acquire.web.urls import Target, parse_url
from counterpoint.config.acquire import Guard
from counterpoint.safe_text import log_line


class AddressGuard:
    """Checks URLs and addresses against the section ``guard``.

    Parameters
    ----------
    rules
        *rules* is the section ``guard``.
    record
        *record* is called as ``record("address_refused", slot=..., host=..., address=..., reason=...)``.

    Raises
    ------
    ConfigError
        When ``guard.allow_address`` has a value that is no network.

    Examples
    --------
    >>> AddressGuard(Guard(), record=lambda event, **fields: print(event, fields)).check("http://127.1/", slot=7)
    address_refused {'slot': 7, 'host': '127.0.0.1', 'address': '127.0.0.1', 'reason': 'loopback'}
    'blocked_address'
    """

    def __init__(self, rules: Guard, *, record: Callable[..., None]) -> None:
        self._rules, self._record = rules, record
        # The cache has the address as its only key: a hash of the networks takes longer than the rest of a lookup.
        self._denied = lru_cache(65536)(partial(denied, allowed=allowed_networks(rules.allow_address)))

    def check(self, url: str, slot: int) -> Target | str:
        """Return the target of *url*, or the status with which its row ends without a request."""
        target = parse_url(url, max_url_bytes=self._rules.max_url_bytes)
        if not isinstance(target, str) and target.is_address and self.refuse(target.host, target.host, slot):
            return "blocked_address"
        return target

    def refuse(self, address: str, host: str, slot: int) -> str | None:
        """Return the reason to refuse *address*, and record the refusal. None allows a connection.

        Parameters
        ----------
        address
            *address* is an IPv4 or IPv6 address without brackets.
        host
            *host* is the host name that resolved to it.
        slot
            *slot* is the slot of the request.
        """
        reason = self._denied(address)
        if reason is not None:
            self._record("address_refused", slot=slot, host=log_line(host), address=log_line(address), reason=reason)
        return reason
