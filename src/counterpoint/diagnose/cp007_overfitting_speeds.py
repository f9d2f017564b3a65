"""CP007: a text and an image branch that over-fit at different speeds, so that no one epoch suits both.

The validation loss follows a part of the fall of the training loss, and not the rest.  OGR is |ΔO / ΔG| of Wang, Tran
and Feiszli (CVPR 2020).  The rest is OGR / (1 + OGR) if the validation loss falls, and above 1 if it rises.  It is
always finite, unlike the ratio.  So its difference between branches has a mean and an interval over seeds and folds.
Here the branches are the networks that read one modality and are trained alone.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding
from counterpoint.measures import blend_weights, ogr
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.prediction_arrays import best_on_validation, validated_contenders
from counterpoint.metrics.intervals import t_interval
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

FEW_FITS = 3
APART = 0.25
"""The speeds differ if the part of the fall of the training loss that is not generalised differs by more than this."""
FEW_ROWS = 100
"""With fewer validation rows in a fit, a few of them decide the fall of their loss."""
LEARNED = 0.02
"""A branch has learned something if its training and validation losses both fell by more than this."""
SUBJECT = "branches"


class BranchCurves(NamedTuple):
    """The curves of one network, by fit: (seed, fold)."""

    name: str
    curves: dict[tuple[int, str], tuple[list[float], list[float]]]

    @property
    def not_generalised(self) -> dict[tuple[int, str], float]:
        """The part of the fall of the training loss that validation does not follow, of each fit that has learned."""
        return {
            fit: max(
                0.0, 1 - (valid[0] - valid[-1]) / (train[0] - train[-1])
            )  # below 0 because of dropout and augmentation in training
            for fit, (train, valid) in self.curves.items()
            if train[0] - train[-1] > LEARNED and valid[0] - min(valid) > LEARNED
        }

    @property
    def row(self) -> dict[str, Any]:
        """The row of the table of evidence."""
        best = [int(np.argmin(valid)) + 1 for _, valid in self.curves.values()]
        ratios = [ogr(train, valid) for train, valid in self.curves.values()]
        ratio = float(np.median(ratios))
        return {
            "branch": self.name,
            "fits": len(self.curves),
            "epochs": max(len(valid) for _, valid in self.curves.values()),
            "best epoch": round(float(np.mean(best)), 1),
            "OGR": round(ratio, 3) if np.isfinite(ratio) else None,
            "not generalised": self._mean_not_generalised(),
        }

    def _mean_not_generalised(self) -> float | None:
        parts = list(self.not_generalised.values())
        return round(float(np.mean(parts)), 3) if parts else None


@final
class OverfittingSpeeds(Check):
    """Compare how much of the fall of its training loss each branch shows on validation rows."""

    code = "CP007"
    title = "Branches over-fit at different speeds"
    advice = "Stop each branch by itself, make the faster one smaller, or weight the losses of the branches."
    needs = ("history", "predictions", "modalities")

    def run(self, *, history: Frame, predictions: Frame, modalities: Modalities) -> Finding:
        """Return the finding on the best network of each modality alone."""
        text, image = (_branch(history, predictions, modalities, modality) for modality in ("text", "image"))
        if text is None or image is None:
            needed = "The check needs learning curves of a network of the text alone and of one of the image alone."
            return self.not_applicable(SUBJECT, needed)
        known = set(history["contender"])
        joint = [_read(history, name) for name in contenders_reading(modalities, "text", "image") if name in known]
        table = [each.row for each in [text, image, *joint] if each.curves]
        evidence = {"table": table, "blend_weights": _weights([text, image])}
        fits = sorted(set(text.not_generalised) & set(image.not_generalised))
        if len(fits) < FEW_FITS:
            few = f"Both branches learned in {len(fits)} fits. The check needs {FEW_FITS} of them (seeds or folds)."
            return self.not_applicable(SUBJECT, few, **evidence)
        n_rows = _fewest_validation_rows(predictions, (text.name, image.name))
        if n_rows < FEW_ROWS:
            few = f"It is unknown whether the branches over-fit at different speeds. A fit has {n_rows} validation rows"
            return self.finding("info", SUBJECT, f"{few}, and this needs {FEW_ROWS}.", n_validation=n_rows, **evidence)
        differences = np.array([text.not_generalised[fit] - image.not_generalised[fit] for fit in fits])
        return self._compared(text, image, differences, evidence)

    def _compared(
        self, text: BranchCurves, image: BranchCurves, differences: Floats, evidence: dict[str, Any]
    ) -> Finding:
        mean, low, high = t_interval(differences)
        evidence |= {"difference": [mean, low, high], "n_fits": len(differences)}
        fast, slow = (text, image) if mean > 0 else (image, text)
        if low > APART or high < -APART:
            epochs = {row["branch"]: row["best epoch"] for row in evidence["table"]}
            explanation = (
                f"{_generalised(fast, slow, (mean, low, high), len(differences))} Joint training stops both at one "
                f"epoch, but alone their best epochs are {epochs[fast.name]:g} and {epochs[slow.name]:g}. Stop each "
                f"branch by itself, make {fast.name} smaller, or weight the losses of the branches (blend_weights)."
            )
            return self.finding("warn", fast.name, explanation, **evidence)
        shares = f"{numbers.share(mean)} ({numbers.share(low)} to {numbers.share(high)})"
        explanation = (
            "It is not shown that the branches over-fit at different speeds. Validation rows do not follow a part of "
            f"the fall of the training loss. The part of {text.name} minus the part of {image.name} is {shares}, over "
            f"{len(differences)} fits."
        )
        return self.finding("info", SUBJECT, explanation, **evidence)


def _generalised(fast: BranchCurves, slow: BranchCurves, difference: tuple[float, float, float], n_fits: int) -> str:
    mean, *ends = (abs(each) for each in difference)
    of_fast, of_slow = (
        numbers.share(1 - float(np.mean(list(branch.not_generalised.values())))) for branch in (fast, slow)
    )
    interval = f"{numbers.share(min(ends))} to {numbers.share(max(ends))}"
    return (
        f"Of the fall of the training loss, validation rows show {of_fast} for {fast.name} and {of_slow} for "
        f"{slow.name}. The difference is {numbers.share(mean)} ({interval}), over {n_fits} fits."
    )


def _branch(history: Frame, predictions: Frame, modalities: Modalities, modality: str) -> BranchCurves | None:
    """Return the network of one modality that is best on validation rows."""
    known = set(history["contender"])
    names = [name for name in validated_contenders(predictions, modalities, modality) if name in known]
    if not names:
        return None
    found = _read(history, best_on_validation(predictions, names))
    return found if found.curves else None


def _fewest_validation_rows(predictions: Frame, names: Sequence[str]) -> int:
    """Return the number of validation rows of the fit that has the fewest."""
    rows = predictions.filter(pl.col("contender").is_in(list(names)), part="validation")
    return min(rows.group_by("contender", "seed", "fold").len()["len"].to_list(), default=0)


def _read(history: Frame, name: str) -> BranchCurves:
    rows = history.filter(pl.col("train_loss").is_finite() & pl.col("valid_loss").is_finite(), contender=name)
    curves = {}
    for (seed, fold), fit in rows.group_by("seed", "fold", maintain_order=True):
        ordered = fit.unique("epoch", keep="first").sort("epoch")
        if len(ordered) > 1:
            curves[int(str(seed)), str(fold)] = ordered["train_loss"].to_list(), ordered["valid_loss"].to_list()
    return BranchCurves(name, curves)


def _weights(branches: list[BranchCurves]) -> dict[str, float]:
    """Return the blend weights of the branches' mean curves, each over the epochs that all of its fits have."""
    mean = {}
    for branch in branches:
        n = min(len(valid) for _, valid in branch.curves.values())
        curves = zip(*branch.curves.values(), strict=True)
        train, valid = (np.mean([curve[:n] for curve in fits], axis=0).tolist() for fits in curves)
        mean[branch.name] = train, valid
    return {name: round(weight, 4) for name, weight in blend_weights(mean).items()}
