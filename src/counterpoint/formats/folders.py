"""The files in a folder at any depth: images by their content, other files, and files that cannot be part of a row."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from counterpoint.errors import SourceError
from counterpoint.files import open_regular
from counterpoint.formats.hidden import HIDDEN, is_hidden
from counterpoint.formats.magic import HEAD_BYTES, is_image
from counterpoint.formats.tars import IMAGE_EXTENSIONS

SPECIAL, BROKEN_LINK, READ_ALREADY = "no regular file", "broken link", "link to a folder that is read already"
TEXT = ".txt"


class FolderContent(NamedTuple):
    """The content of a folder: the images in it, the images deeper in it, and whether it has a table of its images."""

    n_images: int = 0
    n_deep: int = 0
    has_metadata: bool = False


class Listing:
    """The files below *root*, as paths relative to it, in the order of their steps.

    *aside* has (reason, path) for each file that cannot be part of a row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.jfif", "a.png", ".DS_Store", "README"):
    ...         _ = Path(folder, name).write_bytes(b"GIF89a" if name == "README" else b"")
    ...     listing = Listing(Path(folder))
    ...     listing.files, sorted(listing.images), listing.aside
    (['README', 'a.png', 'b.jfif'], ['README', 'a.png', 'b.jfif'], [('hidden', '.DS_Store')])
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.aside: list[tuple[str, str]] = []
        self.folders: set[str] = set()
        self._seen: set[tuple[int, int]] = set()
        self.files = sorted(self._walk(), key=_steps)

    def _walk(self) -> Iterator[str]:
        """Yield every file.  Folders wait in a list, because they may be nested deeper than calls can be."""
        waiting = [(self.root, "")]
        while waiting:
            folder, prefix = waiting.pop()
            if not self._is_new(folder):
                self.aside.append((READ_ALREADY, prefix.removesuffix("/")))
                continue
            entries = [entry for entry in _entries(folder) if not self._hides(entry, prefix)]
            inner = [entry.name for entry in entries if os.path.isdir(entry.path)]  # noqa: PTH112 - links may loop
            self.folders.update(prefix + name for name in inner)
            waiting += [(folder / name, f"{prefix}{name}/") for name in reversed(inner)]
            yield from (prefix + entry.name for entry in entries if self._is_file(entry, prefix))

    def _is_new(self, folder: Path) -> bool:
        try:
            found = folder.stat()
        except OSError as error:
            raise _unread(folder, error) from error
        is_new = (found.st_dev, found.st_ino) not in self._seen
        self._seen.add((found.st_dev, found.st_ino))
        return is_new

    def _hides(self, entry: os.DirEntry[str], prefix: str) -> bool:
        if not is_hidden(entry.name):
            return False
        self.aside += [(HIDDEN, hidden) for hidden in _all_below(entry, prefix + entry.name)]
        return True

    def _is_file(self, entry: os.DirEntry[str], prefix: str) -> bool:
        """Return whether an entry is a file, or a broken link with the name of an image.  Set all others aside."""
        is_broken = not os.path.exists(entry.path)  # noqa: PTH110
        if os.path.isfile(entry.path) or (is_broken and has_image_name(entry.name)):  # noqa: PTH113
            return True
        if not os.path.isdir(entry.path):  # noqa: PTH112
            self.aside.append((BROKEN_LINK if is_broken else SPECIAL, prefix + entry.name))
        return False

    @cached_property
    def images(self) -> frozenset[str]:
        """The files that are images by content or by name."""
        return frozenset(name for name in self.files if self._is_image(name))

    def _is_image(self, name: str) -> bool:
        if has_image_name(name):
            return True
        return not name.lower().endswith(TEXT) and self.holds_image(name)

    def holds_image(self, name: str) -> bool:
        """Return whether the content of a file is an image."""
        return _holds_image(self.root / name)

    def path(self, name: str) -> str:
        """Return the whole path of a file."""
        return f"{self.root}/{name}"

    def below(self, prefix: str) -> list[str]:
        """Return the files with paths that begin with *prefix*, which is empty or ends with "/"."""
        return [name for name in self.files if name.startswith(prefix)]

    def children(self, prefix: str, metadata: tuple[str, ...]) -> dict[str, FolderContent]:
        """Return the content of each folder in the folder *prefix*.  *metadata* are the names of tables of images."""
        found: dict[str, FolderContent] = {}
        for name in self.below(prefix):
            first, *rest = name[len(prefix) :].split("/")
            if not rest:
                continue
            child, is_image = found.get(first, FolderContent()), name in self.images
            found[first] = FolderContent(
                child.n_images + (is_image and len(rest) == 1),
                child.n_deep + (is_image and len(rest) > 1),
                child.has_metadata or (len(rest) == 1 and rest[0].lower() in metadata),
            )
        return found


def is_image_file(file: Path) -> bool:
    """Return whether *file* is a regular file that is an image by content or by name.  A text is none.

    >>> is_image_file(Path("/nowhere/a.jpg"))
    False
    """
    name = file.name
    if is_hidden(name) or name.lower().endswith(TEXT) or not file.is_file():
        return False
    return has_image_name(name) or _holds_image(file)


def _holds_image(file: Path) -> bool:
    try:
        with open_regular(file) as opened:
            return is_image(opened.read(HEAD_BYTES))
    except OSError:
        return False


def _steps(name: str) -> list[str]:
    return name.split("/")


def has_image_name(name: str) -> bool:
    """Return whether the ending of a file is that of an image.

    >>> has_image_name("cats/1.JPG"), has_image_name("cats.png/1"), has_image_name("png")
    (True, False, False)
    """
    return name.rpartition("/")[2].lower().rpartition(".")[2] in IMAGE_EXTENSIONS and "." in name.rpartition("/")[2]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise _unread(folder, error) from error


def _unread(folder: Path, error: OSError) -> SourceError:
    return SourceError(f"Cannot read folder {folder}: {error.strerror}.")


def _all_below(entry: os.DirEntry[str], name: str) -> list[str]:
    """Return the files of a hidden folder, or *name* itself."""
    if not entry.is_dir(follow_symlinks=False):
        return [name]
    found = [os.path.join(folder, file) for folder, _, files in os.walk(entry.path) for file in files]  # noqa: PTH118
    return [name + file[len(entry.path) :] for file in sorted(found)]
