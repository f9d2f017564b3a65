r"""Files that the image column of a table names, found too where a name is written otherwise but means one file only.

A path may have ``\`` for ``/``, another letter case, another Unicode form, ``file://``, no suffix, or begin with the
folders of another computer.  Of two files that it may mean, none is taken.  Does not read images.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

import polars as pl

from counterpoint.errors import name_in_quotes
from counterpoint.formats.images import split_ref
from counterpoint.formats.tars import IMAGE_EXTENSIONS

CASE, FORM, SUFFIX, TAIL = "in another letter case", "in another Unicode form", "with a suffix", "below {root}"
ANYWHERE = "by their name alone, in a folder below {root}"
SLASHES, URL, SPACES = "with / for \\", "without file://", "without white space or quotes around"
TRIED, MAX_TREE = 100, 300_000
"""Names by which the place of another computer's folders is found, and files that are looked at in a whole tree."""

_DRIVE = re.compile(r"(?:/*[A-Za-z]:)?/+")

Column = Callable[[], Iterable[pl.Series]]
"""Reads the whole image column; called at most once, and only when a name is not that of a file as it stands."""


class ImagePaths:
    r"""The files below *root* that names mean, and an account of those that were found in another way.

    A name is looked up as it stands first, which costs one look.  Only then are folders listed, each once.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "Fotos").mkdir()
    ...     Path(folder, "Fotos", "1.JPG").touch()
    ...     paths = ImagePaths(Path(folder), lambda: [])
    ...     found = paths.find(pl.Series(["fotos\\1.jpg", "2.jpg"]))
    ...     [path.removeprefix(folder) for path in found], paths.n_found
    (['/Fotos/1.JPG', '/2.jpg'], 1)
    >>> paths.account()
    ["1 image path was found with / for \\, in another letter case: 'fotos\\1.jpg' is Fotos/1.JPG"]
    """

    def __init__(self, root: Path, column: Column) -> None:
        self.root = str(root).rstrip("/")
        self.n_found = 0
        self.first_missing: tuple[str, str] | None = None
        self._column = column
        self._folders: dict[str, _Folder] = {}
        self._found: Counter[tuple[str, ...]] = Counter()
        self._examples: dict[tuple[str, ...], str] = {}
        self._tail: int | None = None
        self._is_anywhere = False

    def find(self, names: pl.Series) -> pl.Series:
        """Return the path of each name: of its file, or where it should be; null where there is no name."""
        distinct = names.drop_nulls().unique(maintain_order=True)
        counts = dict(names.value_counts().iter_rows())
        paths = [self._path(name, counts[name]) for name in distinct]
        return names.replace_strict(distinct, pl.Series(paths, dtype=pl.String), default=None, return_dtype=pl.String)

    def first_missing_of(self, names: pl.Series) -> tuple[str, str] | None:
        """Return the first of *names* and where it should be, when none of them is found; null is no name."""
        trial = ImagePaths(Path(self.root), self._column)
        trial.find(names)
        return None if trial.n_found else trial.first_missing

    def find_anywhere(self, names: pl.Series) -> bool:
        """Find names without a folder in whichever folder below the root has the one file; say whether most are there.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(folder, "cats").mkdir()
        ...     Path(folder, "cats", "1.jpg").touch()
        ...     paths = ImagePaths(Path(folder), lambda: [])
        ...     paths.find_anywhere(pl.Series(["1.jpg"])), paths.find(pl.Series(["1.jpg"]))[0].removeprefix(folder)
        (True, '/cats/1.jpg')
        """
        n_there = sum(self._tree.get(name) is not None for name in names.drop_nulls())
        self._is_anywhere = 2 * n_there > names.count()
        return self._is_anywhere

    def account(self) -> list[str]:
        """Return a line for each way in which names were found, with its count and an example."""
        return [
            f"{n:,} image path{'s were' if n > 1 else ' was'} found {', '.join(how).format(root=self.root)}: "
            + self._examples[how]
            for how, n in self._found.most_common()
        ]

    def _path(self, name: str, n_rows: int) -> str | None:
        plain = name if name.startswith("/") else f"{self.root}/{name}"
        if not name or _is_there(plain):
            self.n_found += n_rows if name else 0
            return plain if name else None
        how, path = self._otherwise(name)
        if path is None:
            self.first_missing = self.first_missing or (name, plain)
            return plain
        self.n_found += n_rows
        self._found[how] += n_rows
        self._examples.setdefault(how, f"{name_in_quotes(name)} is {path.removeprefix(f'{self.root}/')}")
        return path

    def _otherwise(self, name: str) -> tuple[tuple[str, ...], str | None]:
        """Return how *name* is to be read, and the path of the one file that it then means."""
        how, read = _as_posix(name)
        if split_ref(read)[1] is not None or re.match("(?i)[a-z][a-z0-9+.-]+://", read):
            return (), None
        if not _DRIVE.match(read):
            ways, path = self._walk(_parts(read))
            if path is None and self._is_anywhere and read in self._tree:
                return (*how, ANYWHERE), self._tree[read]
        elif _is_there(read):
            ways, path = (), read
        else:
            tail = self._tail_of(_parts(read))
            ways, path = self._walk(tail) if tail else ((), None)
            ways = (TAIL, *ways)
        is_torn = CASE in ways and _folded(read) in self._torn
        return (*how, *ways), None if is_torn else path

    def _tail_of(self, parts: list[str]) -> list[str]:
        """Return what of an absolute path stands below the root: all but the folders that every such path begins with.

        All paths lose the same folders, so that two paths never become one.
        """
        if self._tail is None:
            lost = range(1, len(self._begins) + 1)
            hits = {n: sum(self._walk(each[n:])[1] is not None for each in self._anchored[:TRIED]) for n in lost}
            self._tail = max(hits, key=lambda n: hits[n], default=0) if any(hits.values()) else 0
        begins = self._begins[: self._tail]
        return parts[self._tail :] if self._tail and parts[: self._tail] == begins else []

    def _walk(self, parts: list[str]) -> tuple[tuple[str, ...], str | None]:
        """Return the file that *parts* lead to from the root, and in which ways their names differ from it."""
        folder, ways = self.root, dict[str, None]()
        for number, part in enumerate(parts, 1):
            way, name = self._folder(folder).entry(part, is_last=number == len(parts))
            if name is None:
                return (), None
            folder = f"{folder}/{name}"
            ways |= {way: None} if way else {}
        return tuple(ways), folder if parts and Path(folder).is_file() else None

    def _folder(self, path: str) -> "_Folder":
        if path not in self._folders:
            self._folders[path] = _Folder(path)
        return self._folders[path]

    @cached_property
    def _tree(self) -> dict[str, str | None]:
        """The file of each name below the root; None where several folders have the name, or it is beyond the limit."""
        walked = ((name, f"{folder}/{name}") for folder, _, names in os.walk(self.root) for name in names)
        return _single(islice(walked, MAX_TREE))

    @cached_property
    def _names(self) -> list[str]:
        """All names of the column, each once, as POSIX has them."""
        return list(dict.fromkeys(_as_posix(name)[1] for part in self._column() for name in part.drop_nulls().unique()))

    @cached_property
    def _anchored(self) -> list[list[str]]:
        return [_parts(name) for name in self._names if _DRIVE.match(name) and not _is_there(name)]

    @cached_property
    def _begins(self) -> list[str]:
        """The folders that all absolute paths begin with which are not there."""
        folders = [parts[:-1] for parts in self._anchored]
        alike = takewhile(lambda at: len(set(at)) == 1, zip(*folders, strict=False))
        return [at[0] for at in alike]

    @cached_property
    def _torn(self) -> set[str]:
        """Names that the table has in two letter cases: they mean two files, of which at most one is there."""
        forms = Counter(_folded(name) for name in {normalize("NFC", name) for name in self._names})
        return {name for name, n in forms.items() if n > 1}


class _Folder:
    """The names in a folder, and which of them one that is written in another way means: None where it is not one."""

    def __init__(self, path: str) -> None:
        try:
            self._names = set(os.listdir(path))  # noqa: PTH208 - strings, for folders of a million
        except (OSError, ValueError):
            self._names = set()

    def entry(self, name: str, *, is_last: bool) -> tuple[str | None, str | None]:
        """Return in which way *name* differs from the entry that it means, and that entry."""
        if name == ".." or name in self._names:
            return None, name
        for way, entries, key in ((FORM, self._by_form, normalize("NFC", name)), (CASE, self._by_case, _folded(name))):
            if key in entries:
                return way, entries[key]
        if is_last and name.rpartition(".")[2].lower() not in IMAGE_EXTENSIONS:
            return SUFFIX, self._by_stem.get(normalize("NFC", name))
        return None, None

    @cached_property
    def _by_form(self) -> dict[str, str | None]:
        return _single((normalize("NFC", name), name) for name in self._names)

    @cached_property
    def _by_case(self) -> dict[str, str | None]:
        return _single((_folded(name), name) for name in self._names)

    @cached_property
    def _by_stem(self) -> dict[str, str | None]:
        parts = ((name, *name.rpartition(".")[::2]) for name in self._names)
        return _single((normalize("NFC", stem), name) for name, stem, end in parts if end.lower() in IMAGE_EXTENSIONS)


def _single(entries: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    single: dict[str, str | None] = {}
    for key, name in entries:
        single[key] = None if key in single else name
    return single


def _as_posix(name: str) -> tuple[tuple[str, ...], str]:
    r"""Return what was changed of a name, and the name as POSIX writes it.

    >>> _as_posix("file:///C:/my%20photos/1.jpg"), _as_posix("im\\1.jpg")
    ((('without file://',), 'C:/my photos/1.jpg'), (('with / for \\',), 'im/1.jpg'))
    """
    how: list[str] = []
    read = name.strip().strip("\"'")
    if read != name:
        how.append(SPACES)
    if read[:7].lower() == "file://":
        how.append(URL)
        read = re.sub(r"^/+(?=[A-Za-z]:)", "", unquote(read[7:].removeprefix("localhost")))
    if "\\" in read:
        how.append(SLASHES)
        read = read.replace("\\", "/")
    return tuple(how), read


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _folded(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())


def _is_there(path: str) -> bool:
    return os.path.isfile(split_ref(path)[0])  # noqa: PTH113 - strings, for millions of rows
