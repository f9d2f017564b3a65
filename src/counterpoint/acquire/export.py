"""Acquired shards in the layouts of other tools: webdataset tars, an imagefolder, or the folder of the 2023 study.

Only rows with status "ok" have an image to export. The other rows are counted by status. Writes to local disks.
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
from counterpoint.formats.tar_writer import write_tars
from counterpoint.redaction import redacted_text
from counterpoint.store import Store

NO_LABEL = "no_label"
"""A reason to leave a row out, in addition to the statuses: the study's folder has places by class only."""

KNOWN = ("slot", "id", "url", "sha256", "similarity", "agreement", "nsfw", "punsafe", "pwatermark", "license")
"""Columns that are exported with an image unchanged. None of them names a file."""


@dataclass(frozen=True)
class ExportRules:
    """Choices of single layouts.

    Parameters
    ----------
    classes
        *classes* are, for study-2023, the classes in the order of their numbers, from 0 (default: alphabetical).
    resize
        *resize* is, for study-2023, the resampling of its tables' pixels: "bilinear" as published, or "area".
    samples_per_tar
        *samples_per_tar* is, for webdataset, the number of samples in a tar.
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
    """Write the acquired rows into the folder *where*, completely or not at all, and return a summary.

    Parameters
    ----------
    acquired
        *acquired* is the output of an acquisition, finished or not.
    layout
        *layout* is a key of `LAYOUTS`.
    where
        *where* is a folder on a local disk that does not exist, is empty, or holds this very export.
    rules
        *rules* are choices of single layouts (default: ``ExportRules()``).
    on_count
        *on_count* receives the number of finished rows and the number of all.

    Returns
    -------
    dict
        ``layout``, ``n_rows`` of the plan, ``n_exported``, ``left_out`` (the number of rows by status), and the fields
        of the layout. ``export.json`` in the folder has the same content.

    Raises
    ------
    ConfigError
        When the layout is unknown, or the classes are not the classes of the rows.
    RunFolderError
        When *acquired* holds no plan, *where* holds anything else, or *where* cannot be written.
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


def _imagefolder(rows: AcquiredRows, draft: Path, rules: ExportRules) -> Exported:  # noqa: ARG001 - this layout has no choices
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
    """Write README.txt for readers of the folder, and return its facts."""
    classes = {str(number): name for name, number in numbers.items()}
    folders = {str(number): folder_of(number, len(numbers)) for number in numbers.values()}
    lines = [f"images/{folders[number]}/{number}_<n>.jpg  class {number}: {name!r}. Row n (from 0) of "
             f"{folders[number]}Data.csv describes it." for number, name in classes.items()]  # fmt: skip
    text = README.format(classes="\n".join(lines), kept=kept, resize=resize)
    (draft / "README.txt").write_text(text, encoding="utf-8")
    return {"classes": classes, "folders": folders, "kept": kept, "resize": resize, "side_px": SIDE_PX}


README = """\
Images and descriptions in the layout of Razzak and Akhtar, "Comparative Analysis of Multimodal and Single Entity
Models" (2023), written by Counterpoint.

{classes}
pixels.csv   label (the class's number), then 1x1 ... 64x64: gray 0 to 255, row by row. One row is one image.
pairs.csv    Image_name, Image_desc, label, and the same pixels
missing.csv  class, number, status: the descriptions without an image, and the reason
export.json  the number of rows, and the number of rows left out, by status

Pixels are 64 x 64, and the aspect is not kept. They are resized by "{resize}" ("bilinear": to the bit as cv2.resize
does it by default, as published, or "area": averaged). They are made from the stored form of each image, "{kept}".
Pixels like the authors' need the form "original". With "jpeg-256" an image was averaged to 256 px first. With "gray-64"
its stored pixels are averaged. An image that was not stored as a JPEG was encoded as one for its file, after its pixels
were taken. The authors kept their descriptions in Excel files. Here they are CSV files in UTF-8.
"""


def _outgoing(rows: AcquiredRows) -> Iterator[Outgoing]:
    """Yield the rows with an image, and count the others."""
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
    """Return *value* as JSON can hold it: JSON has no not-a-number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


LAYOUTS: Mapping[str, Callable[[AcquiredRows, Path, ExportRules], Exported]] = {
    "webdataset": _webdataset,
    "imagefolder": _imagefolder,
    "study-2023": _study2023,
}
"""The layouts to which acquired shards can be exported."""
