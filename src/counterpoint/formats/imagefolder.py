"""A writer of Hugging Face's imagefolder: ``train/<label>/00000007.jpg`` and ``train/metadata.jsonl``.

The folds of a hold-out are the splits.  A pair of another fold is in the split ``train``, with its fold in the
metadata.  The metadata have the label unchanged.  A label that is no safe name of a folder gets a numbered folder.
"""

import json
import re
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from counterpoint.formats.exports import Outgoing
from counterpoint.schema import PARTS

METADATA = "metadata.jsonl"

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _-]{0,62}[A-Za-z0-9_-])?")


def write_imagefolder(pairs: Iterable[Outgoing], folder: Path) -> int:
    """Write *pairs* below *folder*, and return their number.

    The name of a file is a number that counts over all pairs.  Metadata are JSON lines: file_name, text, label, and
    the fields of the pair.

    Examples
    --------
    >>> import tempfile
    >>> pairs = [Outgoing(b"...", "jpg", "a cat", "animal", {}), Outgoing(b"...", "png", "?", "../etc", {})]
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     n_pairs = write_imagefolder(pairs, folder)
    ...     sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    ['train/animal/00000000.jpg', 'train/class-1/00000001.png', 'train/metadata.jsonl']
    """
    names = _Names()
    n_pairs = 0
    with ExitStack() as stack:
        metadata: dict[str, IO[str]] = {}
        for n_pairs, pair in enumerate(pairs, 1):
            split = pair.fold if pair.fold in PARTS else PARTS[0]
            file_name = f"{names.folder(pair.label)}{n_pairs - 1:08d}.{pair.extension}"
            path = folder / split / file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pair.image)
            if split not in metadata:
                metadata[split] = stack.enter_context((folder / split / METADATA).open("w", encoding="utf-8"))
            row = {"file_name": file_name, "text": pair.text, "label": pair.label, **pair.fields}
            if pair.fold is not None and pair.fold != split:
                row["fold"] = pair.fold
            metadata[split].write(json.dumps(row, ensure_ascii=False) + "\n")
    return n_pairs


class _Names:
    """Names of folders, one a label.  Two labels never share one, even on disks that ignore letter case."""

    def __init__(self) -> None:
        self._folders: dict[str | None, str] = {None: ""}

    def folder(self, label: str | None) -> str:
        if label not in self._folders:
            number = len(self._folders) - 1
            taken = {name.lower() for name in self._folders.values()}
            is_plain = label is not None and _PLAIN.fullmatch(label) and not label.lower().startswith("class-")
            name = f"{label}/" if is_plain else f"class-{number}/"
            self._folders[label] = f"class-{number}/" if name.lower() in taken else name
        return self._folders[label]
