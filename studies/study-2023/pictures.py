"""The page's figures: copies of those that runs have, and how single points of sweeps learned.

Never a photo or a caption of Flickr8k: a picture within a figure is copied from studies of OpenMoji only.
"""

import re
import shutil
from pathlib import Path

from counterpoint.report import panels
from counterpoint.report.svg import Gallery, drawing
from found import SweepFound
from found_study import StudyFound
from values import NOT_RUN

SHOWN_FREELY = "emoji"
"""The kind of source whose pictures may be shown."""


class Pictures:
    """The folder of the page's figures; each method returns the markdown that shows one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gallery = Gallery(folder)
        self._stems: list[str] = []

    def copied(self, run: StudyFound | SweepFound, figure: str, alt: str) -> str:
        """Copy a figure of a run folder, as SVG and PNG."""
        where = run.root / "figures"
        if not (where / f"{figure}.svg").is_file():
            return f"Figure “{alt}”: {NOT_RUN}."
        check_may_be_shown(run, where / f"{figure}.svg")
        name = _stem(f"{run.name.removeprefix('study-2023-')}-{figure}")
        self.folder.mkdir(parents=True, exist_ok=True)
        for ending in (".svg", ".png"):
            shutil.copyfile(where / f"{figure}{ending}", self.folder / f"{name}{ending}")
        return self._shown(name, alt)

    def learning(self, title: str, alt: str, point: StudyFound, contender: str) -> str:
        """Draw loss and accuracy by epoch of a point of a sweep."""
        history = point.table("history")
        if history is None:
            return f"Figure “{title}”: {NOT_RUN}."
        with drawing():
            figure = panels.learning(history.filter(contender=contender))
            self.gallery.save(f"learning-{point.name}", title, figure)
        return self._shown(_stem(f"learning-{point.name}"), f"Loss and accuracy by epoch: {alt}")

    def remove_others(self) -> None:
        """Remove figures of an earlier page that this one does not show."""
        for path in self.folder.glob("*.*"):
            if path.stem not in self._stems:
                path.unlink()

    def _shown(self, stem: str, alt: str) -> str:
        self._stems.append(stem)
        return f"![{alt}](images/{self.folder.name}/{stem}.svg)"


def check_may_be_shown(run: StudyFound | SweepFound, figure: Path) -> None:
    """Hold what is copied to what may be passed on: drawings by anyone, pictures by OpenMoji only."""
    has_pictures = figure.stem.startswith("examples") or b"<image" in figure.read_bytes()
    assert run.kind == SHOWN_FREELY or not has_pictures, f"{figure.stem} of {run.name} has pictures not to be shown"


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60]
