"""The signs of failed training in one network, by its curves, its predictions and the outputs of its layers.

Does not judge them: `counterpoint.diagnose.cp016_training_failed` does.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import ContenderFit
from counterpoint.measures.learning_curves import PERFECT, STUCK
from counterpoint.measures.prediction_arrays import PredictionArrays, prediction_arrays
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.networks.layer_activity import Activity
from counterpoint.schema import Frame

FLAT = 0.05
"""A layer is flat if the spread of its outputs over rows is below this share of their size.

The smallest spread of a sound layer here was .19.  Layers behind a hidden softmax stay below .04.
"""
MOSTLY = 0.95
"""A layer is flat too if more than this share of its units is dead, or of its outputs saturated."""
CLEARLY = 0.10
"""A network at chance has failed only if another contender is above chance by at least this much.

If it is at chance even on its own training rows, `NEAR` is enough, because the signal itself may be weak.
"""
LEARNED = 0.20
"""A fit has not learned while others have, only if all others are above chance by this much on their training rows."""
NEAR = 0.05
"""A balanced accuracy at most this much above chance is near chance."""
BATCH, DRAWS = 128, 300


class Tables(NamedTuple):
    """The tables that show whether a network was trained, and the share of the most frequent class."""

    history: Frame
    predictions: Frame
    modalities: Modalities
    largest_share: float


class PartSigns(NamedTuple):
    """The signs of a failure on training and validation rows, in the epochs whose weights were kept.

    Attributes
    ----------
    is_stuck
        *is_stuck* is whether the training loss is the entropy of the classes.
    on_training_rows
        *on_training_rows* is the balanced accuracy of the kept weights of each fit on its own training rows, above
        chance.  A fit is known by its fold and seed.
    has_learned_in_another_epoch
        *has_learned_in_another_epoch* is whether the training loss of an epoch that was not kept is lower.
    is_memorized
        *is_memorized* is whether training is nearly perfect and validation at chance.
    is_misreading
        *is_misreading* is whether validation is at chance, and training and test rows clearly are not.
    """

    is_stuck: bool
    on_training_rows: Mapping[tuple[str, int], float]
    has_learned_in_another_epoch: bool
    is_memorized: bool
    is_misreading: bool

    @property
    def untrained(self) -> list[tuple[str, int]]:
        """The fits whose kept weights only guess on their own training rows."""
        return [fit for fit, above in self.on_training_rows.items() if above <= NEAR]

    @property
    def is_untrained(self) -> bool:
        """Whether the fits together only guess on their own training rows, and none clearly does better."""
        above = list(self.on_training_rows.values())
        return bool(above) and sum(above) <= NEAR * len(above) and max(above) <= CLEARLY

    @property
    def is_untrained_in_part(self) -> bool:
        """Whether some fits have not learned, and all others clearly have."""
        others = [above for above in self.on_training_rows.values() if above > NEAR]
        return bool(self.untrained) and min(others, default=0) > LEARNED


class ScoreSigns(NamedTuple):
    """The score of a network on test rows, against chance and against the best rival.

    Attributes
    ----------
    score
        *score* is the balanced accuracy on test rows.
    chance
        *chance* is that of guessing, over the classes of these rows.
    better
        *better* is a contender of no further modality, clearly above chance, and its balanced accuracy.
    is_worse
        *is_worse* is whether *better* is more accurate on the same test rows, whole interval included.
    """

    score: Estimate
    chance: float
    better: tuple[str, Estimate] | None
    is_worse: bool

    @property
    def is_at_chance(self) -> bool:
        """Whether the test score is near chance, or its interval reaches chance."""
        return self.score.low <= self.chance + 0.01 or self.score.value <= self.chance + NEAR


class LayerSigns(NamedTuple):
    """The activity of the layers of a network, and its gradients.

    Attributes
    ----------
    flat
        *flat* are the layers with nearly the same outputs for all rows.
    gradients
        *gradients* are the norms of the gradient in each part of the network.
    """

    flat: Sequence[Activity]
    layers: Sequence[Activity]
    gradients: dict[str, float]


class Signs(NamedTuple):
    """The signs of a failure in one network: on training and validation rows, on test rows, and in its layers."""

    contender: str
    parts: PartSigns
    test: ScoreSigns
    layers: LayerSigns


def signs_of(tables: Tables, name: str, fit: ContenderFit | None) -> Signs:
    """Return the signs in one network.

    Parameters
    ----------
    tables
        *tables* are the curves and the predictions of the study.
    name
        *name* is the contender.
    fit
        *fit* is its first fit.  Without one, no layer is measured.
    """
    predictions = tables.predictions
    tested = {each: prediction_arrays(predictions, [each]) for each in {name, *_readers(tables.modalities, name)}}
    scores, chance = {each: _score(rows, each) for each, rows in tested.items()}, tested[name].guessing
    layers, gradients = _inside(fit)
    flat = [layer for layer in layers if layer.spread < FLAT or max(layer.dead, layer.saturated) > MOSTLY]
    epochs, guessing = tables.history.filter(contender=name), _loss_of_guessing(predictions, name)
    kept = _kept_epochs(epochs)
    fits = _above_chance(predictions, name)
    at_chance = {fold for (fold, _), above in fits.items() if above <= NEAR}
    parts = PartSigns(
        _is_stuck(kept["train_loss"], guessing),
        fits,
        bool((epochs["train_loss"] < STUCK * guessing).any()),
        _is_memorized(kept, max(chance, tables.largest_share)),
        _is_misreading(predictions, name, test=scores[name].low - chance, without=at_chance),
    )
    least = chance + (NEAR if parts.untrained else CLEARLY)
    others = [(each, score) for each, score in scores.items() if each != name and score.low > least]
    better = max(others, key=lambda found: found[1].low, default=None)
    is_worse = better is not None and _is_worse(predictions, name, better[0])
    test = ScoreSigns(scores[name], chance, better, is_worse)
    return Signs(name, parts, test, LayerSigns(flat, layers, gradients))


def _readers(modalities: Modalities, name: str) -> list[str]:
    """Return the contenders that read at least one modality, and only modalities that contender *name* reads."""
    own = set(modalities[name])
    return [other for other, reads in modalities.items() if reads and set(reads) <= own]


def _score(rows: PredictionArrays, name: str) -> Estimate:
    if not rows.ids:
        return Estimate(0.0, 0.0, 0.0)
    return rows.balanced(rows.is_correct(name), draws=DRAWS)


def _above_chance(predictions: Frame, name: str) -> dict[tuple[str, int], float]:
    """Return the balanced accuracy of each fit on its own training rows, above chance there, by fold and seed."""
    own = predictions.filter(contender=name, part="train")
    found = {}
    for (fold, seed), rows in own.group_by("fold", "seed", maintain_order=True):
        arrays = prediction_arrays(rows, [name], "train")
        score = balanced_mean(arrays.is_correct(name), arrays.codes)
        found[str(fold), int(str(seed))] = score - arrays.guessing
    return found


def _is_worse(predictions: Frame, name: str, better: str) -> bool:
    """Return whether contender *better* is more accurate on the test rows of both, whole interval included."""
    rows = prediction_arrays(predictions, [name, better])
    if not rows.ids:
        return False
    return rows.balanced(rows.is_correct(name).astype(float) - rows.is_correct(better), draws=DRAWS).high < 0


def _is_misreading(predictions: Frame, name: str, *, test: float, without: set[str]) -> bool:
    """Return whether validation rows of a fold are at chance, and clearly worse than training and test rows.

    Each part counts above the chance of its own classes.  Folds *without* a score on their training rows do not count:
    their fits have not learned.
    """
    train = prediction_arrays(predictions, [name], "train")
    least = min(test, _score(train, name).low - train.guessing)
    rows = prediction_arrays(predictions, [name], "validation")
    each = (rows.of_fold(fold) for fold in np.unique(rows.folds) if fold not in without)
    found = ((fold.balanced(fold.is_correct(name), draws=DRAWS), fold.guessing) for fold in each)
    return any(part.value <= chance + NEAR and least > max(CLEARLY, part.high - chance) for part, chance in found)


def _kept_epochs(epochs: Frame) -> Frame:
    """Return the epoch whose weights each fit kept: the last one, where the history does not mark it."""
    is_last = pl.col("epoch") == pl.col("epoch").max().over("seed", "fold", "branch")
    return epochs.filter(pl.coalesce("is_kept", is_last))


def _is_stuck(losses: pl.Series, guessing: float) -> bool:
    """Return whether the training loss of every fit is near *guessing* at least."""
    return len(losses) > 0 and bool((losses >= STUCK * guessing).all())


def _loss_of_guessing(predictions: Frame, name: str) -> float:
    """Return the entropy of the classes: the log loss of predictions that are the class shares."""
    labels = predictions.filter(contender=name, part="train")["label"]
    shares = labels.value_counts(normalize=True)["proportion"].to_numpy()
    return float(-(shares * np.log(shares)).sum())


def _is_memorized(kept: Frame, guessing: float) -> bool:
    """Return whether the mean training accuracy is nearly perfect, and validation accuracy near *guessing*."""
    train, validation = kept["train_score"].mean(), kept["valid_score"].mean()
    if not isinstance(train, float) or not isinstance(validation, float):
        return False
    return train >= PERFECT and validation <= guessing + NEAR


def _inside(fit: ContenderFit | None) -> tuple[list[Activity], dict[str, float]]:
    """Return the activity of each layer on some test rows, and the gradient norm of each part of the network."""
    network = getattr(fit and fit.model, "network_", None)
    if fit is None or network is None or fit.test.is_empty():
        return [], {}
    from counterpoint.networks.activity import activities, gradient_shares  # noqa: PLC0415 - loads torch

    rows = fit.test.gather_every(max(1, len(fit.test) // BATCH)).head(BATCH)  # a source may be sorted by class
    layers = activities(network, lambda: fit.model.predict_proba(rows))
    classes = [str(name) for name in fit.model.classes_]
    norms: dict[str, float] = {}
    for label, part in rows.group_by("label", maintain_order=True):
        if label[0] in classes:
            found = gradient_shares(network, partial(fit.model.predict_proba, part), classes.index(str(label[0])))
            norms = {name: norms.get(name, 0.0) + norm for name, norm in found.items()}
    return layers, norms
