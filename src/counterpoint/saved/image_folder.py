"""The images of a folder as rows to predict, each with the text next to it, as the source ``folder`` reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from counterpoint.artifacts import key_of
from counterpoint.data.sources import Source
from counterpoint.data.sources.base import REASON, row_frames
from counterpoint.data.sources.folder_rows import image_row, text_row, texts_of
from counterpoint.errors import SourceError
from counterpoint.formats.folders import SPECIAL, TEXT, Listing, has_image_name
from counterpoint.formats.tables import check_name
from counterpoint.formats.tars import IMAGE_EXTENSIONS
from counterpoint.saved.new_rows import NewRows
from counterpoint.schema import Frame


class ImagesOfFolder(Source):
    """Every image below a folder, in the order of their paths, each with the text of ``x.txt`` next to ``x.jpg``.

    Files, images and texts are found as by the source ``folder``: an image by its content or by its name, and no file
    of a hidden folder.  A file with the ending of an image is a row, whatever it is.  A name that is not UTF-8 is
    ``bad_name``, and a text that cannot be read, or is not UTF-8, is ``bad_text``.

    Parameters
    ----------
    path
        *path* is the folder.
    """

    kind: str = "images"
    path: Path

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the images with their texts."""
        listing = Listing(self.path.absolute())
        texts = _texts(listing)
        return row_frames((self._row(listing, name, texts.get(name)) for name in self._images(listing)), {})

    def fingerprint(self) -> str:
        """Return a hash of the paths of the images."""
        return key_of(self.model_dump(mode="json"), self._images(Listing(self.path.absolute())))

    def _images(self, listing: Listing) -> list[str]:
        """Return the images.  A file with the ending of a text is one where it holds an image and is no text of one."""
        taken = set(_texts(listing).values())
        texts = (name for name in listing.files if name.lower().endswith(TEXT) and name not in taken)
        found = [*_named_images(listing), *(name for name in texts if listing.holds_image(name))]
        if not found:
            endings = ", ".join(f".{ending}" for ending in sorted(IMAGE_EXTENSIONS))
            raise SourceError(f"{self.path} has no image file. Allowed endings: {endings}.")
        return sorted(found, key=lambda name: name.split("/"))

    def _row(self, listing: Listing, name: str, text: str | None) -> dict[str, Any]:
        row = image_row(listing, name, name, str(self.path))
        return row if text is None or REASON in row else row | text_row(listing, text)


def _named_images(listing: Listing) -> list[str]:
    """Return the images, with pipes and devices that have the ending of one: each is a row that cannot be read."""
    return [*listing.images, *filter(has_image_name, _special(listing))]


def _texts(listing: Listing) -> dict[str, str]:
    return texts_of([*listing.files, *_special(listing)], _named_images(listing))


def _special(listing: Listing) -> list[str]:
    return [name for reason, name in listing.aside if reason == SPECIAL]


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
