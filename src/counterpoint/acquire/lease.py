"""The lease on an output folder: one run at a time, and no commit by a run that is over.

``run.json`` records the present run, its start and its recent progress. It stays after the end of the run. The lease
may lie in an object store, which has no locks. The last run that wrote it therefore holds it, and every commit checks
it first.
"""

import os
import socket
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import uuid4

from counterpoint.acquire.event_log import age_s, now
from counterpoint.errors import RunFolderError
from counterpoint.store import Store

NAME = "run.json"
STALE_S = 60.0
"""A run without a renewed lease for this long is dead, on any machine."""


@dataclass(frozen=True)
class Lease:
    """The run that acquires into a folder. *pace* is its last reported pace."""

    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    token: str = field(default_factory=lambda: uuid4().hex)
    began: str = field(default_factory=now)
    renewed: str = field(default_factory=now)
    is_over: bool = False
    pace: dict[str, Any] = field(default_factory=dict)

    def is_alive(self) -> bool:
        """Return whether the run that holds the lease may still be running."""
        if self.is_over or age_s(self.renewed) > STALE_S:
            return False
        return self.host != socket.gethostname() or _is_running(self.pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read_lease(store: Store) -> Lease | None:
    """Return the lease of the newest run, or None without a readable one."""
    found = store.read_json(NAME)
    try:
        return Lease(**found)
    except TypeError:
        return None


def take_lease(store: Store) -> Lease:
    """Return a new lease on the folder of *store*.

    Raises
    ------
    RunFolderError
        When another run is at work there.
    """
    held = read_lease(store)
    if held is not None and held.is_alive():
        raise RunFolderError(
            f"{store.url} is being written by process {held.pid} on {held.host} since {held.began}. Wait for its end, "
            f"or end it. If it is not running, try again {STALE_S:.0f} s after its last sign of life."
        )
    lease = Lease()
    store.write_json(NAME, asdict(lease))
    check_lease(store, lease.token)
    return lease


def renew(store: Store, lease: Lease, *, pace: dict[str, Any], is_over: bool = False) -> Lease:
    """Return *lease*, renewed in the folder, unless another run holds it by now.

    Parameters
    ----------
    store
        *store* is the output folder.
    lease
        *lease* is the lease of this run.
    pace
        *pace* are the fields of `counterpoint.acquire.account.Pace`.
    is_over
        *is_over* marks the end of the run.

    Raises
    ------
    RunFolderError
        When another run has taken over.
    """
    check_lease(store, lease.token)
    renewed = replace(lease, renewed=now(), pace=pace, is_over=is_over)
    store.write_json(NAME, asdict(renewed))
    return renewed


def check_lease(store: Store, token: str) -> None:
    """Raise `RunFolderError` unless the run with *token* may write to the folder of *store*."""
    held = read_lease(store)
    if held is None or held.token != token or held.is_over:
        raise RunFolderError(f"Another run took over {store.url}. This run ends, and its finished shards are kept.")
