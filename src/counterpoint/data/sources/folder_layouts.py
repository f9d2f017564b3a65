"""The layout of a folder of images, the folder where its rows begin, and its folds or classes."""

import re
from typing import NamedTuple

from counterpoint.data.sources.messages import some
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import fold_of
from counterpoint.formats.folders import FolderContent, Listing

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
STUDY_ROOTS = ("", "images/")


class FoldFolder(NamedTuple):
    """A folder whose rows are of one fold, or of none, and its name in their ids."""

    fold: str | None
    prefix: str
    name: str


def layout_of(listing: Listing, base: str, folds: bool | None) -> str:
    """Return the layout of a folder: imagefolder, study2023 or classes.

    Parameters
    ----------
    listing
        *listing* lists the files of the folder.
    base
        *base* is the folder where its rows begin, from `base_of`.
    folds
        *folds* is whether folders named after folds are folds (None: detected).

    Raises
    ------
    SourceError
        When the folder has none of these layouts.
    """
    children = listing.children(base, METADATA)
    named = [child for name, child in children.items() if fold_of(name)]
    if metadata_in(listing, base) or (folds is not False and any(child.has_metadata for child in named)):
        return "imagefolder"
    if any(_is_study(listing, root) for root in STUDY_ROOTS):
        return "study2023"
    if any(child.n_images or child.n_deep for child in children.values()):
        return "classes"
    raise SourceError(
        f"{listing.root} is no folder of pairs: it needs metadata.csv, or pos/ and neg/, or a folder of images a "
        f"class. Found {some(sorted({name.split('/')[0] for name in listing.files} | listing.folders))}."
    )


def _is_study(listing: Listing, root: str) -> bool:
    numbered = re.compile(rf"{root}pos/(?:.*/)?1_\d+(?:\.[^./]*)?", re.DOTALL)
    return f"{root}neg" in listing.folders and any(numbered.fullmatch(name) for name in listing.images)


def metadata_in(listing: Listing, prefix: str) -> list[str]:
    """Return the tables of images in a folder, the one to read first."""
    files = [name for name in listing.below(prefix) if name[len(prefix) :].lower() in METADATA]
    return sorted(files, key=lambda name: METADATA.index(name[len(prefix) :].lower()))


def base_of(listing: Listing) -> str:
    """Return the folder where rows begin: below folders that hold only one other folder, as in many archives."""
    base = ""
    while True:
        children = {name: child for name, child in listing.children(base, METADATA).items() if any(child)}
        is_bare = not metadata_in(listing, base) and not any(
            "/" not in name[len(base) :] for name in listing.images if name.startswith(base)
        )
        only = next(iter(children), "")
        if not is_bare or len(children) != 1 or fold_of(only) or _holds_images_alone(children[only]):
            return base
        base += f"{only}/"


def _holds_images_alone(child: FolderContent) -> bool:
    return child.n_images > 0 and not child.has_metadata


def fold_folders(listing: Listing, base: str, folds: bool | None) -> list[FoldFolder]:
    """Return the folds of a folder when its folders are folds, else the whole folder as one part.

    Parameters
    ----------
    listing
        *listing* lists the files of the folder.
    base
        *base* is the folder where its rows begin.
    folds
        *folds* is whether folders named after folds are folds (None: detected from the other files).

    Raises
    ------
    SourceError
        When the folders may be folds or classes.
    """
    children = {name: child for name, child in listing.children(base, METADATA).items() if any(child)}
    named = {name: fold for name in children if (fold := fold_of(name))}
    if folds is False or not named or not (folds or _are_folds(listing, base)):
        return [FoldFolder(None, base, "")]
    is_single = {fold: list(named.values()).count(fold) == 1 for fold in named.values()}
    return [
        FoldFolder(fold, f"{base}{name}/", fold if is_single[fold] else name) for name, fold in sorted(named.items())
    ]


def _are_folds(listing: Listing, base: str) -> bool:
    """Return whether folders named after folds are folds.  Folders without any file of a row do not count."""
    children = {name: child for name, child in listing.children(base, METADATA).items() if any(child)}
    named = {name: child for name, child in children.items() if fold_of(name)}
    others = sorted(children.keys() - named.keys())
    are_structured = any(child.n_deep or child.has_metadata for child in named.values())
    if not others or (are_structured and len(named) > 1):
        return True
    if metadata_in(listing, base) or (not are_structured and len(named) == 1):
        return False  # for example, the classes of vehicles: train, car and bus
    raise SourceError(
        f"{listing.path(base)}: {some(sorted(named))} may be folds or classes, because {some(others)} also holds "
        "images: set source.folds to true or false."
    )
