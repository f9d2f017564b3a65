r"""The files of an image column, found by their path or by a changed path that fits exactly one file.

A path may have ``\`` for ``/``, another letter case, another Unicode form, ``file://``, no suffix, or begin with the
folders of another computer.  A path that fits two files means neither.  Does not read images.
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
"""Most names that are tried to place the folders of another computer, and most files of a tree that are listed."""

_DRIVE = re.compile(r"(?:/*[A-Za-z]:)?/+")

Column = Callable[[], Iterable[pl.Series]]
"""Reads the whole image column.  It is called at most once, and only when a name is not the path of a file."""


class ImagePaths:
    r"""The files below *root* that names mean, with an account of the names that were found in another way.

    A name is first looked up unchanged, which costs one access.  Only then are folders listed, each once.

    Parameters
    ----------
    root
        *root* is the folder of relative paths.
    column
        *column* reads the whole image column.

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
        """Return the path of each name: its file, or the path where the file should be, or null for a null name."""
        distinct = names.drop_nulls().unique(maintain_order=True)
        counts = dict(names.value_counts().iter_rows())
        paths = [self._path(name, counts[name]) for name in distinct]
        return names.replace_strict(distinct, pl.Series(paths, dtype=pl.String), default=None, return_dtype=pl.String)

    def first_missing_of(self, names: pl.Series) -> tuple[str, str] | None:
        """Return the first of *names* and the path where it should be, when none is found.  Nulls are left out."""
        trial = ImagePaths(Path(self.root), self._column)
        trial.find(names)
        return None if trial.n_found else trial.first_missing

    def find_anywhere(self, names: pl.Series) -> bool:
        """Find names without a folder anywhere below the root, and return whether most of them exist.

        A name means a file only when no other folder has a file of this name.

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
        """Return one line for each way in which names were found, with the count and an example."""
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
        """Return the changes that *name* needs, and the path of the one file that it then means."""
        how, read = _as_posix(name)
        if split_ref(read)[1] is not None or is_address(read):
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
        """Return the steps of an absolute path below the root, without folders that start every such path.

        All paths lose the same folders, so that two paths never become one.
        """
        if self._tail is None:
            lost = range(1, len(self._begins) + 1)
            tried = self._anchored[:TRIED]
            n_found = {n: sum(self._walk(each[n:])[1] is not None for each in tried) for n in lost}
            self._tail = max(n_found, key=lambda n: n_found[n], default=0) if any(n_found.values()) else 0
        begins = self._begins[: self._tail]
        return parts[self._tail :] if self._tail and parts[: self._tail] == begins else []

    def _walk(self, parts: list[str]) -> tuple[tuple[str, ...], str | None]:
        """Return the ways in which *parts* differ from the names on disk, and the file to which they lead."""
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
        """The file of each name below the root, or None where several folders have a file of this name."""
        walked = ((name, f"{folder}/{name}") for folder, _, names in os.walk(self.root) for name in names)
        return _single(islice(walked, MAX_TREE))

    @cached_property
    def _names(self) -> list[str]:
        """All names of the column, each once, in POSIX form."""
        return list(dict.fromkeys(_as_posix(name)[1] for part in self._column() for name in part.drop_nulls().unique()))

    @cached_property
    def _anchored(self) -> list[list[str]]:
        return [_parts(name) for name in self._names if _DRIVE.match(name) and not _is_there(name)]

    @cached_property
    def _begins(self) -> list[str]:
        """The common first folders of all absolute paths that do not exist."""
        folders = [parts[:-1] for parts in self._anchored]
        alike = takewhile(lambda at: len(set(at)) == 1, zip(*folders, strict=False))
        return [at[0] for at in alike]

    @cached_property
    def _torn(self) -> set[str]:
        """Names that the table has in two letter cases: they mean two files, and at most one exists."""
        forms = Counter(_folded(name) for name in {normalize("NFC", name) for name in self._names})
        return {name for name, n in forms.items() if n > 1}


class _Folder:
    """The names in a folder, and the one entry that a name in another form means, if it is one."""

    def __init__(self, path: str) -> None:
        try:
            self._names = set(os.listdir(path))  # noqa: PTH208 - strings, for folders of a million
        except (OSError, ValueError):
            self._names = set()

    def entry(self, name: str, *, is_last: bool) -> tuple[str | None, str | None]:
        """Return the way in which *name* differs from the entry that it means, and the entry."""
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


def file_of_url(name: str) -> str | None:
    """Return the path of a file of this machine that is named by its URL, or None for any other name.

    >>> file_of_url("file:///C:/my%20photos/1.jpg"), file_of_url("FILE://localhost/1.jpg"), file_of_url("1%20.jpg")
    ('C:/my photos/1.jpg', '/1.jpg', None)
    """
    if name[:7].lower() != "file://":
        return None
    return re.sub(r"^/+(?=[A-Za-z]:)", "", unquote(name[7:].removeprefix("localhost")))


def is_address(name: str) -> bool:
    """Report whether *name* is a URL, of this machine or another.

    >>> is_address("https://example.org/1.jpg"), is_address("C:/1.jpg")
    (True, False)
    """
    return re.match("(?i)[a-z][a-z0-9+.-]+://", name) is not None


def _as_posix(name: str) -> tuple[tuple[str, ...], str]:
    r"""Return the changes that a name needs, and the name in POSIX form.

    >>> _as_posix("file:///C:/my%20photos/1.jpg"), _as_posix("im\\1.jpg")
    ((('without file://',), 'C:/my photos/1.jpg'), (('with / for \\',), 'im/1.jpg'))
    """
    how: list[str] = []
    read = name.strip().strip("\"'")
    if read != name:
        how.append(SPACES)
    if (place := file_of_url(read)) is not None:
        how.append(URL)
        read = place
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
