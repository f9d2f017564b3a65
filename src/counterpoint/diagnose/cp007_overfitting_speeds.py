"""CP007: a text and an image branch that over-fit at different speeds, so that no one epoch suits both.

Of the fall of the training loss, a part is generalised (the validation loss falls as well) and a part is not.  With
OGR = |ΔO / ΔG| of Wang, Tran and Feiszli (CVPR 2020), that part is OGR / (1 + OGR) where validation improves, and above
1 where it gets worse.  Unlike the ratio it stays finite, so that its difference between branches has a mean and an
interval over seeds and folds.  Branches are the networks that read one modality, trained on their own.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.diagnose import Case
from counterpoint.measures import blend_weights, ogr
from counterpoint.measures.prediction_arrays import best_among, judged
from counterpoint.metrics.estimate import Floats
from counterpoint.schema import Frame, finding

TITLE = "Branches over-fit at different speeds"
FEW_FITS = 3
APART = 0.25
"""One branch must lose a quarter more of what it learns in training before the speeds are called different."""
LEARNED = 0.02
"""A branch whose training and validation losses have not both been lower than at first by this has learned nothing."""
SUBJECT = "branches"


class Branch(NamedTuple):
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


def look(case: Case) -> dict[str, str]:
    """Look at how much of what each branch learns in training it keeps on validation rows."""
    branches = [found for modality in ("text", "image") if (found := _branch(case, modality))]
    if len(branches) < 2:
        said = (
            "Speeds need a network with learning curves that reads the text alone, and one that reads the image alone."
        )
        return finding("CP007", "not_applicable", SUBJECT, said)
    text, image = branches
    joint = [
        _read(case.history, name) for name in case.reading("text", "image") if name in set(case.history["contender"])
    ]
    evidence = {"table": [each.row for each in [*branches, *joint] if each.curves], "blend_weights": _weights(branches)}
    fits = sorted(set(text.lost) & set(image.lost))
    if len(fits) < FEW_FITS:
        said = f"Both branches learned in {len(fits)} fits: {FEW_FITS} (seeds or folds) are needed to compare speeds."
        return finding("CP007", "not_applicable", SUBJECT, said, **evidence)
    differences = np.array([text.lost[fit] - image.lost[fit] for fit in fits])
    return _found(text, image, differences, evidence)


def _found(text: Branch, image: Branch, differences: Floats, evidence: dict[str, Any]) -> dict[str, str]:
    mean, low, high = _interval(differences)
    evidence |= {"difference": [mean, low, high], "n_fits": len(differences)}
    fast, slow = (text, image) if mean > 0 else (image, text)
    shares = {each.name: float(np.mean(list(each.lost.values()))) for each in (fast, slow)}
    measured = (
        f"{fast.name} keeps {1 - shares[fast.name]:.0%} of what it learns in training on validation rows, {slow.name} "
        f"{1 - shares[slow.name]:.0%} (difference {abs(mean):.0%}, {min(abs(low), abs(high)):.0%} to "
        f"{max(abs(low), abs(high)):.0%}, over {len(differences)} fits)"
    )
    if low > APART or high < -APART:
        epochs = {row["branch"]: row["best epoch"] for row in evidence["table"]}
        said = (
            f"{measured}: trained together they would be stopped at one epoch, and alone their best are "
            f"{epochs[fast.name]} and {epochs[slow.name]}. Stop each branch by itself, make {fast.name} smaller, or "
            "weigh the branches' losses (blend_weights)."
        )
        return finding("CP007", "warn", fast.name, said, **evidence)
    said = f"The branches over-fit at speeds that are not shown to differ by a quarter: {text.name} and {image.name} "
    said += f"differ by {mean:+.0%} ({low:+.0%} to {high:+.0%}) in what they lose, over {len(differences)} fits."
    return finding("CP007", "info", SUBJECT, said, **evidence)


def _interval(values: Floats) -> tuple[float, float, float]:
    """Return the mean over fits and its 95 % interval by Student's t."""
    from scipy.stats import t  # noqa: PLC0415 - slow to import

    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    mean = float(values.mean())
    return mean, mean - half, mean + half


def _branch(case: Case, modality: str) -> Branch | None:
    """Return the network of one modality that is best on validation rows."""
    known = set(case.history["contender"])
    names = [name for name in judged(case, modality) if name in known]
    if not names:
        return None
    found = _read(case.history, best_among(case, names))
    return found if found.curves else None


def _read(history: Frame, name: str) -> Branch:
    rows = history.filter(pl.col("train_loss").is_finite() & pl.col("valid_loss").is_finite(), contender=name)
    curves = {}
    for (seed, fold), fit in rows.group_by("seed", "fold", maintain_order=True):
        ordered = fit.unique("epoch", keep="first").sort("epoch")
        if len(ordered) > 1:
            curves[int(str(seed)), str(fold)] = ordered["train_loss"].to_list(), ordered["valid_loss"].to_list()
    return Branch(name, curves)


def _weights(branches: list[Branch]) -> dict[str, float]:
    """Return the blend weights of the branches' mean curves, each over the epochs that all of its fits have."""
    mean = {}
    for branch in branches:
        n = min(len(valid) for _, valid in branch.curves.values())
        sides = zip(*branch.curves.values(), strict=True)
        train, valid = (np.mean([side[:n] for side in fits], axis=0).tolist() for fits in sides)
        mean[branch.name] = train, valid
    return {name: round(weight, 4) for name, weight in blend_weights(mean).items()}
