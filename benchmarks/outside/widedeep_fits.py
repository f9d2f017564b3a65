"""Fit pytorch-widedeep to exported rows, in its own environment: `widedeep_fits.py ROWS OUT FOLD SEED KINDS [EPOCHS]`.

ROWS is a folder of `exported_rows.py`, and KINDS are kinds with commas between them.  For each kind there are two
candidates, with settings that the library documents.  Each stops early by its loss on the validation rows, with the
default patience of the library, and its best epoch is kept.  OUT gets a JSON file for each candidate, with its
probabilities of validation and test rows.  Candidates that have a file are not fitted again.  No candidate reads the
labels of test rows.

Three choices differ from the defaults of the library, in its favour.  Rows are shuffled in each epoch, which its
trainer does not do.  A word has a vector if it occurs twice in the training texts, instead of five times, because texts
are few.  Sequences are as long as the longest training text, instead of 80 words, so that few of them are padding.
"""

import json
import random
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

try:
    import torchvision
except RuntimeError:  # it is built for another torch, and lacks operators of boxes, which nothing here calls
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401
from pytorch_widedeep import Trainer
from pytorch_widedeep.callbacks import EarlyStopping
from pytorch_widedeep.models import AttentiveRNN, BasicRNN, TabMlp, Vision, WideDeep
from pytorch_widedeep.preprocessing import ImagePreprocessor, TabPreprocessor, TextPreprocessor
from pytorch_widedeep.utils import get_texts
from torchvision.transforms import RandomCrop, RandomHorizontalFlip

EPOCHS, BATCH = 30, 32
SIDE_PX = 64
"""The side of the images, as of ours."""
MIN_COUNT, MOST_WORDS = 2, 80
PARTS = ("train", "validation", "test")
MOVED = (RandomHorizontalFlip(), RandomCrop(SIDE_PX, padding=SIDE_PX // 16, padding_mode="reflect"))
"""Random mirroring and shifts of training images, as ours has."""
Arrays = Mapping[str, np.ndarray[Any, Any]]
"""The inputs of each part."""


class Model(NamedTuple):
    """The modules of a model and the other arguments of `WideDeep`, its inputs by name, and transforms of images."""

    modules: Mapping[str, Any]
    inputs: Mapping[str, Arrays]
    transforms: tuple[Any, ...] = ()


class Fold:
    """The rows of one test fold, prepared by the preprocessors of the library, which learn from training rows only.

    Parameters
    ----------
    folder
        *folder* is a folder of `exported_rows.py`.
    name
        *name* is the test fold.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        table = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        whole = pd.DataFrame({"text": table["texts"], "image": table["images"], "code": table["codes"]})
        self.classes, self.places = table["classes"], table["folds"][name]
        self.rows = {part: whole.iloc[places].reset_index(drop=True) for part, places in self.places.items()}

    def prepared(self, preprocessor: Any, rows: Mapping[str, pd.DataFrame]) -> dict[str, np.ndarray[Any, Any]]:
        """Return the arrays of each part, after *preprocessor* has learned from the training rows."""
        train = preprocessor.fit_transform(rows["train"])
        others = {part: preprocessor.transform(rows[part]) for part in PARTS[1:]}
        return {part: np.array(array) for part, array in ({"train": train} | others).items()}

    @cached_property
    def words(self) -> TextPreprocessor:
        """The vocabulary, and sequences as long as the longest training text."""
        longest = max(map(len, get_texts(self.rows["train"]["text"].tolist(), n_cpus=1)))
        most = min(longest, MOST_WORDS)
        return TextPreprocessor("text", min_freq=MIN_COUNT, maxlen=most, n_cpus=1, verbose=0)

    @cached_property
    def text(self) -> dict[str, np.ndarray[Any, Any]]:
        """The numbers of the words, shape (n, words)."""
        return self.prepared(self.words, self.rows)

    @cached_property
    def image(self) -> dict[str, np.ndarray[Any, Any]]:
        """The pixels, shape (n, side, side, 3)."""
        folder = str(self.folder / "images")
        return self.prepared(ImagePreprocessor("image", folder, SIDE_PX, SIDE_PX, verbose=0), self.rows)

    def columns(self, *modalities: str, scale: str | None) -> tuple[TabPreprocessor, dict[str, np.ndarray[Any, Any]]]:
        """Return the vectors of the encoders as continuous columns, and their preprocessor."""
        vectors = np.hstack([np.load(self.folder / f"{modality}.npy") for modality in modalities])
        names = [f"value_{place}" for place in range(vectors.shape[1])]
        rows = {part: pd.DataFrame(vectors[places], columns=names) for part, places in self.places.items()}
        preprocessor = TabPreprocessor(continuous_cols=names, cols_to_scale=scale, verbose=0)
        return preprocessor, self.prepared(preprocessor, rows)


def rnn(fold: Fold, kind: Any = BasicRNN, **settings: Any) -> Any:
    """Return a recurrent network over the words, with the sizes of the library's example with texts and images."""
    assert fold.text  # which learns the words
    return kind(len(fold.words.vocab.itos), embed_dim=100, hidden_dim=64, n_layers=2, rnn_dropout=0.5, **settings)


def text(fold: Fold, **settings: Any) -> Model:
    """Return a recurrent network alone."""
    return Model({"deeptext": rnn(fold, **settings)}, {"X_text": fold.text})


def image(fold: Fold, **settings: Any) -> Model:
    """Return a network of convolutions alone."""
    return Model({"deepimage": Vision(**settings)}, {"X_img": fold.image}, MOVED)


def joint(fold: Fold, **head: Any) -> Model:
    """Return both networks, joined by the sum of their logits, or by the layers of a *head*.

    Both have strides of 2.  With the default strides, a fit would take many times as long.
    """
    modules = {"deeptext": rnn(fold), "deepimage": Vision(strides=2), **head}
    return Model(modules, {"X_text": fold.text, "X_img": fold.image}, MOVED)


def perceptron(fold: Fold, *modalities: str, scale: str | None = "all", norm: str | None = None) -> Model:
    """Return the default perceptron over the vectors of the encoders of *modalities*."""
    preprocessor, arrays = fold.columns(*modalities, scale=scale)
    layers = TabMlp(preprocessor.column_idx, continuous_cols=preprocessor.continuous_cols, cont_norm_layer=norm)
    return Model({"deeptabular": layers}, {"X_tab": arrays})


def perceptrons(*modalities: str) -> dict[str, Callable[[Fold], Model]]:
    """Return a perceptron over columns that are scaled, and one with a layer norm over columns as they are.

    A column that is nearly constant in the training rows is scaled to large values in others.
    """
    return {
        "scaled": lambda fold: perceptron(fold, *modalities),
        "normed": lambda fold: perceptron(fold, *modalities, scale=None, norm="layernorm"),
    }


KINDS: Mapping[str, Mapping[str, Callable[[Fold], Model]]] = {
    "text-lstm": {"rnn": text, "attentive": lambda fold: text(fold, kind=AttentiveRNN, bidirectional=True)},
    "image-cnn": {"default": image, "strided": lambda fold: image(fold, strides=2)},
    "lstm-cnn": {"direct": joint, "head": lambda fold: joint(fold, head_hidden_dims=[256, 128])},
    "text-probe": perceptrons("text"),
    "image-probe": perceptrons("image"),
    "pair-probe": perceptrons("text", "image"),
}
"""The candidates of each kind.  The kind is the name of our contender of the same kind."""


def fitted(fold: Fold, make: Callable[[Fold], Model], seed: int, epochs: int) -> dict[str, Any]:
    """Return the probabilities of a fitted candidate for validation and test rows, and its cost."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    modules, inputs, transforms = make(fold)
    is_binary = len(fold.classes) == 2
    model = WideDeep(**modules, pred_dim=1 if is_binary else len(fold.classes))
    stopping = EarlyStopping(restore_best_weights=True)
    trainer = Trainer(
        model, objective="binary" if is_binary else "multiclass", callbacks=[stopping],
        transforms=list(transforms) or None, verbose=0, seed=seed, device="cpu", num_workers=0,
    )  # fmt: skip
    given = {part: {name: arrays[part] for name, arrays in inputs.items()} for part in PARTS}
    labelled = {part: given[part] | {"target": fold.rows[part]["code"].to_numpy()} for part in PARTS[:2]}
    started = perf_counter()
    trainer.fit(
        X_train=labelled["train"], X_val=labelled["validation"], n_epochs=epochs, batch_size=BATCH, shuffle=True
    )
    found = {part: trainer.predict_proba(**given[part]).astype(float).round(7).tolist() for part in PARTS[1:]}
    return {
        **found,
        "epochs": len(trainer.history["train_loss"]),
        "kept_epoch": stopping.best_epoch + 1,
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "took_s": round(perf_counter() - started, 2),
    }


def main() -> None:
    """Fit every candidate that has no file yet."""
    rows, out, name, seed, kinds, *rest = sys.argv[1:]
    torch.set_num_threads(1)
    fold, epochs = Fold(Path(rows), name), int(rest[0]) if rest else EPOCHS
    Path(out).mkdir(parents=True, exist_ok=True)
    for kind, candidate, make in ((each, *own) for each in kinds.split(",") for own in KINDS[each].items()):
        path = Path(out) / f"{kind}.{candidate}.{name}.{seed}.json"
        if not path.exists():
            made = fitted(fold, make, int(seed), epochs)
            draft = path.with_suffix(".tmp")
            draft.write_text(json.dumps(made), encoding="utf-8")
            draft.replace(path)
            print(f"{path.stem}: {made['epochs']} epochs in {made['took_s']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
