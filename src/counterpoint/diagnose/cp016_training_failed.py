"""CP016: a network that has not learned, and the layer that lost the signal.

Five signs are measured:

- The training loss of the epoch whose weights are kept is the entropy of the classes, or these weights predict their
  own training rows near chance.
- The outputs of a layer are the same for all rows, and another contender of the same modality is better.
- Validation and test rows are at chance and training is nearly perfect, although another contender is above chance.
- Only validation rows are at chance.
- Validation rows, or validation and test rows, are not their own: agreement with their labels is far below that of test
  rows, or the learning curves show it (`counterpoint.measures.learning_curves`).

A softmax over many units is the usual cause of the second sign: each output stays near one over the number of units.
Without another contender that reads the modality, a network at chance is no failure.

Takes about 0.5 s for each network at 64 px: one batch of test rows forwards, one backwards.
"""

from typing import Any, NamedTuple, final

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.other_rows import LABEL, OtherRows, evaluated_on_other_rows, wrong_modality
from counterpoint.diagnose.training_signs import Signs, Tables, signs_of
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import FitOf
from counterpoint.networks.layer_activity import Activity
from counterpoint.schema import Frame

UNLEARNED, IN_PART = "has not learned", "was trained in part only"
MEMORIZED = "has memorized its training rows, or reads other rows differently"
MISREADS = "reads validation rows differently"
OTHER_ROWS = "was evaluated on validation and test rows that are not its own"
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


@final
class TrainingFailed(Check):
    """Look at the curves and the layers of every network of the study."""

    code = "CP016"
    title = "Training failed"
    advice = (
        "Repair the named layer or setting: another activation, less dropout, or another learning rate. "
        "Where validation rows are named, give them their own labels, texts and images."
    )
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
        tables = Tables(history, predictions, modalities, float(shares.max(initial=0.0)))
        signs = [signs_of(tables, name, fit_of(name)) for name in names]
        others = evaluated_on_other_rows(history, predictions, modalities)
        found = [failure for each in signs if (failure := _failure(each, others.get(each.contender)))]
        failed = {each.contender: each.kind for each in found if each.kind}
        flat = {each.contender: [layer.layer for layer in each.layers.flat] for each in signs if each.layers.flat}
        evidence = {"failed": failed, "flat": flat, "table": _table(signs)}
        if others:
            wrong = wrong_modality(predictions, modalities, list(others.values()))
            evidence["other_rows"] = {name: _evidence(other) | {"wrong": wrong} for name, other in others.items()}
        if not found:
            sound = f"No sign of failed training in the networks of the study ({len(signs)}). "
            layers = "No layer has the same output for all rows, and no kept weights only guess on their training rows."
            return self.finding("info", SUBJECT, sound + layers, **evidence)
        first, severity = next(iter(failed), found[0].contender), "fail" if failed else "warn"
        explanation = " ".join(each.explanation for each in found)
        return self.finding(severity, first, f"{explanation} {CAUSE[wrong]}" if others else explanation, **evidence)


CAUSE = {
    (LABEL,): "Models of the text and models of the image fail on these rows alike: their labels are wrong, or whole "
    "rows are. Look for a second shuffle, another seed, or an index that was not reset.",
    ("text",): "Models of the image do not fail on these rows: their texts are not their own, or are read differently.",
    (
        "image",
    ): "Models of the text do not fail on these rows: their images are not their own, or are read differently.",
    (
        "text",
        LABEL,
    ): "Their texts or their labels are wrong. A model of the image that is better than chance would tell.",
    ("image", LABEL): "Their images or their labels are wrong. A model of the text that is better than chance would "
    "tell.",
    (): "Models of one modality do not fail on these rows, so the network alone reads them differently.",
    ("text", "image", LABEL): "Whether texts, images or labels are wrong is open: no model of one modality is clear.",
}
"""The sentence on the cause, by the candidates."""


def _evidence(other: OtherRows) -> dict[str, Any]:
    return {
        "shown_by": other.contender,
        "parts": other.parts,
        "share": round(other.share, 3),
        "accuracy": round(other.validation.accuracy, 4),
        "chance_agreement": round(other.validation.chance, 4),
    }


def _of_other_rows(name: str, other: OtherRows) -> Failure:
    """Return the failure of a network whose validation rows, or validation and test rows, are not their own."""
    is_test = "test" in other.parts
    validation, reference = other.validation, other.reference
    affected = "" if name == other.contender else f"{name} has the same rows. "
    explanation = (
        f"{affected}{other.contender} is right on {numbers.share(reference.accuracy, decimals=1)} of "
        f"{'training' if is_test else 'test'} rows, but on {numbers.share(validation.accuracy, decimals=1)} of "
        f"validation rows. Chance agreement there is {numbers.share(validation.chance, decimals=1)}. It is as if about "
        f"{numbers.share(other.share)} of the {' and '.join(other.parts)} rows were not their own. {other.reason}"
    )
    return Failure(name, OTHER_ROWS if is_test else MISREADS, explanation.strip())


def _failure(signs: Signs, other: OtherRows | None) -> Failure | None:
    """Return the failure of a network, or None."""
    name, kind = signs.contender, _kind(signs)
    if other is not None and kind != UNLEARNED:
        return _of_other_rows(name, other)
    some = _some_fits(signs) if kind is None else ""
    if kind is None and not signs.layers.flat:
        return Failure(name, None, some) if some else None
    is_seen = kind == UNLEARNED and not signs.parts.is_stuck
    first = f"{name} {UNLEARNED_ROWS if is_seen else EXPLANATIONS[kind or IN_PART]}"
    epoch = OTHER_EPOCH if kind == UNLEARNED and signs.parts.has_learned_in_another_epoch else ""
    parts = [first, some, epoch, _better(signs) if kind else "", ADVICE.get(kind or "", ""), _flat_layers(signs)]
    return Failure(name, kind, " ".join(part for part in parts if part))


FAULTS = "such as a tokenizer fitted again, or texts shuffled against labels"
EXPLANATIONS = {
    UNLEARNED: "has not learned: the training loss of the epoch whose weights are kept is the loss of guessing.",
    MEMORIZED: "is nearly perfect on training rows and near chance on validation and test rows.",
    MISREADS: "is near chance on validation rows only, so it reads them differently from training and test rows.",
    IN_PART: "was trained in part only.",
}
UNLEARNED_ROWS = "has not learned: its kept weights predict its own training rows no better than guessing."
OTHER_EPOCH = (
    "Other epochs have a lower training loss, but early stopping found no lower validation loss. "
    "Give it more validation rows, or a longer patience."
)
ADVICE = {
    MEMORIZED: "Over-fitting alone does not lose the signal of a modality. The network memorized its training rows, "
    f"or it reads other rows differently. Find the fault, {FAULTS}.",
    MISREADS: f"Find the fault, {FAULTS}. Validation rows decide when training stops and which model is chosen.",
}


def _kind(signs: Signs) -> str | None:
    """Return the kind of a certain failure, or None."""
    parts, test, is_flat = signs.parts, signs.test, bool(signs.layers.flat)
    if (parts.is_stuck or parts.is_untrained) and (test.is_worse or (test.is_at_chance and is_flat)):
        return UNLEARNED
    if parts.is_misreading:
        return MISREADS
    if parts.is_memorized and test.is_at_chance and test.better:
        return MEMORIZED
    return IN_PART if is_flat and test.is_worse else None


def _some_fits(signs: Signs) -> str:
    """Return the sentence on fits that have not learned, where others have, or nothing."""
    untrained, better = signs.parts.untrained, signs.test.better
    if not signs.parts.is_untrained_in_part or better is None:
        return ""
    n_fits = len(signs.parts.on_training_rows)
    named = ", ".join(f"fold {fold} with seed {seed}" for fold, seed in untrained[:3])
    return (
        f"{numbers.count(len(untrained))} of {numbers.count(n_fits)} fits of {signs.contender} ({named}) predict their "
        f"own training rows no better than guessing, and {better[0]} is better than chance. Train them "
        "again with another seed, more epochs or another learning rate."
    )


def _better(signs: Signs) -> str:
    """Return the sentence on the better contender."""
    if signs.test.better is None:
        return ""
    name, score = signs.test.better
    return (
        f"But {name}, which reads no other modality, has a balanced accuracy of {numbers.score_with_interval(*score)}."
    )


def _flat_layers(signs: Signs) -> str:
    """Return the sentences on the flat layers, and the remedy."""
    flat = signs.layers.flat
    if not flat:
        return ""
    # The layers behind a softmax are flat as well: the cause is named first.
    first = next((layer for layer in flat if _is_softmax(layer)), flat[0])
    others = [layer.layer for layer in flat if layer is not first][:3]
    spread = numbers.share(first.spread, decimals=2)
    sentences = [f"The outputs of {first.layer} ({_kind_of(first)}) differ over rows by {spread} of their size."]
    if _is_softmax(first):
        sentences.append("A softmax between layers starves the layers that follow.")
    if others:
        sentences.append(f"Other flat layers: {', '.join(others)}.")
    return " ".join(
        [
            *sentences,
            "Use ReLU there, and check the learning rate and the dropout.",
            *_gradients(signs.layers.gradients),
        ]
    )


def _is_softmax(layer: Activity) -> bool:
    return "softmax" in layer.kind.lower()


def _kind_of(layer: Activity) -> str:
    return f"{layer.kind} over {layer.width} units, mean {layer.mean:.4f}" if _is_softmax(layer) else layer.kind


def _gradients(norms: dict[str, float]) -> list[str]:
    """Return the sentence on the gradient of each branch, if there are two."""
    branches = {part: norm for part, norm in norms.items() if part in ("text", "image")}
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
        for each in signs for layer in each.layers.layers
    ]  # fmt: skip
    return sorted(rows, key=lambda row: float(str(row["spread"])))[:SHOWN]
