"""Names of folds in data sets: of folders, of files, and in the values of a column."""

import re
from collections.abc import Collection, Mapping
from pathlib import PurePath

FOLD_NAMES: Mapping[str, str] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
    "eval": "eval", "evaluation": "eval",
}  # fmt: skip
"""The fold of each name in lower case.  The split decides whether ``eval`` is a test or a validation fold."""
_WORDS = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9])")

_SUFFIX = re.compile(r"(?:[ _-]?(?:19|20)[0-9]{2}|[ _-](?:set|split|data|images|imgs))+$")
"""A usual end of a folder name after the fold: the year of a data set, or a word for its files."""


def fold_of(name: str) -> str | None:
    """Return the fold that the *name* of a folder means, in any letter case, or None.

    ``train2017`` and ``test_images`` mean a fold, ``train station`` means none.

    Examples
    --------
    >>> fold_of("Training"), fold_of("VAL"), fold_of("dogs")
    ('train', 'validation', None)
    >>> fold_of("train2017"), fold_of("Test_Set"), fold_of("test-tube")
    ('train', 'test', None)
    """
    return FOLD_NAMES.get(_SUFFIX.sub("", name.strip().lower()))


def folds_of_files(files: Collection[PurePath], root: PurePath) -> dict[PurePath, str]:
    """Return the fold of each file where every path below *root* names a fold, else an empty dictionary.

    ``train-00000-of-00001.parquet``, ``captions_val.csv`` and ``test/0000.parquet`` name a fold.

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
    """Return the fold that a path names: in the stem of the file, else in the nearest folder."""
    for step in (file.stem, *reversed(file.parts[:-1])):
        found = {FOLD_NAMES[word] for word in _WORDS.split(step.lower()) if word in FOLD_NAMES}
        if found:
            return found.pop() if len(found) == 1 else None
    return None
