"""The address of the page: a loopback address, unless the network is allowed by name, and a socket bound to it."""

import socket
from ipaddress import ip_address
from typing import NamedTuple

from counterpoint.errors import ConfigError

LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    """The host and the port of the page.

    >>> Address("127.0.0.1", 8000).origin, Address("::1", 80).authority
    ('http://127.0.0.1:8000', '[::1]')
    """

    host: str
    port: int

    @property
    def authority(self) -> str:
        """The header ``Host`` of each request of a browser for the page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 80 else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The header ``Origin`` of each request that the page itself makes."""
        return f"http://{self.authority}"


def checked_host(host: str, *, allow_network: bool) -> str:
    """Return *host* as an address of this machine.

    Raises
    ------
    ConfigError
        When it is no address, is an address of the network without *allow_network*, or is all addresses at once.

    Examples
    --------
    >>> checked_host("localhost", allow_network=False)
    '127.0.0.1'
    >>> checked_host("192.0.2.7", allow_network=False)
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: --host 192.0.2.7 is an address of the network. Allowed: 127.0.0.1, ::1, or \
--allow-network as well.
    """
    try:
        found = ip_address(LOOPBACK if host == "localhost" else host)
    except ValueError:
        raise ConfigError(f"--host {host} is no IP address. Allowed: 127.0.0.1, ::1, localhost.") from None
    if found.is_unspecified:  # with one address, the header Host can be checked
        raise ConfigError(f"--host {host} means all addresses. Name one address of this machine, such as {LOOPBACK}.")
    if not found.is_loopback and not allow_network:
        raise ConfigError(
            f"--host {host} is an address of the network. Allowed: 127.0.0.1, ::1, or --allow-network as well."
        )
    return str(found)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at *host* and *port* (0: a free port).

    Raises
    ------
    ConfigError
        When the port is in use or not allowed, or *host* is no address of this machine.

    Examples
    --------
    >>> with listen("127.0.0.1", 0) as listening:
    ...     listening.getsockname()[0]
    '127.0.0.1'
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(16)
    except OSError as error:
        found.close()
        raise ConfigError(
            f"{Address(host, port).origin} cannot be opened: {error.strerror}. "
            "Allowed: a --host of this machine with a free --port."
        ) from error
    return found
