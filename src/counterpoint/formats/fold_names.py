"""How data sets call their folds: the names of folders, of files, and the values of a column."""

import re
from collections.abc import Collection, Mapping
from pathlib import PurePath

FOLD_NAMES: Mapping[str, str] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
    "eval": "eval", "evaluation": "eval",
}  # fmt: skip
"""From each name, in lower case, to its fold.  The split decides whether ``eval`` is a test or a validation fold."""
_WORDS = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9])")

_BESIDE = re.compile(r"(?:[ _-]?(?:19|20)[0-9]{2}|[ _-](?:set|split|data|images|imgs))+$")
"""What often stands after the fold in the name of a folder: the year of a data set, or a word for its files."""


def fold_of(name: str) -> str | None:
    """Return the fold that a folder of this *name* holds, in any letter case, or None.

    ``train2017`` and ``test_images`` are such names, ``train station`` is none.

    Examples
    --------
    >>> fold_of("Training"), fold_of("VAL"), fold_of("dogs")
    ('train', 'validation', None)
    >>> fold_of("train2017"), fold_of("Test_Set"), fold_of("test-tube")
    ('train', 'test', None)
    """
    return FOLD_NAMES.get(_BESIDE.sub("", name.strip().lower()))


def folds_of_files(files: Collection[PurePath], root: PurePath) -> dict[PurePath, str]:
    """Return the fold of each file, where all names, seen from *root*, say a fold; else nothing.

    ``train-00000-of-00001.parquet``, ``captions_val.csv`` and ``test/0000.parquet`` do.

    Examples
    --------
    >>> files = [PurePath("d/train-00000-of-00001.parquet"), PurePath("d/validation-00000-of-00001.parquet")]
    >>> list(folds_of_files(files, PurePath("d")).values())
    ['train', 'validation']
    >>> folds_of_files([*files, PurePath("d/more.parquet")], PurePath("d"))
    {}
    """
    folds = {file: fold for file in files if (fold := _fold_of_file(file.relative_to(root)))}
    return folds if len(folds) == len(files) else {}


def _fold_of_file(file: PurePath) -> str | None:
    """Return the fold that the nearest step of a path names: its own stem, then the folder that it is in."""
    for step in (file.stem, *reversed(file.parts[:-1])):
        found = {FOLD_NAMES[word] for word in _WORDS.split(step.lower()) if word in FOLD_NAMES}
        if found:
            return found.pop() if len(found) == 1 else None
    return None
