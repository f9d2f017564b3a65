"""The addresses that no request may reach: all but those of the public internet.

Pure functions that look up no name. `counterpoint.acquire.web.address_guard` asks them for each URL and each socket.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from counterpoint.errors import ConfigError

IPNetwork = IPv4Network | IPv6Network

_DENIED: dict[str, tuple[str, ...]] = {
    "this network": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "shared": ("100.64.0.0/10",),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "site-local": ("fec0::/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "relay": ("192.88.99.0/24",),
    "compatible": ("::/96",),
    "translated locally": ("64:ff9b:1::/48",),
    "special": ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001::/23", "100::/64", "5f00::/16"),
    "documentation": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
}
"""The special-purpose registries of IANA, and networks missing there. ``is_global`` differs between Python versions."""
_REFUSED = [(reason, ip_network(network)) for reason, networks in _DENIED.items() for network in networks]

_MAPPED = ip_network("::ffff:0:0/96")
_WRAPPED = {
    "NAT64": (ip_network("64:ff9b::/96"), 0, 0),
    "local NAT64": (ip_network("64:ff9b:1::/48"), 0, 0),
    "6to4": (ip_network("2002::/16"), 80, 0),
    "Teredo client": (ip_network("2001::/32"), 0, 0xFFFFFFFF),
    "Teredo server": (ip_network("2001::/32"), 64, 0),
}
"""IPv6 networks with an IPv4 address inside: the network, the bits from the end of the address, and a mask for xor."""
_ISATAP = 0x5EFE


@lru_cache(maxsize=64)
def allowed_networks(allow_address: tuple[str, ...]) -> tuple[IPNetwork, ...]:
    """Return the networks of ``guard.allow_address``.

    Raises
    ------
    ConfigError
        When one of them is not a network.
    """
    try:
        return tuple(ip_network(network) for network in allow_address)
    except ValueError as error:
        raise ConfigError(f"guard.allow_address: {error}. It takes networks such as 127.0.0.1/32.") from error


def denied(address: str, allowed: tuple[IPNetwork, ...] = ()) -> str | None:
    """Return the reason why nothing may connect to *address*, or None.

    An IPv4 address inside an IPv6 address is checked too. *allowed* networks apply to the address as it is written,
    and to the inner address of ``::ffff:0:0/96`` only.

    >>> denied("127.0.0.1"), denied("2002:a00:1::"), denied("::ffff:8.8.8.8"), denied("8.8.8.8")
    ('loopback', '6to4 of private', None, None)
    >>> denied("127.0.0.1", allowed_networks(("127.0.0.0/8",)))
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return "no address"
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        return "zone"
    if _is_in(ip, allowed):
        return None
    if isinstance(ip, IPv6Address):
        if ip in _MAPPED:
            return denied(str(IPv4Address(int(ip) & 0xFFFFFFFF)), allowed)
        if wrapped := _wrapped(ip):
            return wrapped
    reason = next((reason for reason, network in _REFUSED if ip in network), None)
    return reason or (None if ip.is_global else "not global")


def _wrapped(ip: IPv6Address) -> str | None:
    """Return the reason why an IPv4 address within *ip* is denied."""
    for how, (network, shift, mask) in _WRAPPED.items():
        if ip in network and (reason := denied(str(IPv4Address((int(ip) >> shift & 0xFFFFFFFF) ^ mask)))):
            return f"{how} of {reason}"
    if int(ip) >> 32 & 0xFDFFFFFF == _ISATAP and (reason := denied(str(IPv4Address(int(ip) & 0xFFFFFFFF)))):
        return f"ISATAP of {reason}"
    return None


def _is_in(ip: IPv4Address | IPv6Address, networks: Iterable[IPNetwork]) -> bool:
    return any(ip in network for network in networks)
