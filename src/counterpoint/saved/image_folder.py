"""The images of a folder as rows to predict, each with the text next to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from counterpoint.artifacts import key_of
from counterpoint.data.sources import Source
from counterpoint.data.sources.base import REASON, row_frames
from counterpoint.data.sources.folder_rows import readable
from counterpoint.errors import SourceError
from counterpoint.files import read_bytes
from counterpoint.formats.tables import check_name, is_text
from counterpoint.formats.tars import IMAGE_EXTENSIONS
from counterpoint.saved.new_rows import NewRows
from counterpoint.schema import Frame

MOST_TEXT_BYTES = 1 << 20


class ImagesOfFolder(Source):
    """Every image file below a folder, in the order of their paths, each with the text of ``x.txt`` next to ``x.jpg``.

    A file with the ending of an image is a row, whatever it is.  A name that is not UTF-8 is ``bad_name``, and a text
    that cannot be read is ``bad_text``.

    Parameters
    ----------
    path
        *path* is the folder.
    """

    kind: str = "images"
    path: Path

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the images with their texts."""
        return row_frames(map(self._row, self._files()), {})

    def fingerprint(self) -> str:
        """Return a hash of the paths of the images."""
        return key_of(self.model_dump(mode="json"), list(map(str, self._files())))

    def _files(self) -> list[Path]:
        every = (path for path in self.path.rglob("*") if path.suffix[1:].lower() in IMAGE_EXTENSIONS)
        found = [path for path in every if not path.is_dir() and not path.name.startswith(".")]
        if not found:
            endings = ", ".join(f".{ending}" for ending in sorted(IMAGE_EXTENSIONS))
            raise SourceError(f"{self.path} has no image file. Allowed endings: {endings}.")
        return sorted(found)

    def _row(self, path: Path) -> dict[str, Any]:
        row = {"id": str(path.relative_to(self.path)), "source": str(self.path)}
        if not is_text(row["id"]):
            return {**row, "id": readable(row["id"]), REASON: "bad_name"}
        text = None
        try:
            text = read_bytes(path.with_suffix(".txt"), most_bytes=MOST_TEXT_BYTES).decode(errors="replace").strip()
        except FileNotFoundError:
            pass
        except OSError:
            return {**row, REASON: "bad_text"}
        return {**row, "text": text, "image": str(path.absolute())}


def rows_of_folder(path: Path, work: Path) -> NewRows:
    """Return the images below the folder *path*, with the texts next to them.

    Parameters
    ----------
    path, work
        *path* is the folder, and *work* a folder for images that a source makes.

    Raises
    ------
    SourceError
        When there is no such folder.
    """
    check_name(path)
    if not path.is_dir():
        raise SourceError(f"{path} is no folder. For a table use --table.")
    return NewRows(ImagesOfFolder(path=path), work)
