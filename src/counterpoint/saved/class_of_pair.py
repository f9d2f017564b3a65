"""The predicted class of one pair by the fits of a study, which is the best one for the study's primary metric."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from counterpoint.metrics import find_metric
from counterpoint.metrics.decision import class_shares, decide
from counterpoint.runs.kept_tables import read_kept_table
from counterpoint.saved.finished_run import FinishedRun
from counterpoint.schema import class_names


def metric_of(run_folder: Path) -> str:
    """Return the primary metric of the study in *run_folder*."""
    return FinishedRun(run_folder).config.evaluate.primary


def class_of_pair(run_folder: Path, chances: Mapping[str, float], *, metric: str) -> str:
    """Return the predicted class of one pair, by the class shares of training: their mean over the test folds.

    Parameters
    ----------
    run_folder
        *run_folder* is the folder of a finished study.
    chances
        *chances* is the result of `predict_pair`: the mean probability of each class over the fits.
    metric
        *metric* is the primary metric of the study, which is imported.

    Raises
    ------
    RunFolderError
        When the predictions of the study are missing or damaged.
    """
    names = list(chances)
    shares = np.ones(len(names))
    if find_metric(metric).share_power:
        predictions = read_kept_table(run_folder, "fits", "predictions")
        mean = np.mean(list(class_shares(predictions).values()), axis=0)
        known = dict(zip(class_names(predictions), mean, strict=True))
        shares = np.array([known.get(name, 0.0) for name in names])
    [place] = decide([list(chances.values())], metric=metric, shares=shares)
    return names[int(place)]
