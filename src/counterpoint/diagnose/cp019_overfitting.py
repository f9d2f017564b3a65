"""CP019: the kept weights fit the training rows at the cost of all others.  Names the epoch to stop at.

The validation loss of the kept weights is compared with the lowest of the curve, on the same rows.  A network that
keeps the weights of its best epoch may over-fit later without harm.  The losses of the curve are those before any
scaling.  Only the mean loss of earlier epochs is kept, so that the difference has no interval.  Instead, the last
epochs must all lie above the lowest, which one epoch by chance cannot do.
"""

from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding
from counterpoint.metrics.estimate import estimated
from counterpoint.metrics.rows import FLOOR
from counterpoint.schema import Frame, class_names

WORTH_NATS = 0.03
"""The least rise of the validation loss above the lowest of the curve that counts as over-fitting."""
SUBJECT = "learning curves"
LAST = 3
"""The number of last epochs whose validation loss must each show that rise."""


class KeptLosses(NamedTuple):
    """The loss of kept weights on each part.  *gap* is the test loss minus the training loss, with its interval."""

    validation: float
    train: float
    test: float
    gap: tuple[float, float, float]


class Curve(NamedTuple):
    """The validation curve of a contender, the mean over its fits, and the losses of its kept weights.

    Attributes
    ----------
    best_epoch
        *best_epoch* is the epoch of the lowest validation loss.
    epochs
        *epochs* is the last epoch.
    lowest, last
        *lowest* is the lowest validation loss of the curve, and *last* the lowest of its last `LAST` epochs.
    kept
        *kept* are the losses of the kept weights.
    """

    contender: str
    best_epoch: float
    epochs: float
    lowest: float
    last: float
    kept: KeptLosses

    @property
    def is_overfitted(self) -> bool:
        """Whether the kept weights, and the weights of all last epochs, are worse than an earlier epoch."""
        return min(self.kept.validation, self.last) > self.lowest + WORTH_NATS


@final
class Overfitting(Check):
    """Look at the validation loss of the kept weights of each network, compared with the lowest of its curve."""

    code = "CP019"
    title = "Over-fitting"
    advice = "Stop training earlier: set epochs, or a patience that keeps the best weights."
    needs = ("history", "predictions")

    def run(self, *, history: Frame, predictions: Frame) -> Finding:
        """Return the finding on the network with the worst kept weights."""
        names = history["contender"].unique(maintain_order=True).to_list()
        curves = [curve for name in names if (curve := _curve(history, predictions, name)) is not None]
        if not curves:
            return self.not_applicable(SUBJECT, "No contender of the study keeps learning curves.")
        table = [_row(curve) for curve in sorted(curves, key=lambda curve: curve.lowest - curve.kept.validation)][:12]
        worst = max(curves, key=lambda curve: (curve.is_overfitted, curve.kept.validation - curve.lowest))
        if not worst.is_overfitted:
            return self.finding("info", SUBJECT, _kept_well(curves), table=table)
        kept = worst.kept
        explanation = (
            f"{worst.contender} was trained for {worst.epochs:.0f} epochs and is over-fitted. The validation loss of "
            f"its kept weights is {numbers.score(kept.validation)}. Epoch {worst.best_epoch:.0f} had the lowest, "
            f"{numbers.score(worst.lowest)}, and each of the last {LAST} epochs at least {numbers.score(worst.last)}. "
            f"The loss is {numbers.score(kept.test)} on test rows and {numbers.score(kept.train)} on training rows. "
            f"Stop at epoch {worst.best_epoch:.0f}: set epochs, or a patience that keeps the best epoch."
        )
        return self.finding("warn", worst.contender, explanation, table=table)


def _kept_well(curves: list[Curve]) -> str:
    wide = max(curves, key=lambda curve: curve.kept.gap[0])
    return (
        "No network kept weights with a clearly higher validation loss than the lowest of its curve. The widest gap "
        f"between test and training loss is {numbers.signed_with_interval(*wide.kept.gap)}, of {wide.contender}."
    )


def _row(curve: Curve) -> dict[str, Any]:
    return {
        "contender": curve.contender,
        "epochs": round(curve.epochs, 1),
        "stop at": round(curve.best_epoch, 1),
        "lowest validation loss": round(curve.lowest, 4),
        "kept validation loss": round(curve.kept.validation, 4),
        "training loss": round(curve.kept.train, 4),
        "test loss": round(curve.kept.test, 4),
    }


def _curve(history: Frame, predictions: Frame, name: str) -> Curve | None:
    rows = history.filter(pl.col("valid_loss").is_finite(), contender=name, branch="joint")
    rows = rows if len(rows) else history.filter(pl.col("valid_loss").is_finite(), contender=name)
    losses = _losses(predictions.filter(contender=name))
    if rows.is_empty() or losses.filter(part="validation").is_empty():
        return None
    fits = [fit.sort("epoch") for _, fit in rows.group_by("seed", "fold", maintain_order=True)]
    lowest, last = (float(np.mean([fit["valid_loss"][from_:].min() for fit in fits])) for from_ in (0, -LAST))
    best = [fit["epoch"][int(fit["valid_loss"].arg_min() or 0)] for fit in fits]
    kept, train, test = (_mean(losses.filter(part=part)) for part in ("validation", "train", "test"))
    gap = test[0] - train[0], test[1] - train[2], test[2] - train[1]
    return Curve(
        name, float(np.mean(best)), float(np.mean([fit["epoch"].max() for fit in fits])),
        lowest, last, KeptLosses(kept[0], train[0], test[0], gap),
    )  # fmt: skip


def _losses(predictions: Frame) -> Frame:
    """Return part, group, label and log loss of each row, as the mean over its fits."""
    own = pl.coalesce(pl.when(label=name).then(pl.col(f"p_{name}")) for name in class_names(predictions))
    rows = predictions.select("id", "part", "group", "label", loss=-own.clip(lower_bound=FLOOR).log())
    return rows.group_by("part", "id", maintain_order=True).agg(pl.first("group", "label"), pl.mean("loss"))


def _mean(rows: Frame) -> tuple[float, float, float]:
    if rows.is_empty():
        return float("nan"), float("nan"), float("nan")
    losses = rows["loss"].to_numpy()
    return estimated(lambda drawn: (drawn @ losses) / drawn.sum(1), rows["group"], draws=500)
