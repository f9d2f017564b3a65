"""Tar shards in the layout of img2dataset and webdataset: an image, a ``.txt`` and a ``.json`` for each key."""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr

from counterpoint.data.sources.base import REASON, Source, row_frames, stamp
from counterpoint.data.sources.messages import no_column
from counterpoint.data.sources.paths import files_of
from counterpoint.data.sources.unused_files import UnusedFiles
from counterpoint.errors import SourceError
from counterpoint.formats.hidden import HIDDEN, is_hidden
from counterpoint.formats.png import rgb_png
from counterpoint.formats.tables import is_text, json_text
from counterpoint.formats.tars import Apart, Cut, Lost, TarSample, not_unpacked, read_tar, unpacker_of
from counterpoint.formats.urls import host_of
from counterpoint.schema import Frame

PEEK_SAMPLES = 1000
COMPRESSED = "compressed_shard"
_PACKED = re.compile(r"(?i)\.(?:tar\.\w+|tgz|tbz2?|txz)$")
METADATA: Mapping[str, Any] = {
    "label": pl.String,
    "image_id": pl.String,
    "text_id": pl.String,
    "url": pl.String,
    "width": pl.Int64,
    "height": pl.Int64,
}


class WebdatasetSource(Source):
    """Samples of tar shards, in the order of the shards.

    The id is the key of the sample.  When an earlier shard has the same key, the id is the shard's name and the key.
    A sample without an image or a text has null there.  The content of a member decides whether it is an image.

    A row leaves at once when its json is broken (``bad_json``) or its text is not UTF-8 (``bad_text``).  It also leaves
    when a member that it needs is sparse (``sparse_member``), a link to nothing in the tar (``linked_member``), no
    regular file (``special_member``) or too large (``too_large_member``).  Members of one name are one such
    row (``duplicate_member``).  A shard that breaks off is a row too (``truncated_shard``), with the shard's name as
    its id.  So is a shard, one of several, that cannot be read (``unreadable_shard``) or is compressed
    (``compressed_shard``).

    Parameters
    ----------
    path
        *path* is a tar, a folder of tars, or a glob such as ``shards/*.tar``.
    label
        *label* is the json field of the label (default: no labels).
    text
        *text* is the json field of the text (default: the text is the ``.txt``).
    extensions
        *extensions* are the extensions of images, in order of preference (default: the first image in the tar).
    text_id
        *text_id* is a json field that should equal the last part of the key, such as "key".  Alignment refuses a pair
        where it does not.
    """

    kind: Literal["webdataset"] = "webdataset"
    path: Path
    label: str | None = None
    text: str | None = None
    extensions: tuple[str, ...] | None = None
    text_id: str | None = None

    _unused: UnusedFiles = PrivateAttr(default_factory=UnusedFiles)

    def rows(self, work: Path) -> Iterator[Frame]:  # the images stay where they are
        """Yield one row for each sample, and one for each shard that breaks off or cannot be read."""
        files = self._files()
        self._check_fields(files)
        self._unused.clear()
        self._note_unused(files)
        seen: set[int] | None = set() if len(files) > 1 else None
        rows = (row for file in files for row in self._shard(file, seen))
        for frame in row_frames(rows, METADATA):
            yield frame.with_columns(host_of(pl.col("url")).alias("host"))

    def findings(self) -> list[dict[str, str]]:
        """Return a finding on the files next to the shards, and the members in them, that became no row."""
        return self._unused.findings()

    def fingerprint(self) -> str:
        """Return a hash of the settings, and of the sizes and times of the shards."""
        return stamp(self, self._files())

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Write a shard of one sample."""
        members = {"0.png": rgb_png(np.zeros((16, 16, 3), np.uint8)), "0.txt": b"a cat", "0.json": b'{"label": "cat"}'}
        with tarfile.open(folder / "0.tar", "w") as tar:
            for name, body in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(body)
                tar.addfile(member, BytesIO(body))
        return cls(path=folder, label="label")

    def _files(self) -> list[Path]:
        """Return the tars, and the compressed ones among them."""
        try:
            found = files_of(self.path, {".tar"}, what="tar shards")
        except SourceError as error:
            if packed := _packed_in(self.path.expanduser().absolute()):
                raise SourceError(not_unpacked(packed[0])) from error
            raise
        folder = self.path.expanduser().absolute()
        return sorted([*found, *(_packed_in(folder) if folder.is_dir() else [])])

    def _note_unused(self, files: Sequence[Path]) -> None:
        """Count the files in the folder of the shards that are no shards."""
        folder = self.path.expanduser().absolute()
        for file in sorted(set(folder.iterdir() if folder.is_dir() else ()) - set(files)):
            if not file.is_dir():
                self._unused.add(HIDDEN if is_hidden(file.name) else "not a shard", file.name)

    def _check_fields(self, files: Sequence[Path]) -> None:
        """Raise when a field that the settings name is in none of the first samples."""
        wanted = [field for field in (self.label, self.text, self.text_id) if field is not None]
        if not wanted:
            return
        read = (item for file in files for item in _items(file, is_only=len(files) == 1))
        samples = (item for item in read if isinstance(item, TarSample))
        found: dict[str, None] = {}
        for sample in islice(samples, PEEK_SAMPLES):
            found |= dict.fromkeys(_json(sample) or ())
        for field in wanted:
            if field not in found:
                raise SourceError(no_column(f"No json of {files[0]} has field", field, found))

    def _shard(self, file: Path, seen: set[int] | None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a shard.  *seen* are hashes of the keys of earlier shards, or None for a single shard."""
        own: set[int] = set()
        for item in _items(file, is_only=seen is None):
            if isinstance(item, Apart):
                self._unused.add(item.reason, f"{file.name}#{item.name}")
                continue
            row = {"id": file.name, REASON: item} if isinstance(item, str) else self._row(item)
            if seen is not None and not isinstance(item, str):
                own.add(hash(item.key))
                row["id"] = f"{file.name}/{item.key}" if hash(item.key) in seen else item.key
            yield {**row, "source": file.name}
        if seen is not None:
            seen |= own

    def _row(self, sample: TarSample | Lost) -> dict[str, Any]:
        if isinstance(sample, Lost):
            return {"id": sample.key, REASON: sample.reason}
        fields = _json(sample)
        if fields is None:
            return {"id": sample.key, REASON: "bad_json"}
        row = {
            "id": sample.key,
            "text": _decoded(sample.parts.get("txt")) if self.text is None else json_text(fields.get(self.text)),
            "image": self._image(sample.images),
            "label": json_text(fields.get(self.label)) if self.label is not None else None,
            "url": json_text(fields.get("url")),
            "width": _whole(fields.get("width")),
            "height": _whole(fields.get("height")),
        }
        if self.text_id is not None:
            row |= {"image_id": sample.key.rpartition("/")[2], "text_id": json_text(fields.get(self.text_id))}
        if any(not is_text(value) for value in row.values() if isinstance(value, str)):
            return {"id": sample.key, REASON: "bad_text"}
        return row | {REASON: _cause(sample, row)}

    def _image(self, images: Mapping[str, str]) -> str | None:
        wanted: Sequence[str] = list(images) if self.extensions is None else self.extensions
        return next((images[extension] for extension in wanted if extension in images), None)


def _items(file: Path, *, is_only: bool) -> Iterator[TarSample | Lost | Apart | str]:
    """Yield the samples of a shard, and last the reason when it ends too early."""
    if file.suffix.lower() != ".tar":
        yield COMPRESSED
        return
    try:
        for item in read_tar(file):
            yield "truncated_shard" if isinstance(item, Cut) else item
    except SourceError:
        if is_only:
            raise
        yield COMPRESSED if unpacker_of(file) else "unreadable_shard"


def _packed_in(path: Path) -> list[Path]:
    """Return the compressed tars of a folder, or *path* itself if it is one."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in files if _PACKED.search(file.name) and file.is_file() and not is_hidden(file.name)]


def _cause(sample: TarSample, row: Mapping[str, Any]) -> str | None:
    """Return the reason why a missing part of the row could not be read."""
    lacks = [name for name in ("text", "image") if row[name] is None]
    for extension, reason in sample.lost.items():
        part = {"txt": "text", "json": "json"}.get(extension, "image")
        if part in lacks or part == "json":
            return reason
    return None


def _json(sample: TarSample) -> dict[str, Any] | None:
    """Return the fields of a sample's json: an empty dict without a json, None when it is broken."""
    try:
        fields = json.loads(sample.parts.get("json", b"{}"))
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _decoded(text: bytes | None) -> str | None:
    """Return the text.  Bytes that are not UTF-8 become lone surrogates, which no text contains."""
    return None if text is None else text.decode(errors="surrogateescape").removeprefix("\ufeff")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else None
