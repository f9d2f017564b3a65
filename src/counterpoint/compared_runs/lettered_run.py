"""A finished run folder as a comparison reads it: results, settings, fits, the rows and their predictions."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint.compared_runs.results_form import DifferenceForm, Results, ScoreForm, results_in_form
from counterpoint.errors import ConfigError, RunFolderError, SchemaError, did_you_mean
from counterpoint.metrics import METRICS, find_metric, read_part
from counterpoint.metrics.decision import class_shares
from counterpoint.metrics.rows import Floats
from counterpoint.metrics.table import can_import
from counterpoint.runs.finished import AGAIN, Fits, read_finished, settings_of_run
from counterpoint.runs.kept_tables import read_kept_table, stage_key
from counterpoint.runs.places import RESULTS
from counterpoint.schema import PAIRS, PREDICTIONS, TEST_PARTS, Frame, check

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SAME_SCORE = 1e-6
"""Scores of results.json and of the predictions differ by less, if they belong together."""


@dataclass(frozen=True)
class LetteredRun:
    """A finished study in its run folder, with the letter that stands for it.

    Parameters
    ----------
    letter, folder
        *letter* stands for the run in tables, and *folder* is its run folder as it was given.
    results, config, fits
        *results* is the content of results.json, *config* the settings in it, and *fits* the key of each fit.
    rows
        *rows* are the pairs: id, label, group, fold, text without masks, and sha256 of the image.
    test
        *test* are the test rows of schema.PREDICTIONS.
    shares
        *shares* are the class shares of the training rows, by fold.
    trusted
        *trusted* are metrics from outside this package that may be imported.
    """

    letter: str
    folder: Path
    results: Results
    config: Mapping[str, Any]
    fits: Fits
    rows: Frame
    test: Frame
    shares: Mapping[str, Floats]
    trusted: Sequence[str] = field(default=())

    @cached_property
    def scores(self) -> dict[tuple[str, str], ScoreForm]:
        """The scores on test rows, by contender and metric."""
        tested = [row for row in self.results.scores if row.part in TEST_PARTS]
        return {(row.contender, row.metric): row for row in tested}

    @property
    def contenders(self) -> list[str]:
        """The contenders that have scores on test rows."""
        return list(dict.fromkeys(contender for contender, _ in self.scores))

    @property
    def metrics(self) -> list[str]:
        """The metrics of the scores."""
        return list(dict.fromkeys(metric for _, metric in self.scores))

    @property
    def primary_metric(self) -> str:
        """The metric that decides."""
        return str(_section(self.config, "evaluate").get("primary", "balanced_accuracy"))

    @property
    def confidence(self) -> float:
        """The level of the intervals."""
        level = _section(self.config, "evaluate").get("confidence")
        return level if isinstance(level, float) and 0 < level < 1 else 0.95

    @property
    def n_repeats(self) -> int:
        """How often the comparison was made."""
        n = _section(self.config, "evaluate").get("repeats")
        return n if isinstance(n, int) else 1

    @property
    def contrast(self) -> DifferenceForm | None:
        """The primary contrast with its interval."""
        return next((row for row in self.results.differences if row.is_primary), None)

    @cached_property
    def pairs_key(self) -> str | None:
        """The hash of everything that the pairs were made from."""
        return stage_key(self.folder, "pairs")

    def can_import(self, metric: str) -> bool:
        """Report whether *metric* is of this package, or trusted."""
        return can_import(metric, self.trusted)


def read_runs(folders: Sequence[Path], *, trusted: Sequence[str] = ()) -> list[LetteredRun]:
    """Return the finished studies in *folders*, the first of which is the reference.

    Parameters
    ----------
    folders
        *folders* are run folders.
    trusted
        *trusted* are metrics from outside this package that may be imported, such as ``my_lab.metrics:BRIER``.

    Raises
    ------
    ConfigError
        When there are fewer than two folders, too many, or one of them twice.
    RunFolderError
        When one is missing or damaged, or has no finished study.
    """
    if not 2 <= len(folders) <= len(LETTERS):
        raise ConfigError(f"Got {len(folders)} run folders. Name 2 to {len(LETTERS)}: the first is the reference.")
    places: dict[str, Path] = {}
    for folder in folders:
        if (place := os.path.realpath(folder)) in places:
            raise ConfigError(f"{folder} and {places[place]} are the same run folder. Name two different ones.")
        places[place] = folder
    return [_read_run(folder, letter, trusted) for folder, letter in zip(folders, LETTERS, strict=False)]


def _read_run(folder: Path, letter: str, trusted: Sequence[str]) -> LetteredRun:
    _check_is_run(folder)
    found, fits = read_finished(folder)
    results = results_in_form(found, folder)
    try:
        return _with_tables(folder, letter, results, fits, trusted)
    except SchemaError as error:
        raise RunFolderError(f"A table in {folder} is not usable: {error}") from error


def _with_tables(folder: Path, letter: str, results: Results, fits: Fits, trusted: Sequence[str]) -> LetteredRun:
    predictions = check(read_kept_table(folder, "fits", "predictions"), PREDICTIONS, table="Predictions")
    run = LetteredRun(
        letter, folder, results, settings_of_run(results.config, folder), fits, _rows(folder),
        predictions.filter(part="test"), class_shares(predictions), trusted,
    )  # fmt: skip
    _check_is_one(run)
    return run


def _check_is_run(folder: Path) -> None:
    if (folder / RESULTS).is_file():
        return
    if not os.path.lexists(folder):
        around = folder.parent.iterdir() if folder.parent.is_dir() else ()
        runs = sorted(path.name for path in around if (path / RESULTS).is_file())
        raise RunFolderError(f"{folder} does not exist.{did_you_mean(folder.name, runs) if runs else ''}")
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is not a folder. A run folder is made by counterpoint run: runs/<study>.")
    points = sorted(path.name for path in folder.iterdir() if (path / RESULTS).is_file())
    if points:
        raise RunFolderError(f"{folder} has no {RESULTS}. The run folders in it are {', '.join(points[:5])}.")


def _rows(folder: Path) -> Frame:
    """Return the pairs with their texts as they are in the source, so that a mask makes no other text."""
    pairs = check(read_kept_table(folder, "pairs", "pairs"), PAIRS, table="Pairs")
    records = read_kept_table(folder, "records", "records")
    if not {"row", "text"} <= set(records.columns) or pairs["id"].is_duplicated().any():
        raise RunFolderError(f"{folder / 'tables'} has other columns or repeated ids. {AGAIN}.")
    texts = records.select("row", pl.col("text").cast(pl.String)).unique("row")
    image = pl.col("sha256").cast(pl.String) if "sha256" in pairs.columns else pl.lit(None, pl.String)
    kept = pairs.select("id", "row", "label", pl.coalesce("group", "id").alias("group"), "fold", sha256=image)
    return kept.join(texts, on="row", how="left").drop("row")


def _check_is_one(run: LetteredRun) -> None:
    """Raise if the tables were made with other settings than results.json."""
    labels = run.test.select("id", "label").unique()
    are_pairs = labels.join(run.rows.select("id", "label"), on=["id", "label"], how="anti").is_empty()
    if not are_pairs or not set(run.contenders) <= set(run.test["contender"]) or not _has_its_scores(run):
        raise RunFolderError(f"The tables in {run.folder} are newer than its {RESULTS}. {AGAIN}.")


def _has_its_scores(run: LetteredRun) -> bool:
    name = next((each for each in (run.primary_metric, *run.metrics) if each in METRICS), None)
    if name is None or not run.can_import(run.primary_metric):
        return True
    metric = find_metric(name)
    part = read_part(run.test, "test", run.contenders, primary=run.primary_metric, shares=run.shares)
    values = {
        contender: np.mean([metric(rows.weigh(np.ones((1, len(rows.codes)))))[0] for rows in seeds])
        for contender, seeds in part.trials.items()
    }
    scores = {contender: run.scores.get((contender, name)) for contender in values}
    known = {contender: score.value for contender, score in scores.items() if score and score.value is not None}
    return all(abs(values[contender] - value) < SAME_SCORE for contender, value in known.items())


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}
