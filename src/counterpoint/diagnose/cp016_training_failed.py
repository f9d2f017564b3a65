"""CP016: a network that has not learned, and the layer in which what it was told is lost.

Four signs, each measured: the training loss has stayed at the entropy of the classes; the outputs of a layer are the
same for all rows (as those of a softmax over many units, each of which stays near one over their number) and another
contender makes more of the same modality; validation and test stay at chance while training is nearly perfect, although
another reads the modality well; validation rows alone are at chance.  That a network stays at chance is no failure
where nobody reads anything from its modalities.

Takes about .5 s a network at 64 px: one batch of test rows forwards, one backwards.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import ContenderFit, FitOf
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.networks.layer_activity import Activity
from counterpoint.schema import Frame

FLAT = 0.05
"""A layer whose outputs differ by less of their size over rows passes hardly anything on.

Of sound layers here the least had .19; those behind a hidden softmax stay below .04.
"""
MOSTLY = 0.95
"""Of units dead or outputs saturated, from here on a layer passes nothing on."""
STUCK = 0.98
"""A training loss of at least this share of the classes' entropy has not fallen."""
PERFECT = 0.95
"""Training accuracy from which on a network has learned its rows by heart, or the rule."""
CLEARLY = 0.10
"""By so much another contender must be above chance, at the least, before one at chance is said to have failed."""
NEAR = 0.05
"""Rows of which so much more than chance is told, or less, are near chance."""
UNLEARNED, IN_PART = "has not learned", "was trained in part only"
BY_HEART = "reads other rows than those of training differently, or has learned those by heart"
MISREADS = "reads validation rows differently"
BATCH, DRAWS = 128, 300
SUBJECT = "training"
SHOWN = 12


class Failure(NamedTuple):
    """What failed in one network; *kind* is how the verdict says it, and None of what only warns."""

    contender: str
    kind: str | None
    explanation: str


class Signs(NamedTuple):
    """What was seen of one network."""

    contender: str
    is_stuck: bool
    is_by_heart: bool
    """Training nearly perfect, validation at chance."""
    is_misreading: bool
    """Validation at chance, training and test clearly not."""
    score: Estimate
    """Balanced accuracy on test rows."""
    chance: float
    better: tuple[str, Estimate] | None
    """A contender that reads no more than it does, and its balanced accuracy, clearly above chance."""
    is_short: bool
    """That contender is right more often on the same test rows, interval and all."""
    flat: Sequence[Activity]
    layers: Sequence[Activity]
    gradients: dict[str, float]

    @property
    def is_at_chance(self) -> bool:
        """Say whether test rows are told hardly better than by guessing, or not clearly so."""
        return self.score.low <= self.chance + 0.01 or self.score.value <= self.chance + NEAR


@final
class TrainingFailed(Check):
    """Look at the curves and the layers of every network of the study."""

    code = "CP016"
    title = "Training failed"
    cost = Cost("0.5 s for each network: it asks it about one batch")
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
            sound = f"Each of {len(signs)} networks was trained: no layer says the same of all rows, no loss stayed at"
            return self.finding("info", SUBJECT, f"{sound} chance.", **evidence)
        first, severity = next(iter(failed), found[0].contender), "fail" if failed else "warn"
        return self.finding(severity, first, " ".join(each.explanation for each in found), **evidence)


class _Tables(NamedTuple):
    """The tables that show whether a network was trained, and the share of the most frequent class."""

    history: Frame
    predictions: Frame
    modalities: Modalities
    largest_share: float


def _failure(signs: Signs) -> Failure | None:
    """Return what failed; None where nothing did."""
    name, kind, where = signs.contender, _kind(signs), _where(signs)
    if kind is None:
        return Failure(name, None, f"{name} was trained, but in part.{where}") if signs.flat else None
    return Failure(name, kind, f"{name} {EXPLANATIONS[kind]}{_though(signs)}{SEE.get(kind, '.')}{where}")


EXPLANATIONS = {
    UNLEARNED: "has not learned: its training loss stayed at that of guessing",
    BY_HEART: "is nearly perfect on training rows and near chance on validation and test rows",
    MISREADS: "is near chance on validation rows alone: it reads them differently from training and test rows",
    IN_PART: "was trained in part only",
}
HOW_READ = "a tokenizer fitted again, texts shuffled against labels"
SEE = {
    BY_HEART: ": this is not what over-fitting looks like where the modality tells the class. It reads other rows "
    f"differently from training rows ({HOW_READ}), or has learned its rows by heart.",
    MISREADS: f". See how they are made ({HOW_READ}): it was stopped, and is chosen, by them.",
}  # fmt: skip


def _kind(signs: Signs) -> str | None:
    """Return how the training failed, for certain; None where it did not."""
    if signs.is_stuck and (signs.is_short or (signs.is_at_chance and signs.flat)):
        return UNLEARNED
    if signs.is_misreading:
        return MISREADS
    if signs.is_by_heart and signs.is_at_chance and signs.better:
        return BY_HEART
    return IN_PART if signs.flat and signs.is_short else None


def _though(signs: Signs) -> str:
    if signs.better is None:
        return ""
    name, score = signs.better
    return f", although {name}, which reads no more, reaches {score.value:.3f} ({score.low:.3f} to {score.high:.3f})"


def _where(signs: Signs) -> str:
    if not signs.flat:
        return ""
    # What stands behind a softmax is flat as well: the cause is named first.
    first = next((layer for layer in signs.flat if "softmax" in layer.kind.lower()), signs.flat[0])
    others = [layer.layer for layer in signs.flat if layer is not first][:3]
    what = f" Outputs differ over rows by {first.spread:.2%} of their size in {first.layer} ({first.kind}"
    reason = f" over {first.width} units, a mean of {first.mean:.4f}: softmax between layers starves what follows" * (
        "softmax" in first.kind.lower()
    )
    more = f"; so too in {', '.join(others)}" if others else ""
    return f"{what}{reason}){more}. Use ReLU there, and look at the rate and the dropout.{_starved(signs)}"


def _starved(signs: Signs) -> str:
    branches = {part: norm for part, norm in signs.gradients.items() if part in ("text", "image")}
    if len(branches) < 2:
        return ""
    total = sum(branches.values()) or 1.0
    return (
        " Of the branches' gradient, "
        + " and ".join(f"{n / total:.1%} is {part}'s" for part, n in branches.items())
        + "."
    )


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
        _is_by_heart(last, max(chance, tables.largest_share)),
        _is_misreading(predictions, name, scores[name], chance), scores[name], chance,
        better, better is not None and _is_short(predictions, name, better[0]), flat, layers, gradients,
    )  # fmt: skip


def _readers(modalities: Modalities, name: str) -> list[str]:
    """Return the contenders that read something, and nothing that contender *name* does not."""
    reads = set(modalities[name])
    return [other for other, theirs in modalities.items() if theirs and set(theirs) <= reads]


def _score(predictions: Frame, name: str, part: str = "test") -> Estimate:
    rows = prediction_arrays(predictions, [name], part)
    if not rows.ids:
        return Estimate(0.0, 0.0, 0.0)
    return rows.balanced(rows.is_correct(name), draws=DRAWS)


def _is_short(predictions: Frame, name: str, better: str) -> bool:
    """Say whether contender *better* is right more often on the test rows of both, interval and all."""
    rows = prediction_arrays(predictions, [name, better])
    if not rows.ids:
        return False
    return rows.balanced(rows.is_correct(name).astype(float) - rows.is_correct(better), draws=DRAWS).high < 0


def _is_misreading(predictions: Frame, name: str, test: Estimate, chance: float) -> bool:
    """Say whether validation rows of a fit are at chance, and clearly less well told than training and test rows."""
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
    """Say whether the training loss ends where guessing would have it, in every fit."""
    losses = last["train_loss"]
    return len(losses) > 0 and bool((losses >= STUCK * loss_of_guessing).all())


def _loss_of_guessing(predictions: Frame, name: str, fit: ContenderFit | None) -> float:
    """Return the entropy of the classes as they weigh in the loss of *name*: ln K where all weigh the same."""
    labels = predictions.filter(contender=name, part="train")["label"]
    shares = labels.value_counts(normalize=True)["proportion"].to_numpy()
    if fit is not None and getattr(fit.model, "class_weight", None) == "balanced":
        return float(np.log(len(shares)))
    return float(-(shares * np.log(shares)).sum())


def _is_by_heart(last: Frame, guessing: float) -> bool:
    """Say whether training ends nearly perfect and validation near the accuracy of *guessing*, on the mean of fits."""
    train, validation = last["train_score"].mean(), last["valid_score"].mean()
    if not isinstance(train, float) or not isinstance(validation, float):
        return False
    return train >= PERFECT and validation <= guessing + NEAR


def _inside(fit: ContenderFit | None) -> tuple[list[Activity], dict[str, float]]:
    """Return the activity of each layer on some test rows, and the gradient's norm in each part; none of no network."""
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
