"""CP007: a text and an image branch that over-fit at different speeds, so that no one epoch suits both.

Of the fall of the training loss, a part is generalised (the validation loss falls as well) and a part is not.  With
OGR = |ΔO / ΔG| of Wang, Tran and Feiszli (CVPR 2020), that part is OGR / (1 + OGR) where validation improves, and above
1 where it gets worse.  Unlike the ratio it stays finite, so that its difference between branches has a mean and an
interval over seeds and folds.  Branches are the networks that read one modality, trained on their own.
"""

from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint.diagnose.check import Check, Finding
from counterpoint.measures import blend_weights, ogr
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.prediction_arrays import best_on_validation, validated_contenders
from counterpoint.metrics.estimate import Floats
from counterpoint.metrics.intervals import t_interval
from counterpoint.schema import Frame

FEW_FITS = 3
APART = 0.25
"""One branch must lose a quarter more of what it learns in training before the speeds are called different."""
LEARNED = 0.02
"""A branch whose training and validation losses have not both been lower than at first by this has learned nothing."""
SUBJECT = "branches"


class BranchCurves(NamedTuple):
    """The curves of one network, by fit: (seed, fold)."""

    name: str
    curves: dict[tuple[int, str], tuple[list[float], list[float]]]

    @property
    def lost(self) -> dict[tuple[int, str], float]:
        """The part of the training loss's fall that validation has not had, of each fit that has learned something."""
        return {
            fit: max(
                0.0, 1 - (valid[0] - valid[-1]) / (train[0] - train[-1])
            )  # training is harder: dropout, augmentation
            for fit, (train, valid) in self.curves.items()
            if train[0] - train[-1] > LEARNED and valid[0] - min(valid) > LEARNED
        }

    @property
    def row(self) -> dict[str, Any]:
        """What the table shows of it."""
        best = [int(np.argmin(valid)) + 1 for _, valid in self.curves.values()]
        ratios = [ogr(train, valid) for train, valid in self.curves.values()]
        ratio = float(np.median(ratios))
        return {
            "branch": self.name,
            "fits": len(self.curves),
            "epochs": max(len(valid) for _, valid in self.curves.values()),
            "best epoch": round(float(np.mean(best)), 1),
            "OGR": round(ratio, 3) if np.isfinite(ratio) else None,
            "not generalised": round(float(np.mean(list(self.lost.values()))), 3) if self.lost else None,
        }


@final
class OverfittingSpeeds(Check):
    """Look at how much of what each branch learns in training it keeps on validation rows."""

    code = "CP007"
    title = "Branches over-fit at different speeds"
    needs = ("history", "predictions", "modalities")

    def run(self, *, history: Frame, predictions: Frame, modalities: Modalities) -> Finding:
        """Return the finding on the best network of each modality alone."""
        text, image = (_branch(history, predictions, modalities, modality) for modality in ("text", "image"))
        if text is None or image is None:
            needed = "Speeds need a network with learning curves that reads the text alone, and one that reads the"
            return self.not_applicable(SUBJECT, f"{needed} image alone.")
        known = set(history["contender"])
        joint = [_read(history, name) for name in contenders_reading(modalities, "text", "image") if name in known]
        table = [each.row for each in [text, image, *joint] if each.curves]
        evidence = {"table": table, "blend_weights": _weights([text, image])}
        fits = sorted(set(text.lost) & set(image.lost))
        if len(fits) < FEW_FITS:
            few = (
                f"Both branches learned in {len(fits)} fits: {FEW_FITS} (seeds or folds) are needed to compare speeds."
            )
            return self.not_applicable(SUBJECT, few, **evidence)
        differences = np.array([text.lost[fit] - image.lost[fit] for fit in fits])
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
                f"{_kept(fast, slow, (mean, low, high), len(differences))}: trained together they would be stopped at "
                f"one epoch, and alone their best are {epochs[fast.name]} and {epochs[slow.name]}. Stop each branch by "
                f"itself, make {fast.name} smaller, or weigh the branches' losses (blend_weights)."
            )
            return self.finding("warn", fast.name, explanation, **evidence)
        explanation = (
            f"The branches over-fit at speeds that are not shown to differ by a quarter: {text.name} and {image.name} "
            f"differ by {mean:+.0%} ({low:+.0%} to {high:+.0%}) in what they lose, over {len(differences)} fits."
        )
        return self.finding("info", SUBJECT, explanation, **evidence)


def _kept(fast: BranchCurves, slow: BranchCurves, difference: tuple[float, float, float], n_fits: int) -> str:
    mean, low, high = difference
    lost = {each.name: float(np.mean(list(each.lost.values()))) for each in (fast, slow)}
    return (
        f"{fast.name} keeps {1 - lost[fast.name]:.0%} of what it learns in training on validation rows, {slow.name} "
        f"{1 - lost[slow.name]:.0%} (difference {abs(mean):.0%}, {min(abs(low), abs(high)):.0%} to "
        f"{max(abs(low), abs(high)):.0%}, over {n_fits} fits)"
    )


def _branch(history: Frame, predictions: Frame, modalities: Modalities, modality: str) -> BranchCurves | None:
    """Return the network of one modality that is best on validation rows."""
    known = set(history["contender"])
    names = [name for name in validated_contenders(predictions, modalities, modality) if name in known]
    if not names:
        return None
    found = _read(history, best_on_validation(predictions, names))
    return found if found.curves else None


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
