"""Small studies, of a few seconds each, on pairs with planted faults."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from counterpoint.config import StudyConfig
from injection.sources import GENERATED, SIDE_PX, Faulty

SIGNALS = {"text_signal": 0.5, "image_signal": 0.5, "joint_signal": 0.6}
"""The signals of clean pairs: each modality shows the class in half of the rows. An exclusive or of both adds more."""
UNGROUPED = {"exact": False, "near_images": False, "near_texts": False}
HOLDOUT = {"kind": "holdout", "test_share": 1 / 3, "validation_share": 0.16}
"""For a fault of one network: its check reads one fit and a third of the rows, as with three folds."""
EPOCHS: Mapping[int, tuple[int, int, int]] = {300: (8, 5, 5), 1000: (5, 3, 3), 3000: (4, 2, 2)}
"""Epochs of the image, text and joint networks, by number of rows."""


class Place(NamedTuple):
    """The size of a study, its ratio of larger to smaller class, the seed of all its draws, and its set."""

    n: int
    ratio: int
    seed: int
    pairs: str = GENERATED


def study(place: Place, source: Mapping[str, Any], contenders: list[Any], **sections: Any) -> StudyConfig:
    """Return a study that is small in all aspects that no check depends on.

    *source* sets the signals and the fault of generated pairs.  Real pairs use only the fault.  With three folds each
    row is a test row once, and each network has three fits, which a comparison needs.
    """
    settings = {
        "study": "draw",
        "source": _source(place, source),
        "split": {"kind": "kfold", "folds": 3, "seed": place.seed},
        "contenders": contenders,
        "fit": {"engine": "inline", "workers": 1},
        "checks": {"encoders": False},
        "evaluate": {"metrics": ["accuracy", "balanced_accuracy"]},
    }  # fmt: skip
    return StudyConfig.read(settings | sections)


def _source(place: Place, source: Mapping[str, Any]) -> dict[str, Any]:
    own = {"n": place.n, "seed": place.seed, "balance": (float(place.ratio), 1.0)}
    if place.pairs == GENERATED:
        return {"kind": "injection.sources:Planted", "side_px": SIDE_PX, **own, **source}
    fault = {name: value for name, value in source.items() if name in {*Faulty.model_fields, "balance"}}
    return {"kind": "injection.sources:Drawn", "pairs": place.pairs, **own, **fault}


def contenders(place: Place, *names: str, **settings: Mapping[str, Any]) -> list[Any]:
    """Return small entries of *names* (default: all), with *settings* by name, which has _ in place of -."""
    image, text, joint = EPOCHS[min(EPOCHS, key=lambda n: abs(n - place.n))]
    small: dict[str, dict[str, Any]] = {
        "majority": {},
        "keyword-rule": {},
        "metadata": {},
        "text-svm": {},
        "text-lstm": {"embed": 16, "hidden": 8, "epochs": text, "batch": 64, "lr": 0.02},
        "image-cnn": {"side_px": SIDE_PX, "width": 8, "augment": 0.0, "epochs": image, "batch": 64, "lr": 0.02},
        "lstm-cnn": {"hidden": 32, "encoder_rate": 0.5, "epochs": joint, "batch": 64, "lr": 0.01},
        "late-fusion": {} if not names or "text-lstm" in names else {"text": ["text-svm"]},
    }
    above = {name.replace("_", "-"): values for name, values in settings.items()}
    return [{"kind": name, "name": name, **small[name], **above.get(name, {})} for name in names or small]
