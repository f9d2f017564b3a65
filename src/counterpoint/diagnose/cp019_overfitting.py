"""CP019: weights kept that fit the training rows at the cost of all others; the epoch to stop at.

A network that keeps the weights of its best epoch may over-fit later, and does no harm: what counts is the loss of the
weights that were kept against the lowest of the curve, on the same validation rows.  Of epochs before the last nothing
but their mean loss is kept, so that their difference has no interval of its own; that it is no chance of one epoch is
shown by the last epochs, which must all lie above.
"""

from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint.diagnose.check import Check, Finding
from counterpoint.measures.prediction_arrays import FLOOR
from counterpoint.metrics.estimate import Floats, estimated
from counterpoint.schema import Frame, class_names

WORTH_NATS = 0.03
"""Weights whose validation loss is less than this above the lowest of the curve are not called over-fitted."""
SUBJECT = "learning curves"
LAST = 3
"""So many epochs, the last ones, must each have a validation loss that much above the lowest."""


class Curve(NamedTuple):
    """The curves of a contender over its fits, and what its kept weights reach on rows of each part."""

    contender: str
    best_epoch: float
    epochs: float
    lowest: float
    last: float
    """The lowest of the last `LAST` epochs."""
    kept: float
    train: float
    test: float
    gap: tuple[float, float, float]
    """Test less training loss, with its interval."""

    @property
    def is_overfitted(self) -> bool:
        """Say whether the weights that were kept are worse than those of an earlier epoch, as all of the last are."""
        return min(self.kept, self.last) > self.lowest + WORTH_NATS


@final
class Overfitting(Check):
    """Look at the validation loss of the weights that each network kept, beside the lowest of its curve."""

    code = "CP019"
    title = "Over-fitting"
    needs = ("history", "predictions")

    def run(self, *, history: Frame, predictions: Frame) -> Finding:
        """Return the finding on the network whose kept weights are worst."""
        names = history["contender"].unique(maintain_order=True).to_list()
        curves = [curve for name in names if (curve := _curve(history, predictions, name)) is not None]
        if not curves:
            return self.not_applicable(SUBJECT, "No contender of the study keeps learning curves.")
        table = [_row(curve) for curve in sorted(curves, key=lambda curve: curve.lowest - curve.kept)][:12]
        worst = max(curves, key=lambda curve: (curve.is_overfitted, curve.kept - curve.lowest))
        if not worst.is_overfitted:
            return self.finding("info", SUBJECT, _kept_well(curves), table=table)
        explanation = (
            f"{worst.contender} was trained for {worst.epochs:.0f} epochs, and its validation loss is "
            f"{worst.kept:.3f} (in each of the last {LAST} epochs at least {worst.last:.3f}) where epoch "
            f"{worst.best_epoch:.0f} had {worst.lowest:.3f}; "
            f"on test rows it is {worst.test:.3f}, on training rows {worst.train:.3f}. "
            f"Stop at epoch {worst.best_epoch:.0f}: set epochs, or a patience that keeps the best."
        )
        return self.finding("warn", worst.contender, explanation, table=table)


def _kept_well(curves: list[Curve]) -> str:
    wide = max(curves, key=lambda curve: curve.gap[0])
    return (
        "Every network kept weights near the lowest validation loss of its curve; the widest gap is "
        f"{wide.contender}'s, whose test loss is {wide.gap[0]:+.3f} above its training loss "
        f"({wide.gap[1]:+.3f} to {wide.gap[2]:+.3f})."
    )


def _row(curve: Curve) -> dict[str, Any]:
    return {
        "contender": curve.contender,
        "epochs": round(curve.epochs, 1),
        "stop at": round(curve.best_epoch, 1),
        "lowest validation loss": round(curve.lowest, 4),
        "kept validation loss": round(curve.kept, 4),
        "training loss": round(curve.train, 4),
        "test loss": round(curve.test, 4),
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
    # Curves may weigh classes evenly, as training does: of the two ways to average, the one nearer to the lowest.
    kept = min((_mean(losses.filter(part="validation"), weights) for weights in ("even", "balanced")),
               key=lambda found: abs(found[0] - lowest))  # fmt: skip
    train, test = (_mean(losses.filter(part=part), "even") for part in ("train", "test"))
    gap = test[0] - train[0], test[1] - train[2], test[2] - train[1]
    return Curve(
        name, float(np.mean(best)), float(np.mean([fit["epoch"].max() for fit in fits])),
        lowest, last, kept[0], train[0], test[0], gap,
    )  # fmt: skip


def _losses(predictions: Frame) -> Frame:
    """Return part, group, label and the log loss of each row, the mean over its fits."""
    own = pl.coalesce(pl.when(label=name).then(pl.col(f"p_{name}")) for name in class_names(predictions))
    rows = predictions.select("id", "part", "group", "label", loss=-own.clip(lower_bound=FLOOR).log())
    return rows.group_by("part", "id", maintain_order=True).agg(pl.first("group", "label"), pl.mean("loss"))


def _mean(rows: Frame, weights: str) -> tuple[float, float, float]:
    if rows.is_empty():
        return float("nan"), float("nan"), float("nan")
    losses = rows["loss"].to_numpy()
    own: Floats = (
        np.ones(len(rows)) if weights == "even" else 1 / rows.select(pl.len().over("label")).to_series().to_numpy()
    )
    return estimated(lambda drawn: (drawn @ (own * losses)) / (drawn @ own), rows["group"], draws=500)
