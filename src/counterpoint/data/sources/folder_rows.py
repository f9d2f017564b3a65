"""The rows of images and texts in a folder: ids, paths, labels, and reasons to leave.  Decodes no image."""

import os
from collections.abc import Collection, Iterable, Iterator
from posixpath import splitext
from typing import Any, NamedTuple

from counterpoint.data.sources.base import REASON
from counterpoint.data.sources.folder_layouts import FoldFolder
from counterpoint.files import read_bytes
from counterpoint.formats.folders import TEXT, Listing
from counterpoint.formats.tables import is_text

MAX_TEXT_BYTES = 1 << 20
Row = dict[str, Any]


class Place(NamedTuple):
    """The place of a row's image: its name in the folder, its whole path, its fold, and its id."""

    name: str | None = None
    path: str | None = None
    fold: str | None = None
    key: str | None = None


def place_of(listing: Listing, image: str | None, areas: list[FoldFolder]) -> Place:
    """Return the place of an image from a table.  An image outside the folder has none.

    Parameters
    ----------
    listing
        *listing* lists the files of the folder.
    image
        *image* is the path of the image, or null.
    areas
        *areas* are the folds of the folder, and last the whole folder.
    """
    path, root = os.path.normpath(image or ""), listing.path("")
    name = path.removeprefix(root)
    area = next((area for area in areas if name.startswith(area.prefix)), None)
    return Place(name, path, area.fold, _key(name, area)) if area and path.startswith(root) else Place()


def _key(name: str, part: FoldFolder) -> str:
    own = name.removeprefix(part.prefix)
    return f"{part.name}/{own}" if part.name else own


def class_rows(listing: Listing, part: FoldFolder, used: set[str]) -> Iterator[Row]:
    """Yield a row for each image of a folder of classes, and one for each text without an image.

    Parameters
    ----------
    listing
        *listing* lists the files of the folder.
    part
        *part* is the folder of one fold, or the whole folder.
    used
        *used* collects the names of the files that belong to a row.
    """
    files = listing.below(part.prefix)
    texts = texts_of(files, listing.images)
    taken = set(texts.values())
    used |= taken | listing.images.intersection(files)
    for name in files:
        folder, _, rest = name.removeprefix(part.prefix).partition("/")
        label = readable(folder) if rest else None
        row = {**fold_image_row(listing, name, part), "label": label, "source": label or listing.root.name}
        if name in listing.images:
            yield row | (text_row(listing, texts[name]) if name in texts else {})
        elif rest and name.lower().endswith(TEXT) and name not in taken:
            used.add(name)
            yield row if listing.holds_image(name) else {**row, "image": None} | text_row(listing, name)


def texts_of(files: Iterable[str], images: Collection[str]) -> dict[str, str]:
    """Return the text of each image that has one: ``x.jpg.txt`` or ``x.txt`` next to ``x.jpg``, in any case.

    >>> texts_of(["a.jpg", "a.TXT", "b.jpg", "b.jpg.txt", "b.txt", "c.jpg"], ["a.jpg", "b.jpg", "c.jpg"])
    {'a.jpg': 'a.TXT', 'b.jpg': 'b.jpg.txt'}
    """
    texts = {splitext(name)[0]: name for name in files if name.lower().endswith(TEXT)}
    found = ((name, texts.get(name, texts.get(splitext(name)[0]))) for name in images)
    return {name: text for name, text in found if text is not None}


def fold_image_row(listing: Listing, name: str, part: FoldFolder) -> Row:
    """Return the row of an image in the folder of one fold.

    Parameters
    ----------
    listing
        *listing* lists the files of the folder.
    name
        *name* is the name of the image in the folder.
    part
        *part* is the folder of one fold, or the whole folder.
    """
    return image_row(listing, name, _key(name, part), listing.root.name) | {"fold": part.fold}


def image_row(listing: Listing, name: str, key: str, source: str) -> Row:
    """Return the row of an image.  It leaves when its name is not UTF-8, which no table can hold.

    Parameters
    ----------
    listing
        *listing* lists the files of the folder.
    name
        *name* is the name of the image in the folder.
    key
        *key* is the id of the row.
    source
        *source* is the source of the row.
    """
    if is_text(name):
        return {"id": key, "image": listing.path(name), "source": source}
    return {"id": readable(key), "source": readable(source), REASON: "bad_name"}


def readable(name: str) -> str:
    r"""Return *name* with the bytes that are not UTF-8 spelled out.

    >>> readable("a\udcff")
    'a\\xff'
    """
    return name if is_text(name) else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def text_row(listing: Listing, name: str) -> Row:
    """Return the text in a file of UTF-8, or the reason why it cannot be read."""
    try:
        data = read_bytes(listing.path(name), most_bytes=MAX_TEXT_BYTES)
        return {"text": data.decode("utf-8-sig").strip()}
    except (OSError, UnicodeDecodeError):
        return {REASON: "bad_text"}
