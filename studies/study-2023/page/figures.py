"""The figures of the page: copies of figures of runs, and curves in which theirs stand in the same axes.

Never a photo or a caption of Flickr8k: only figures of OpenMoji studies with images in them are copied.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from counterpoint.report.drawing.svg import Gallery, drawing
from page.curve_figures import Line, draw_inquest, draw_learning_with_theirs, draw_shares, draw_training
from page.inquest_results import InquestResults
from page.results import SweepResults
from page.study_results import StudyResults
from page.their_figures import CNN_50, TheirFigures
from page.values import NOT_RUN

SHOWN_FREELY = "emoji"
"""The kind of source whose images may be shown."""


class Figures:
    """The folder of the figures of the page.  Each method returns the Markdown of one figure."""

    def __init__(self, folder: Path, theirs: TheirFigures) -> None:
        self.folder, self.theirs = folder, theirs
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

    def learning_with_theirs(self, study: StudyResults, contender: str, figure: str, alt: str) -> str:
        """Draw loss and accuracy by epoch of a contender, with their values in the same axes.

        Parameters
        ----------
        study, contender
            *study* has the history of *contender*.
        figure, alt
            *figure* is the name of a figure of the study, and *alt* its description.
        """
        history = study.table("history")
        if history is None:
            return f"Figure “{alt}”: {NOT_RUN}."
        with drawing():
            drawn = draw_learning_with_theirs(history.filter(contender=contender), self.theirs, figure)
            return self._saved(f"beside-{contender}", f"{contender}, and their {figure}", drawn, alt)

    def shares(self, study: StudyResults, alt: str) -> str:
        """Draw the class shares of a study below those of figure 1.

        Parameters
        ----------
        study
            *study* has the pairs.
        alt
            *alt* is the description of the figure.
        """
        pairs = study.table("pairs")
        if pairs is None:
            return f"Figure “{alt}”: {NOT_RUN}."
        own = {name: n / len(pairs) for name, n in pairs["label"].value_counts().iter_rows()}
        with drawing():
            drawn = draw_shares({"their figure 1": self.theirs.shares, "here": own})
            return self._saved("shares", "Class shares, theirs and here", drawn, alt)

    def inquest(self, results: InquestResults, data: str, alt: str) -> str:
        """Draw their curves, the closest candidate, the closest that is separate from it, and rows validated rightly.

        Parameters
        ----------
        results, data
            *results* are those of the inquest on *data*.
        alt
            *alt* is the description of the figure.
        """
        if not results.ranked(data):
            return f"Figure “{alt}”: {NOT_RUN}."
        shown = [*results.inseparable(data)[:1], *results.separated(data)[:1]]
        right = results.candidate(data, results.config.right)
        with drawing():
            drawn = draw_inquest(self.theirs, [*shown, *([right] if right and right not in shown else [])])
            return self._saved(f"inquest-{data}", "Which fault makes their figures 6 and 7?", drawn, alt)

    def noise(self, points: Mapping[str, StudyResults], contender: str, alt: str) -> str:
        """Draw the training accuracy by epoch of a contender in several studies, and that of their figure 3.

        Parameters
        ----------
        points
            *points* are studies by the name of their curve.
        contender, alt
            *contender* is in each of them, and *alt* describes the figure.
        """
        histories = {name: study.table("history") for name, study in points.items()}
        rows = {name: of.filter(contender=contender).sort("epoch") for name, of in histories.items() if of is not None}
        if not rows:
            return f"Figure “{alt}”: {NOT_RUN}."
        lines = [Line(name, of["epoch"].to_list(), of["train_score"].to_list()) for name, of in rows.items()]
        with drawing():
            drawn = draw_training(lines, self.theirs, CNN_50)
            return self._saved("noise", "Training accuracy with wrong labels in training", drawn, alt)

    def _saved(self, name: str, title: str, figure: Figure, alt: str) -> str:
        self.gallery.save(name, title, figure)
        return self._shown(_stem(name), alt)

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
