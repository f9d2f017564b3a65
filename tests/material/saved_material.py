"""A finished study to save models of, with a contender of every kind that trains fast."""

from pathlib import Path

from counterpoint import Study
from counterpoint.config import StudyConfig

SMALL = {
    "text-lstm": {"embed": 8, "hidden": 8, "epochs": 2, "batch": 16},
    "image-cnn": {"side_px": 16, "width": 4, "epochs": 1, "batch": 16},
    "lstm-cnn": {"epochs": 1, "batch": 16},
    "metadata": {"rounds": 3},
}
"""Settings with which a fit takes less than a second."""
NAMES = (
    "majority",
    "metadata",
    "text-svm",
    "text-ngrams",
    "text-lstm",
    "image-cnn",
    "image-hog",
    "lstm-cnn",
    "late-fusion",
)


def finished_study(folder: Path, *, names=NAMES, n=160, **more) -> Study:
    """Return a finished study of generated pairs whose text and image show the class."""
    config = StudyConfig.read({
        "study": "winner",
        "source": {"kind": "generated", "n": n, "text_signal": 0.8, "image_signal": 0.6, "side_px": 16, "seed": 1},
        "split": {"kind": "kfold", "folds": 3},
        "contenders": [{"kind": name, **SMALL.get(name, {})} for name in names],
        "fit": {"engine": "inline", "workers": 1},
        "checks": {"encoders": False},
        **more,
    })  # fmt: skip
    study = Study(config, runs=folder)
    study.report()
    return study
