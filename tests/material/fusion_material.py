"""Made-up comparisons of text, image and both, with models whose encoders are numbers: no training, known truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from check_material import inputs_of
from counterpoint.compare import choose_primary, differences
from counterpoint.config import Evaluate
from counterpoint.contenders.encoded import Encoded, EncodedModality, with_mean
from counterpoint.diagnose import Inputs
from counterpoint.measures.contender_fits import ContenderFit
from counterpoint.metrics import scores
from counterpoint.schema import COSTS, DIFFERENCES, PREDICTIONS, SCORES

SIGNAL_LOGIT = 3.0
"""What a signal adds to the logit of its class."""
RULES = Evaluate(metrics=("balanced_accuracy", "accuracy"))


@dataclass(frozen=True)
class Signals:
    """How often the text, the image, both at once, or only the two together tell the class."""

    text: float = 0.0
    image: float = 0.0
    redundant: float = 0.0
    joint: float = 0.0


def made_rows(
    signals: Signals, n: int, *, classes: int = 2, seed: int = 0, shares: tuple[float, ...] = ()
) -> pl.DataFrame:
    """Return pairs whose text and image are numbers: evidence for each class, and half of what only both tell."""
    rng = np.random.default_rng(seed)
    truth, half = rng.integers(0, classes, (2, n))
    truth = rng.choice(classes, n, p=shares) if shares else truth
    text, image, redundant, joint = (rng.random(n) < getattr(signals, name) for name in Signals.__annotations__)
    is_joint = joint[:, None]
    columns = {}
    for name, is_signal, code in (
        ("text", text | redundant, half),
        ("image", image | redundant, (truth - half) % classes),
    ):
        evidence = rng.normal(0, 0.8, (n, classes))
        evidence[np.arange(n), truth] += SIGNAL_LOGIT * is_signal
        coded = np.eye(classes)[code] * is_joint
        columns[name] = [" ".join(f"{value:.3f}" for value in row) for row in np.hstack([evidence, coded])]
    parts = np.resize(["train", "validation", "test", "test"], n)
    ids = [f"{row:05d}" for row in range(n)]
    label = [f"class_{code}" for code in truth]
    return pl.DataFrame({"id": ids, **columns, "label": label, "group": ids, "fold": parts})


@dataclass
class Made:
    """A model of made rows: how loud it hears each side and the two together, and its own noise."""

    text: float = 1.0
    image: float = 1.0
    joint: float = 0.0
    noise: float = 0.3
    off: float = 0.0
    """What a missing side adds to the logit of the first class."""
    classes: int = 2
    seed: int = 0
    shares: tuple[float, ...] = ()
    """The class shares under which it answers.  Without them, classes are equal."""

    @property
    def class_shares_(self) -> np.ndarray:
        return np.array(self.shares or [1 / self.classes] * self.classes)

    @property
    def classes_(self) -> np.ndarray:
        return np.array([f"class_{code}" for code in range(self.classes)])

    def encoded(self, pairs: pl.DataFrame) -> Encoded:
        encoded = [self._encoded(pairs[name]) for name in ("text", "image")]
        return Encoded(*encoded, join=self._join)

    def predict_proba(self, pairs: pl.DataFrame) -> np.ndarray:
        rows = np.arange(len(pairs))
        logits = self.encoded(pairs).logits(rows, rows)
        proba = np.exp(logits - logits.max(1, keepdims=True))
        return proba / proba.sum(1, keepdims=True)

    def _encoded(self, column: pl.Series) -> EncodedModality:
        k = self.classes
        nothing = " ".join(["0"] * 2 * k)
        values = np.array([[float(word) for word in text.split()] for text in column.fill_null(nothing)])
        rng = np.random.default_rng([self.seed, len(values), column.name == "text"])
        values[:, :k] += rng.normal(0, self.noise, (len(values), k))
        is_there = column.is_not_null().to_numpy()
        terms = np.column_stack([np.where(is_there[:, None], values, 0), is_there])
        return EncodedModality(values, with_mean(np.vstack([terms, np.zeros(2 * k + 1)]), is_there))

    def _join(self, text: np.ndarray, image: np.ndarray) -> np.ndarray:
        k = self.classes
        logits = self.text * text[:, :k] + self.image * image[:, :k]
        for a in range(k):
            for b in range(k):
                logits[:, (a + b) % k] += self.joint * text[:, k + a] * image[:, k + b]
        logits += np.log(self.class_shares_)
        logits[:, 0] += self.off * ((text[:, -1] == 0) | (image[:, -1] == 0))
        return logits


def usual(classes: int = 2, **joint: Any) -> dict[str, Made]:
    """Return a model of each modality, one that adds the two, and one that is trained jointly."""
    return {
        "text-lstm": Made(image=0, noise=0.2, classes=classes, seed=1),
        "image-cnn": Made(text=0, noise=0.5, classes=classes, seed=2),
        "late-fusion": Made(classes=classes, seed=3),
        "lstm-cnn": Made(**{"classes": classes, "seed": 4} | joint),
    }


def inputs_of_models(pairs: pl.DataFrame, models: dict[str, Made], *, rules: Evaluate = RULES, **parts: Any) -> Inputs:
    """Return the inputs of a study of *pairs* with *models*, and the majority beside them."""
    reads = {"text-lstm": ("text",), "image-cnn": ("image",)}
    modalities = {"majority": ()} | {name: reads.get(name, ("text", "image")) for name in models}
    proba = {"majority": np.tile([0.51] + [0.49 / (pairs["label"].n_unique() - 1)] * (pairs["label"].n_unique() - 1),
                                 (len(pairs), 1))}  # fmt: skip
    proba |= {name: model.predict_proba(pairs) for name, model in models.items()}
    predictions = pl.concat([_predictions(pairs, name, values) for name, values in proba.items()])
    primary = choose_primary(predictions, modalities, "balanced_accuracy")
    folds = {part: pairs.filter(fold=part) for part in ("train", "validation", "test")}
    fits = {name: ContenderFit(model, **folds) for name, model in models.items()}
    costs = [{"contender": name, "seed": 0, "fold": "test", "fit_s": 1.0 + (name == "lstm-cnn")} for name in models]
    given: dict[str, Any] = {
        "scores": scores(predictions, rules).select(*SCORES),
        "differences": differences(predictions, rules, primary, modalities).select(*DIFFERENCES),
        "primary": primary,
        "modalities": modalities,
        "additive": tuple(name for name in models if name == "late-fusion"),
        "members": {"late-fusion": ("text-lstm", "image-cnn")},
        "predictions": predictions,
        "costs": pl.DataFrame(costs, schema=dict(COSTS)),
        "fit_of": fits.get,
    }
    return inputs_of(pairs, **(given | parts))


def _predictions(pairs: pl.DataFrame, name: str, proba: np.ndarray) -> pl.DataFrame:
    own = {"contender": name, "seed": 0, "fold": "test"}
    chances = [pl.Series(f"p_class_{code}", proba[:, code]) for code in range(proba.shape[1])]
    frame = pairs.select("id", *(pl.lit(value).alias(key) for key, value in own.items()), "group", "label", part="fold")
    return frame.with_columns(pl.col("seed").cast(pl.Int64), *chances).select(*PREDICTIONS, pl.col("^p_.*$"))
