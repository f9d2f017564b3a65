"""Acquired shards in other people's layouts: webdataset tars, an imagefolder, or the folder of the 2023 study.

Only rows that ended "ok" have an image to export; the others are counted by status.  Writes to local disks.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from counterpoint.acquire.acquired_rows import AcquiredRows
from counterpoint.artifacts import key_of
from counterpoint.errors import ConfigError, ImageError, did_you_mean
from counterpoint.features.bilinear import SIDE_PX, Resize, gray_square
from counterpoint.features.chunks import OnCount, ignore_count
from counterpoint.features.decode import decode, header
from counterpoint.features.resize import ANY
from counterpoint.formats.exports import Exported, Outgoing, export_once
from counterpoint.formats.imagefolder import write_imagefolder
from counterpoint.formats.stored_images import file_extension, jpeg_of
from counterpoint.formats.study2023 import StudyFolder, class_numbers, folder_of
from counterpoint.formats.tars import write_tars
from counterpoint.redaction import redacted_text
from counterpoint.store import Store

NO_LABEL = "no_label"
"""Beside the statuses, why a row is left out: the study's folder has places by class only."""

KNOWN = ("slot", "id", "url", "sha256", "similarity", "nsfw", "punsafe", "pwatermark", "license")
"""Columns that go beside an image as they are; none of them names a file."""


@dataclass(frozen=True)
class ExportRules:
    """Choices of single layouts.

    Parameters
    ----------
    classes
        *classes* are, for study-2023, the classes in the order of their numbers, from 0 (default: alphabetical).
    resize
        *resize* is, for study-2023, how its tables' pixels are made: "bilinear" as published, or "area".
    samples_per_tar
        *samples_per_tar* is, for webdataset, how many samples a tar has.
    """

    classes: Sequence[str] | None = None
    resize: Resize = "bilinear"
    samples_per_tar: int = 10_000


def export(
    acquired: Store | Path | str,
    layout: str,
    where: Path | str,
    *,
    rules: ExportRules | None = None,
    on_count: OnCount = ignore_count,
) -> Exported:
    """Write what was acquired into the folder *where*, whole or not at all, and return the account of it.

    Parameters
    ----------
    acquired
        *acquired* is the output of an acquisition, finished or not.
    layout
        *layout* is a key of `LAYOUTS`.
    where
        *where* is a folder on a local disk that is not there yet, is empty, or holds this very export.
    rules
        *rules* are choices of single layouts.
    on_count
        *on_count* is told of progress.

    Returns
    -------
    dict
        ``layout``, ``n_rows`` of the plan, ``n_exported``, ``left_out`` (how many rows, by status), and what the layout
        has beside.  The same stands in ``export.json`` of the folder.

    Raises
    ------
    ConfigError
        When there is no such layout, or the classes are not those of the rows.
    RunFolderError
        When *acquired* holds no plan, or *where* holds anything else or cannot be written.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"Unknown layout {layout!r}.{did_you_mean(layout, LAYOUTS)}")
    rows = AcquiredRows(acquired if isinstance(acquired, Store) else Store(acquired), on_count=on_count)
    rules = rules or ExportRules()
    key = key_of("export", layout, [rules.classes, rules.resize, rules.samples_per_tar], rows.fingerprint())
    return export_once(Path(where), key, partial(_write, rows, layout, rules))


def _write(rows: AcquiredRows, layout: str, rules: ExportRules, draft: Path) -> Exported:
    extra = LAYOUTS[layout](rows, draft, rules)
    left_out = dict(sorted(rows.left_out.items()))
    n_exported = rows.plan.n_rows - sum(left_out.values())
    return {"layout": layout, "n_rows": rows.plan.n_rows, "n_exported": n_exported, "left_out": left_out, **extra}


def _webdataset(rows: AcquiredRows, draft: Path, rules: ExportRules) -> Exported:
    write_tars(_outgoing(rows), draft, samples_per_tar=rules.samples_per_tar)
    return {"samples_per_tar": rules.samples_per_tar}


def _imagefolder(rows: AcquiredRows, draft: Path, rules: ExportRules) -> Exported:  # noqa: ARG001 - it has no choices
    write_imagefolder(_outgoing(rows), draft)
    return {}


def _study2023(rows: AcquiredRows, draft: Path, rules: ExportRules) -> Exported:
    numbers = class_numbers(rows.plan.labels, rules.classes)
    with StudyFolder(draft, numbers) as folder:
        for row in rows:
            if row["label"] is None:
                rows.left_out[NO_LABEL] += 1
                continue
            try:
                kept = rows.kept(row)
                folder.add(row["label"], row["text"], _as_jpeg(kept), gray_square(kept, resize=rules.resize))
            except ImageError as error:
                rows.left_out[error.reason] += 1
                folder.lack(row["label"], row["text"], error.reason)
    return _described(draft, numbers, kept=rows.plan.settings["keep"], resize=rules.resize)


def _described(draft: Path, numbers: Mapping[str, int], *, kept: str, resize: Resize) -> Exported:
    """Write README.txt for those who find the folder, and return what it says."""
    classes = {str(number): name for name, number in numbers.items()}
    folders = {str(number): folder_of(number, len(numbers)) for number in numbers.values()}
    lines = [f"images/{folders[number]}/{number}_<n>.jpg  class {number}: {name!r}; row n (from 0) of "
             f"{folders[number]}Data.csv describes it" for number, name in classes.items()]  # fmt: skip
    text = README.format(classes="\n".join(lines), kept=kept, resize=resize)
    (draft / "README.txt").write_text(text, encoding="utf-8")
    return {"classes": classes, "folders": folders, "kept": kept, "resize": resize, "side_px": SIDE_PX}


README = """\
Images and descriptions in the layout of Razzak and Akhtar, "Comparative Analysis of Multimodal and Single Entity
Models" (2023), written by Counterpoint.

{classes}
pixels.csv   label (the class's number), then 1x1 ... 64x64: gray 0 to 255, row by row; one row an image
pairs.csv    Image_name, Image_desc, label, and the same pixels
missing.csv  class, number, status: the descriptions without an image, and why
export.json  how many rows there were, and how many were left out, by status

Pixels are 64 x 64, the aspect not kept, resized by "{resize}" ("bilinear": to the bit as cv2.resize does it by default,
as published; "area": averaged) from what was kept of each image, "{kept}": the authors' would be made from "original";
of "jpeg-256" an image was averaged to 256 px first, of "gray-64" its pixels are as they were kept, averaged.  What was
not kept as a JPEG was encoded as one for its file, after its pixels were taken.  The authors kept their descriptions in
Excel files; these are CSV, in UTF-8.
"""


def _outgoing(rows: AcquiredRows) -> Iterator[Outgoing]:
    """Yield the rows that have an image; count the others."""
    for row in rows:
        try:
            kept = rows.kept(row)
            image_format, width_px, height_px = header(kept)
        except ImageError as error:
            rows.left_out[error.reason] += 1
            continue
        fields = {name: _plain(row[name]) for name in KNOWN} | {
            "url": None if row["url"] is None else redacted_text(row["url"]),
            "phash": None if row["phash"] is None else f"{row['phash']:016x}",
            "width": width_px,
            "height": height_px,
            "original_width": row["width_px"],
            "original_height": row["height_px"],
        }
        yield Outgoing(kept, file_extension(image_format), row["text"], row["label"], fields)


def _as_jpeg(kept: bytes) -> bytes:
    """Return the kept bytes as a JPEG: a JPEG unchanged, any other format encoded.

    >>> from counterpoint.formats.png import gray_png
    >>> header(_as_jpeg(gray_png(bytes(4096))))
    ('jpeg', 64, 64)
    """
    return kept if header(kept)[0] == "jpeg" else jpeg_of(decode(kept, limits=ANY, mode="rgb"))


def _plain(value: Any) -> Any:
    """Return a value that JSON has: it has no not-a-number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


LAYOUTS: Mapping[str, Callable[[AcquiredRows, Path, ExportRules], Exported]] = {
    "webdataset": _webdataset,
    "imagefolder": _imagefolder,
    "study-2023": _study2023,
}
"""What acquired shards can be exported to."""
