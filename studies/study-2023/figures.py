"""The figures of the page: copies of figures of runs, and learning curves of single points of sweeps.

Never a photo or a caption of Flickr8k: only figures of OpenMoji studies with images in them are copied.
"""

import re
import shutil
from pathlib import Path

from counterpoint.report import panels
from counterpoint.report.svg import Gallery, drawing
from results import SweepResults
from study_results import StudyResults
from values import NOT_RUN

SHOWN_FREELY = "emoji"
"""The kind of source whose images may be shown."""


class Figures:
    """The folder of the figures of the page.  Each method returns the Markdown of one figure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gallery = Gallery(folder)
        self._stems: list[str] = []

    def copied(self, run: StudyResults | SweepResults, figure: str, alt: str) -> str:
        """Copy a figure of a run folder, as SVG and PNG.

        Parameters
        ----------
        run
            *run* is a study or a sweep.
        figure, alt
            *figure* is the stem of its files, and *alt* its description.
        """
        where = run.root / "figures"
        if not (where / f"{figure}.svg").is_file():
            return f"Figure “{alt}”: {NOT_RUN}."
        check_may_be_shown(run, where / f"{figure}.svg")
        name = _stem(f"{run.name.removeprefix('study-2023-')}-{figure}")
        self.folder.mkdir(parents=True, exist_ok=True)
        for ending in (".svg", ".png"):
            shutil.copyfile(where / f"{figure}{ending}", self.folder / f"{name}{ending}")
        return self._shown(name, alt)

    def learning(self, title: str, alt: str, point: StudyResults, contender: str) -> str:
        """Draw loss and accuracy by epoch for a point of a sweep.

        Parameters
        ----------
        title, alt
            *title* is the title of the figure, and *alt* its description.
        point, contender
            *point* is the study of the point, and *contender* the name in it.
        """
        history = point.table("history")
        if history is None:
            return f"Figure “{title}”: {NOT_RUN}."
        with drawing():
            figure = panels.draw_learning(history.filter(contender=contender))
            self.gallery.save(f"learning-{point.name}", title, figure)
        return self._shown(_stem(f"learning-{point.name}"), f"Loss and accuracy by epoch: {alt}")

    def remove_others(self) -> None:
        """Remove figures of an earlier page that this page does not show."""
        for path in self.folder.glob("*.*"):
            if path.stem not in self._stems:
                path.unlink()

    def _shown(self, stem: str, alt: str) -> str:
        self._stems.append(stem)
        return f"![{alt}](images/{self.folder.name}/{stem}.svg)"


def check_may_be_shown(run: StudyResults | SweepResults, figure: Path) -> None:
    """Assert that a figure may be published: it contains no images, or images of OpenMoji."""
    has_images = figure.stem.startswith("examples") or b"<image" in figure.read_bytes()
    assert run.kind == SHOWN_FREELY or not has_images, f"{figure.stem} of {run.name} has images not to be shown"


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60]
