"""A writer of the layout of the 2023 study: numbered images, descriptions by row, and tables with one column a pixel.

Row n of the descriptions of a class belongs to image n of that class, whether the image exists or not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np

from counterpoint.errors import ConfigError, did_you_mean

SIDE_PX = 64
TWO_CLASSES = ("neg", "pos")
"""The folders of two classes, by the number of the class.  With more classes, the number names the folder."""

Gray = np.ndarray[Any, np.dtype[np.uint8]]
_NUMBERS = [str(value) for value in range(256)]


def class_numbers(labels: Iterable[str], classes: Sequence[str] | None = None) -> dict[str, int]:
    """Return the number of each class: its place in *classes*, by default in alphabetical order.

    Raises
    ------
    ConfigError
        When *classes* differ from the labels, or there are fewer than two labels.

    Examples
    --------
    >>> class_numbers(["person", "animal", "person"])
    {'animal': 0, 'person': 1}
    >>> class_numbers(["cat", "dog"], classes=["dog", "cat"])
    {'dog': 0, 'cat': 1}
    """
    found = sorted(set(labels))
    if len(found) < 2:
        raise ConfigError(f"The study's layout needs two classes, but got {', '.join(found) or 'no labels'}.")
    chosen = found if classes is None else list(classes)
    for name in chosen:
        if name not in found:
            raise ConfigError(f"No row is of class {name!r}.{did_you_mean(name, found)}")
    if sorted(chosen) != found:
        raise ConfigError(f"classes should name each of {', '.join(found)} once, but got {', '.join(chosen)}.")
    return {name: number for number, name in enumerate(chosen)}


class Named(NamedTuple):
    """A row of the tables of pixels: the name of its image, its text, the number of its class, its gray pixels."""

    name: str
    text: str | None
    number: int
    pixels: Gray


class StudyFolder:
    """Writes the whole layout, a row at a time.

    ::

        images/pos/1_7.jpg   image 7 of class 1
        images/neg/0_14.jpg
        posData.csv          column desc, where row 7 (from 0) describes 1_7.jpg
        negData.csv
        pixels.csv           label, then 1x1 … 64x64, one row an image, 0 to 255
        pairs.csv            Image_name, Image_desc, label, then the pixels
        missing.csv          class, number, status of each description without an image

    Parameters
    ----------
    folder
        *folder* is an existing, empty folder.
    classes
        *classes* are the numbers of the classes (`class_numbers`).
    side_px
        *side_px* is the side of the tables' images.

    Examples
    --------
    >>> import tempfile
    >>> gray = np.zeros((64, 64), dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as name:
    ...     with StudyFolder(Path(name), {"animal": 0, "person": 1}) as study:
    ...         study.add("person", "A man", b"...", gray)
    ...         study.lack("person", "A girl", "http_404")
    ...         study.add("person", "A boy", b"...", gray)
    ...     sorted(path.name for path in Path(name).rglob("*.jpg")), Path(name, "missing.csv").read_text().splitlines()
    (['1_0.jpg', '1_2.jpg'], ['class,number,status', '1,1,http_404'])
    """

    def __init__(self, folder: Path, classes: Mapping[str, int], *, side_px: int = SIDE_PX) -> None:
        self._folder, self._classes, self._side_px = folder, classes, side_px
        self._files = ExitStack()
        self._n_rows: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._descriptions = {}
        for number in sorted(self._classes.values()):
            name = folder_of(number, len(self._classes))
            (self._folder / "images" / name).mkdir(parents=True)
            self._descriptions[number] = self._open(f"{name}Data.csv", "desc")
        pixels = ",".join(pixel_names(self._side_px))
        self._pixels = self._open("pixels.csv", f"label,{pixels}")
        self._pairs = self._open("pairs.csv", f"Image_name,Image_desc,label,{pixels}")
        self._missing = self._open("missing.csv", "class,number,status")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def _open(self, name: str, header: str) -> IO[str]:
        file = self._files.enter_context((self._folder / name).open("w", encoding="utf-8", newline=""))
        file.write(header + "\n")
        return file

    def add(self, label: str, text: str | None, jpeg: bytes, pixels: Gray) -> None:
        """Write a pair.

        Parameters
        ----------
        label
            *label* is the name of its class.
        text
            *text* is its description.  Null is written as an empty text.
        jpeg
            *jpeg* are the bytes of its image file.
        pixels
            *pixels* are the values of its table rows, uint8 of shape (side_px, side_px).
        """
        number, row = self._describe(label, text)
        name = f"{number}_{row}.jpg"
        (self._folder / "images" / folder_of(number, len(self._classes)) / name).write_bytes(jpeg)
        values = pixel_values(pixels)
        self._pixels.write(f"{number},{values}\n")
        self._pairs.write(f"{name},{csv_field(text)},{number},{values}\n")

    def lack(self, label: str, text: str | None, status: str) -> None:
        """Write a description without an image.

        Parameters
        ----------
        label
            *label* is the name of its class.
        text
            *text* is the description.  Null is written as an empty text.
        status
            *status* is the reason why the image is missing.
        """
        number, row = self._describe(label, text)
        self._missing.write(f"{number},{row},{status}\n")

    def _describe(self, label: str, text: str | None) -> tuple[int, int]:
        number = self._classes[label]
        row = self._n_rows[number]
        self._n_rows[number] += 1
        self._descriptions[number].write(csv_field(text) + "\n")
        return number, row


def folder_of(number: int, n_classes: int) -> str:
    """Return the name of the folder with the images of a class.

    >>> folder_of(1, 2), folder_of(1, 3)
    ('pos', '1')
    """
    return TWO_CLASSES[number] if n_classes == len(TWO_CLASSES) else str(number)


def write_pair_table(path: Path, rows: Iterable[Named], *, side_px: int = SIDE_PX) -> int:
    """Write a table with the columns of ``pairs.csv``, as the study saved its splits, and return their number.

    Parameters
    ----------
    path
        *path* is the file to write.
    rows
        *rows* are written in their order.
    side_px
        *side_px* is the side of the gray images.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "train_updated.csv")
    ...     n_rows = write_pair_table(path, [Named("1_7.jpg", "A man", 1, np.eye(2, dtype=np.uint8))], side_px=2)
    ...     path.read_text().splitlines()
    ['Image_name,Image_desc,label,1x1,1x2,2x1,2x2', '"1_7.jpg","A man",1,1,0,0,1']
    """
    n_rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(["Image_name", "Image_desc", "label", *pixel_names(side_px)]) + "\n")
        for row in rows:
            n_rows += 1
            file.write(f"{csv_field(row.name)},{csv_field(row.text)},{row.number},{pixel_values(row.pixels)}\n")
    return n_rows


def pixel_names(side_px: int) -> list[str]:
    """Return the names of the columns of pixels: row by row, from 1.

    >>> pixel_names(2)
    ['1x1', '1x2', '2x1', '2x2']
    """
    places = range(1, side_px + 1)
    return [f"{row}x{column}" for row in places for column in places]


def pixel_values(pixels: Gray) -> str:
    """Return gray pixels, row by row, as the end of a line of CSV.

    >>> pixel_values(np.array([[0, 255], [7, 1]], dtype=np.uint8))
    '0,255,7,1'
    """
    return ",".join([_NUMBERS[value] for value in pixels.tobytes()])


def csv_field(text: str | None) -> str:
    r"""Return any text as a field of CSV in quotes, so that a line break in it starts no row.

    A null is an empty text.  NUL, at which CSV readers end, becomes the replacement character.

    >>> csv_field('say "hi"\r'), csv_field(None)
    ('"say ""hi""\r"', '""')
    """
    return '"' + (text or "").replace('"', '""').replace("\0", "\ufffd") + '"'
