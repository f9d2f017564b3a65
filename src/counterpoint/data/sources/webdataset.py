"""Tar shards as img2dataset and webdataset lay them out: of each key an image, a ``.txt`` and a ``.json``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import polars as pl

from counterpoint.data.sources.base import REASON, Source, files_of, no_column, row_frames, stamp
from counterpoint.errors import SourceError
from counterpoint.formats.tables import is_text, plain
from counterpoint.formats.tars import Cut, Sample, read_tar
from counterpoint.formats.urls import host_of
from counterpoint.schema import Frame

PEEK_SAMPLES = 1000
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

    The id is the sample's key as it stands: a key that comes again is for the clean stage to refuse.  A sample without
    an image or a text has null there.  A row leaves at once when its json is broken (``bad_json``) or its text is not
    UTF-8 (``bad_text``); a shard that breaks off adds one such row (``truncated_shard``, its id the shard's name), as
    does one of several shards that cannot be read at all (``unreadable_shard``).

    Parameters
    ----------
    path
        *path* is a tar, a folder of tars, or a glob such as ``shards/*.tar``.
    label
        *label* is the json field that holds the label; null: there is none.
    text
        *text* is the json field that holds the text; null: the text is the ``.txt``.
    extensions
        *extensions* are those of images, the first that a sample has counts; null: any, the first in the tar.
    """

    kind: Literal["webdataset"] = "webdataset"
    path: Path
    label: str | None = None
    text: str | None = None
    extensions: tuple[str, ...] | None = None

    def rows(self, work: Path) -> Iterator[Frame]:  # noqa: ARG002 - the images stay where they are
        """Yield one row a sample, and one for each cut."""
        files = self._files()
        self._check_fields(files)
        rows = (row for file in files for row in self._shard(file, is_only=len(files) == 1))
        for frame in row_frames(rows, METADATA):
            yield frame.with_columns(host_of(pl.col("url")).alias("host"))

    def fingerprint(self) -> str:
        """Return a hash of the settings and of the shards' sizes and times."""
        return stamp(self, self._files())

    def _files(self) -> list[Path]:
        return files_of(self.path, {".tar"}, what="tar shards")

    def _check_fields(self, files: Sequence[Path]) -> None:
        """Raise when a field that the settings name is in none of the first samples."""
        if self.label is None and self.text is None:
            return
        samples = (sample for file in files for sample in _samples(file, is_only=len(files) == 1))
        found: dict[str, None] = {}
        for sample in islice(samples, PEEK_SAMPLES):
            found |= dict.fromkeys(_json(sample) or () if isinstance(sample, Sample) else ())
        for field in (self.label, self.text):
            if field is not None and field not in found:
                raise SourceError(no_column(f"No json of {files[0]} has field", field, found))

    def _shard(self, file: Path, *, is_only: bool) -> Iterator[Mapping[str, Any]]:
        for sample in _samples(file, is_only=is_only):
            row = {"id": file.name, REASON: sample} if isinstance(sample, str) else self._row(sample)
            yield {**row, "source": file.name}

    def _row(self, sample: Sample) -> dict[str, Any]:
        fields = _json(sample)
        if fields is None:
            return {"id": sample.key, REASON: "bad_json"}
        row = {
            "id": sample.key,
            "text": _decoded(sample.parts.get("txt")) if self.text is None else plain(fields.get(self.text)),
            "image": self._image(sample.images),
            "label": plain(fields.get(self.label)) if self.label is not None else None,
            "image_id": sample.key.rpartition("/")[2],
            "text_id": plain(fields.get("key")),
            "url": plain(fields.get("url")),
            "width": _whole(fields.get("width")),
            "height": _whole(fields.get("height")),
        }
        readable = all(is_text(value) for value in row.values() if isinstance(value, str))
        return row if readable else {"id": sample.key, REASON: "bad_text"}

    def _image(self, images: Mapping[str, str]) -> str | None:
        wanted: Sequence[str] = list(images) if self.extensions is None else self.extensions
        return next((images[extension] for extension in wanted if extension in images), None)


def _samples(file: Path, *, is_only: bool) -> Iterator[Sample | str]:
    """Yield the samples of a shard, and last the reason why there are no more."""
    try:
        for sample in read_tar(file):
            yield "truncated_shard" if isinstance(sample, Cut) else sample
    except SourceError:
        if is_only:
            raise
        yield "unreadable_shard"


def _json(sample: Sample) -> dict[str, Any] | None:
    """Return the fields of a sample's json, none when it has no json, or None when it is broken."""
    try:
        fields = json.loads(sample.parts.get("json", b"{}"))
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _decoded(text: bytes | None) -> str | None:
    """Return the text; bytes that are not UTF-8 become halves of characters, which no text has."""
    return None if text is None else text.decode(errors="surrogateescape").removeprefix("\ufeff")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else None
