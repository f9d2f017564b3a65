"""The markers of acquired shards: the names of their files, and which shards exist."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Self

from counterpoint.store import Store

_PART = re.compile(r"(\d+)(?:\.r(\d+))?\.([a-z]+)")
_BLOCK_BYTES = 1 << 20

Part = tuple[int, int]
"""The number of a shard, and its generation."""


@dataclass(frozen=True)
class Marker:
    """The file that marks a whole shard, with the number of slots of each status.

    *replaces* counts the statuses that the slots of a retry had before.
    """

    shard: int
    generation: int
    sha256: str
    n_bytes: int
    statuses: Mapping[str, int]
    replaces: Mapping[str, int] = field(default_factory=dict)
    body_bytes: int = 0
    """Bytes of all fetched bodies of images."""
    failing_hosts: Mapping[str, int] = field(default_factory=dict)
    """The hosts with the most failures, and their counts."""

    @property
    def file(self) -> str:
        """The name of the shard's file in its store."""
        return f"shards/{shard_name(self.shard, self.generation)}.parquet"

    def write(self, store: Store) -> None:
        """Write this next to its shard."""
        store.write_json(f"shards/{shard_name(self.shard, self.generation)}.json", asdict(self))

    @classmethod
    def read(cls, store: Store, shard: int, generation: int = 0) -> Self | None:
        """Return the marker of a shard, or None unless the shard exists and has the right size.

        Parameters
        ----------
        store
            *store* is the folder of an acquisition.
        shard
            *shard* is the number of the shard.
        generation
            *generation* is 0 for the shard itself, above 0 for a retry.
        """
        found = store.read_json(f"shards/{shard_name(shard, generation)}.json")
        try:
            marker = cls(**found)
        except TypeError:
            return None
        is_its_own = (marker.shard, marker.generation) == (shard, generation)
        return marker if is_its_own and store.size(marker.file) == marker.n_bytes else None

    def is_true(self, store: Store) -> bool:
        """Return whether the shard has the bytes that were written.  Reads all of it."""
        try:
            with store.open(self.file) as file:
                digest = sha256()
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        except FileNotFoundError:
            return False
        return digest.hexdigest() == self.sha256


def shard_name(shard: int, generation: int = 0) -> str:
    """Return the name of the files of a shard, without their suffix.

    >>> shard_name(17), shard_name(17, 2)
    ('00017', '00017.r2')
    """
    return f"{shard:05d}.r{generation}" if generation else f"{shard:05d}"


def list_name(shard: int) -> str:
    """Return the name of the list of *shard*.

    >>> list_name(7)
    'plan/00007.parquet'
    """
    return f"plan/{shard_name(shard)}.parquet"


def generations_of(names: Iterable[str], ending: str) -> set[Part]:
    """Return the shard and the generation of each of *names* with this *ending*, the inverse of `shard_name`.

    >>> sorted(generations_of(["00017.json", "00017.r2.json", "00018.parquet"], "json"))
    [(17, 0), (17, 2)]
    """
    found = map(_PART.fullmatch, names)
    return {(int(match[1]), int(match[2] or 0)) for match in found if match and match[3] == ending}


def committed(store: Store) -> dict[int, list[Marker]]:
    """Return the markers of existing shards, the generations of each in order."""
    markers: dict[int, list[Marker]] = {}
    for shard, generation in sorted(generations_of(store.names("shards"), "json")):
        # A retry without the shard that it repairs is useless.
        if generation == 0 or shard in markers:
            marker = Marker.read(store, shard, generation)
            if marker is not None:
                markers.setdefault(shard, []).append(marker)
    return markers


def shard_digests(acquired: Mapping[int, Sequence[Marker]]) -> list[tuple[int, int, str]]:
    """Return (shard, generation, sha256) of each shard that `committed` found: equal lists mean equal shards.

    >>> shard_digests({0: [Marker(0, 0, "5f3a", n_bytes=9, statuses={"ok": 1})]})
    [(0, 0, '5f3a')]
    """
    markers = (marker for generations in acquired.values() for marker in generations)
    return [(marker.shard, marker.generation, marker.sha256) for marker in markers]
