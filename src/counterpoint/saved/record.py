"""The record of a saved model: what it is, what it was trained on, and the doubt that ships with it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from counterpoint import __version__
from counterpoint.artifacts import are_true, digests, read_sealed, write_sealed
from counterpoint.errors import ConfigError, SavedModelError

RECORD, FIT, REFERENCE, CARD = "counterpoint.json", "fit", "training.safetensors", "README.md"
UNREAD = (CARD, "LICENSE")
"""Files that may be edited or added, because nothing reads them.  So may hidden files, as of git or of a hub."""
FORMAT = 1
_FORM = {
    "format": int, "version": str, "contender": str, "kind": str, "modalities": list, "classes": list, "metric": str,
    "text": dict, "trained_on": dict, "encoders": list, "trusted": list, "study": dict, "files": dict,
}  # fmt: skip


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the *record* of a model, with the digest of each other file in *folder* except its card.

    The card is for people, who may add to it.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (RECORD, CARD)]
    write_sealed(folder / RECORD, {**record, "files": digests(folder, files)})


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of the model in *folder*, all of whose files are as they were written.

    The files `UNREAD` and hidden files may be edited or added.

    Raises
    ------
    SavedModelError
        When there is none, when a file was changed or added, or when it was saved by a later version.
    """
    if not (folder / RECORD).is_file():
        raise SavedModelError(f"{folder} holds no saved model: it has no {RECORD}. counterpoint save writes one.")
    found = read_sealed(folder / RECORD, _FORM)
    if found is None or not _is_record(found):
        raise SavedModelError(f"{folder / RECORD} is damaged or was changed. Save the model again.")
    if found["format"] != FORMAT:
        raise SavedModelError(
            f"{folder} has format {found['format']}, written by version {found['version']}. "
            f"This is version {__version__}, which reads format {FORMAT}."
        )
    changed = [name for name, digest in found["files"].items() if not are_true(folder, {name: digest})]
    if changed or not any(name.startswith(f"{FIT}/") for name in found["files"]):
        raise SavedModelError(f"{folder / (changed or [FIT])[0]} is missing or was changed. Save the model again.")
    for name in _others(folder, found["files"]):
        raise SavedModelError(f"{folder / name} is no file of the saved model. Move it to another folder.")
    return found


def _others(folder: Path, listed: Mapping[str, str]) -> Iterator[str]:
    """Yield each file that is not *listed*, and each link to a folder.  A hub may keep single files as links."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*links, *sorted(files)):
            path = Path(place, name).relative_to(folder).as_posix()
            if not (name.startswith(".") or path in listed or path in (RECORD, *UNREAD)):
                yield path


def check_outside(folder: Path, out: Path) -> None:
    """Raise ConfigError where *out* is in the *folder* of a saved model, which allows no other file.

    >>> check_outside(Path("model"), Path("model/../predictions.parquet"))
    """
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(folder)):
        raise ConfigError(f"--out {out} is in the folder of the model. Name a file outside of it.")


def _is_record(found: Mapping[str, Any]) -> bool:
    """Return whether the lists of a record hold what they should.  A stranger can write a record."""
    names = [each.get("name") if isinstance(each, dict) else None for each in found["encoders"]]
    texts = [*names, *found["classes"], *found["trusted"], *found["files"].values()]
    is_read = all(each in ("text", "image") for each in found["modalities"])
    return is_read and all(isinstance(each, str) for each in texts)


def holds_model(folder: Path) -> bool:
    """Report whether *folder* looks like that of a saved model.

    >>> holds_model(Path("nowhere"))
    False
    """
    return (folder / RECORD).exists()
