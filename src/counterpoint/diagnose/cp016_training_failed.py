"""CP016: a network that has not learned, and the layer that lost the signal.

Four signs are measured:

- The training loss stayed at the entropy of the classes.
- The outputs of a layer are the same for all rows, and another contender of the same modality is better.
- Validation and test rows are at chance and training is nearly perfect, although another contender is above chance.
- Only validation rows are at chance.

A softmax over many units is the usual cause of the second sign: each output stays near one over the number of units.
Without another contender that reads the modality, a network at chance is no failure.

Takes about 0.5 s for each network at 64 px: one batch of test rows forwards, one backwards.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import ContenderFit, FitOf
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.networks.layer_activity import Activity
from counterpoint.schema import Frame

FLAT = 0.05
"""A layer is flat if the spread of its outputs over rows is below this share of their size.

The smallest spread of a sound layer here was .19.  Layers behind a hidden softmax stay below .04.
"""
MOSTLY = 0.95
"""A layer is flat too if more than this share of its units is dead, or of its outputs saturated."""
STUCK = 0.98
"""A training loss of at least this share of the classes' entropy has not fallen."""
PERFECT = 0.95
"""From this training accuracy on, a network has memorized its training rows, or has learned the rule."""
CLEARLY = 0.10
"""A network at chance has failed only if another contender is above chance by at least this much."""
NEAR = 0.05
"""A balanced accuracy at most this much above chance is near chance."""
UNLEARNED, IN_PART = "has not learned", "was trained in part only"
MEMORIZED = "has memorized its training rows, or reads other rows differently"
MISREADS = "reads validation rows differently"
BATCH, DRAWS = 128, 300
SUBJECT = "training"
SHOWN = 12


class Failure(NamedTuple):
    """A failure of one network.

    Attributes
    ----------
    kind
        *kind* is the predicate of the sentence in the verdict, or None for a warning.
    """

    contender: str
    kind: str | None
    explanation: str


class Signs(NamedTuple):
    """The signs of a failure in one network.

    Attributes
    ----------
    is_stuck
        *is_stuck* is whether the training loss stayed at the entropy of the classes.
    is_memorized
        *is_memorized* is whether training is nearly perfect and validation at chance.
    is_misreading
        *is_misreading* is whether validation is at chance, and training and test rows clearly are not.
    score
        *score* is the balanced accuracy on test rows.
    better
        *better* is a contender of no further modality, clearly above chance, and its balanced accuracy.
    is_worse
        *is_worse* is whether *better* is more accurate on the same test rows, whole interval included.
    flat
        *flat* are the layers with nearly the same outputs for all rows.
    gradients
        *gradients* are the norms of the gradient in each part of the network.
    """

    contender: str
    is_stuck: bool
    is_memorized: bool
    is_misreading: bool
    score: Estimate
    chance: float
    better: tuple[str, Estimate] | None
    is_worse: bool
    flat: Sequence[Activity]
    layers: Sequence[Activity]
    gradients: dict[str, float]

    @property
    def is_at_chance(self) -> bool:
        """Whether the test score is near chance, or its interval reaches chance."""
        return self.score.low <= self.chance + 0.01 or self.score.value <= self.chance + NEAR


@final
class TrainingFailed(Check):
    """Look at the curves and the layers of every network of the study."""

    code = "CP016"
    title = "Training failed"
    cost = Cost("0.5 s for each network: it predicts one batch")
    needs = ("history", "predictions", "modalities", "pairs", "fit_of")

    def run(
        self, *, history: Frame, predictions: Frame, modalities: Modalities, pairs: Frame, fit_of: FitOf
    ) -> Finding:
        """Return the finding on all networks that failed, the first of them as its subject."""
        names = [name for name in history["contender"].unique(maintain_order=True) if name in modalities]
        if not names or not len(predictions):
            return self.not_applicable(SUBJECT, "The study has no network with learning curves.")
        shares = pairs["label"].value_counts(normalize=True)["proportion"].to_numpy()
        tables = _Tables(history, predictions, modalities, float(shares.max(initial=0.0)))
        signs = [_signs(tables, name, fit_of(name)) for name in names]
        found = [failure for each in signs if (failure := _failure(each))]
        failed = {each.contender: each.kind for each in found if each.kind}
        flat = {each.contender: [layer.layer for layer in each.flat] for each in signs if each.flat}
        evidence = {"failed": failed, "flat": flat, "table": _table(signs)}
        if not found:
            sound = f"No sign of failed training in the networks of the study ({len(signs)}). "
            layers = "No layer has the same output for all rows, and no training loss stayed at the loss of guessing."
            return self.finding("info", SUBJECT, sound + layers, **evidence)
        first, severity = next(iter(failed), found[0].contender), "fail" if failed else "warn"
        return self.finding(severity, first, " ".join(each.explanation for each in found), **evidence)


class _Tables(NamedTuple):
    """The tables that show whether a network was trained, and the share of the most frequent class."""

    history: Frame
    predictions: Frame
    modalities: Modalities
    largest_share: float


def _failure(signs: Signs) -> Failure | None:
    """Return the failure of a network, or None."""
    name, kind = signs.contender, _kind(signs)
    if kind is None and not signs.flat:
        return None
    first = f"{name} {EXPLANATIONS[kind or IN_PART]}"
    parts = [first, _better(signs) if kind else "", ADVICE.get(kind or "", ""), _flat_layers(signs)]
    return Failure(name, kind, " ".join(part for part in parts if part))


FAULTS = "such as a tokenizer fitted again, or texts shuffled against labels"
EXPLANATIONS = {
    UNLEARNED: "has not learned: its training loss stayed at the loss of guessing.",
    MEMORIZED: "is nearly perfect on training rows and near chance on validation and test rows.",
    MISREADS: "is near chance on validation rows only, so it reads them differently from training and test rows.",
    IN_PART: "was trained in part only.",
}
ADVICE = {
    MEMORIZED: "Over-fitting alone does not lose the signal of a modality. The network memorized its training rows, "
    f"or it reads other rows differently. Find the fault, {FAULTS}.",
    MISREADS: f"Find the fault, {FAULTS}. Validation rows decide when training stops and which model is chosen.",
}


def _kind(signs: Signs) -> str | None:
    """Return the kind of a certain failure, or None."""
    if signs.is_stuck and (signs.is_worse or (signs.is_at_chance and signs.flat)):
        return UNLEARNED
    if signs.is_misreading:
        return MISREADS
    if signs.is_memorized and signs.is_at_chance and signs.better:
        return MEMORIZED
    return IN_PART if signs.flat and signs.is_worse else None


def _better(signs: Signs) -> str:
    """Return the sentence on the better contender."""
    if signs.better is None:
        return ""
    name, score = signs.better
    return (
        f"But {name}, which reads no other modality, has a balanced accuracy of {numbers.score_with_interval(*score)}."
    )


def _flat_layers(signs: Signs) -> str:
    """Return the sentences on the flat layers, and the remedy."""
    if not signs.flat:
        return ""
    # The layers behind a softmax are flat as well: the cause is named first.
    first = next((layer for layer in signs.flat if _is_softmax(layer)), signs.flat[0])
    others = [layer.layer for layer in signs.flat if layer is not first][:3]
    spread = numbers.share(first.spread, decimals=2)
    sentences = [f"The outputs of {first.layer} ({_kind_of(first)}) differ over rows by {spread} of their size."]
    if _is_softmax(first):
        sentences.append("A softmax between layers starves the layers that follow.")
    if others:
        sentences.append(f"Other flat layers: {', '.join(others)}.")
    return " ".join([*sentences, "Use ReLU there, and check the learning rate and the dropout.", *_gradients(signs)])


def _is_softmax(layer: Activity) -> bool:
    return "softmax" in layer.kind.lower()


def _kind_of(layer: Activity) -> str:
    return f"{layer.kind} over {layer.width} units, mean {layer.mean:.4f}" if _is_softmax(layer) else layer.kind


def _gradients(signs: Signs) -> list[str]:
    """Return the sentence on the gradient of each branch, if there are two."""
    branches = {part: norm for part, norm in signs.gradients.items() if part in ("text", "image")}
    if len(branches) < 2:
        return []
    total = sum(branches.values()) or 1.0
    shares = (f"{numbers.share(norm / total, decimals=1)} in the {part} branch" for part, norm in branches.items())
    return [f"Shares of the gradient: {', '.join(shares)}."]


def _table(signs: list[Signs]) -> list[dict[str, Any]]:
    rows = [
        {
            "contender": each.contender, "layer": layer.layer, "kind": layer.kind, "spread": round(layer.spread, 4),
            "dead": round(layer.dead, 3), "saturated": round(layer.saturated, 3),
        }
        for each in signs for layer in each.layers
    ]  # fmt: skip
    return sorted(rows, key=lambda row: float(str(row["spread"])))[:SHOWN]


def _signs(tables: _Tables, name: str, fit: ContenderFit | None) -> Signs:
    predictions = tables.predictions
    scores = {each: _score(predictions, each) for each in {name, *_readers(tables.modalities, name)}}
    chance = 1 / max(2, predictions["label"].n_unique())
    others = [(each, score) for each, score in scores.items() if each != name and score.low > chance + CLEARLY]
    better = max(others, key=lambda found: found[1].low, default=None)
    layers, gradients = _inside(fit)
    flat = [layer for layer in layers if layer.spread < FLAT or max(layer.dead, layer.saturated) > MOSTLY]
    last = _last_epochs(tables.history, name)
    return Signs(
        name, _is_stuck(last, _loss_of_guessing(predictions, name, fit)),
        _is_memorized(last, max(chance, tables.largest_share)),
        _is_misreading(predictions, name, scores[name], chance), scores[name], chance,
        better, better is not None and _is_worse(predictions, name, better[0]), flat, layers, gradients,
    )  # fmt: skip


def _readers(modalities: Modalities, name: str) -> list[str]:
    """Return the contenders that read at least one modality, and only modalities that contender *name* reads."""
    own = set(modalities[name])
    return [other for other, reads in modalities.items() if reads and set(reads) <= own]


def _score(predictions: Frame, name: str, part: str = "test") -> Estimate:
    rows = prediction_arrays(predictions, [name], part)
    if not rows.ids:
        return Estimate(0.0, 0.0, 0.0)
    return rows.balanced(rows.is_correct(name), draws=DRAWS)


def _is_worse(predictions: Frame, name: str, better: str) -> bool:
    """Return whether contender *better* is more accurate on the test rows of both, whole interval included."""
    rows = prediction_arrays(predictions, [name, better])
    if not rows.ids:
        return False
    return rows.balanced(rows.is_correct(name).astype(float) - rows.is_correct(better), draws=DRAWS).high < 0


def _is_misreading(predictions: Frame, name: str, test: Estimate, chance: float) -> bool:
    """Return whether validation rows of a fold are at chance, and clearly worse than training and test rows."""
    train = _score(predictions, name, "train")
    least = min(test.low, train.low)
    rows = prediction_arrays(predictions, [name], "validation")
    each = (rows.of_fold(fold) for fold in np.unique(rows.folds))
    found = (fold.balanced(fold.is_correct(name), draws=DRAWS) for fold in each)
    return any(part.value <= chance + NEAR and least > max(chance + CLEARLY, part.high) for part in found)


def _last_epochs(history: Frame, name: str) -> Frame:
    return history.filter(contender=name).filter(
        pl.col("epoch") == pl.col("epoch").max().over("seed", "fold", "branch")
    )


def _is_stuck(last: Frame, loss_of_guessing: float) -> bool:
    """Return whether the training loss of every fit ends near *loss_of_guessing*."""
    losses = last["train_loss"]
    return len(losses) > 0 and bool((losses >= STUCK * loss_of_guessing).all())


def _loss_of_guessing(predictions: Frame, name: str, fit: ContenderFit | None) -> float:
    """Return the entropy of the classes with their weights in the loss of *name*: ln K if all weigh the same."""
    labels = predictions.filter(contender=name, part="train")["label"]
    shares = labels.value_counts(normalize=True)["proportion"].to_numpy()
    if fit is not None and getattr(fit.model, "class_weight", None) == "balanced":
        return float(np.log(len(shares)))
    return float(-(shares * np.log(shares)).sum())


def _is_memorized(last: Frame, guessing: float) -> bool:
    """Return whether the mean training accuracy ends nearly perfect, and validation accuracy near *guessing*."""
    train, validation = last["train_score"].mean(), last["valid_score"].mean()
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
