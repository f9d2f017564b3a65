"""Predictions of new pairs by the fitted contenders of a study."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint.config import StudyConfig, Text
from counterpoint.contenders.fit_task import is_done
from counterpoint.contenders.inputs import as_pairs, with_masks
from counterpoint.contenders.kept.files import load
from counterpoint.errors import ConfigError, ImageError, RunFolderError, did_you_mean
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.metrics import decide
from counterpoint.rules import check_pattern, pattern
from counterpoint.runs.finished import AGAIN, Fits, read_finished, settings_of_run
from counterpoint.schema import Frame


def predict_frame(model: Any, frame: Any, *, metric: str = "accuracy") -> Frame:
    """Return the predictions of a fitted *model*: id (where the frame has it), label and p_<class> of each row.

    A text or image column that the frame lacks counts as missing in every row.

    Parameters
    ----------
    model
        *model* is a fitted contender.
    frame
        *frame* holds the pairs.
    metric
        *metric* is the metric for which ``label``, the predicted class, is the best.

    Examples
    --------
    >>> from counterpoint.contenders.majority import Majority
    >>> model = Majority().fit(pl.DataFrame({"text": ["a", "b", "c"]}), ["cat", "dog", "dog"])
    >>> predict_frame(model, pl.DataFrame({"id": ["x"]})).drop("p_cat").to_dicts()
    [{'id': 'x', 'label': 'dog', 'p_dog': 0.6666666666666666}]
    """
    pairs = as_pairs(frame)
    lacking = [pl.lit(None, pl.String).alias(name) for name in ("text", "image") if name not in pairs.columns]
    proba = model.predict_proba(pairs.with_columns(lacking))
    codes = decide(proba, metric=metric, shares=model.class_shares_)
    chances = [pl.Series(f"p_{name}", proba[:, column]) for column, name in enumerate(model.classes_)]
    label = pl.Series("label", np.asarray(model.classes_)[codes]).cast(pl.String)
    return pairs.select(pl.col("^id$"), label, *chances)


def predict_pair(
    run_folder: Path,
    contender: str,
    *,
    text: str | None = None,
    image: Path | None = None,
    trusted: Collection[str] = (),
) -> dict[str, float]:
    """Return the probability of each class for one pair: the mean over the fits (folds, seeds) of a contender.

    The words that the study masks are first removed from the text.

    Parameters
    ----------
    run_folder
        *run_folder* is the folder of a finished study.  It may come from a stranger: only code of this package and of
        *trusted* runs.
    contender
        *contender* is the name of a contender in that study.
    text, image
        *text* and *image* are the pair.  One of them may be None.
    trusted
        *trusted* are classes from outside this package that may be imported, such as ``my_lab.bayes:CharBayes``.

    Returns
    -------
    The probability of each class, by class.

    Raises
    ------
    UnreadableFitError
        When a fit is damaged, was not kept, or has a class that is not trusted.
    RunFolderError
        When *run_folder* holds no finished study.
    ConfigError
        When the study has no such contender, or the contender reads neither *text* nor *image* as given.
    ImageError
        When the image does not exist, or cannot be used.
    """
    if not any(run_folder.glob("fits/*/done.json")):
        raise RunFolderError(f"{run_folder} holds no fitted contenders. counterpoint run makes them.")
    results, fits = read_finished(run_folder)
    models = [load(folder, trusted=trusted) for folder in _folders(run_folder, contender, fits)]
    needed = models[0].modalities
    if needed and not any({"text": text, "image": image}[name] is not None for name in needed):
        raise ConfigError(f"{contender} reads {' and '.join(needed)}. Give --{' or --'.join(needed)}.")
    pair = _pair(text, image, _text_rules(results, run_folder))
    chances = pl.concat([predict_frame(model, pair).select(pl.col("^p_.*$")) for model in models], how="diagonal")
    mean = chances.fill_null(0.0).mean().row(0, named=True)
    return {name.removeprefix("p_"): chance for name, chance in sorted(mean.items())}


def _pair(text: str | None, image: Path | None, rules: Text) -> Frame:
    columns = {"text": pl.String, "image": pl.String}
    pair = pl.DataFrame([[text, image and str(image.absolute())]], schema=columns, orient="row")
    pair = inspect_images(with_masks(pair, rules), Limits())
    status = pair["image_status"].item()
    if image is not None and status != "ok":
        raise ImageError("missing_file" if status == "missing" else status, str(image))
    return pair


def _text_rules(results: Mapping[str, Any], run_folder: Path) -> Text:
    """Return the settings for texts of the study, whose file may come from a stranger."""
    rules = StudyConfig.read(settings_of_run(results.get("config"), run_folder), where=str(run_folder)).text
    check_pattern(pattern(rules.mask, match=rules.match, ignore_case=rules.ignore_case), where=f"{run_folder}: mask")
    return rules


def _folders(run_folder: Path, contender: str, fits: Fits) -> list[Path]:
    """Return the folders of the fits of *contender* in the finished study, and check that each is complete."""
    if contender not in fits:
        raise ConfigError(f"{run_folder} has no contender {contender!r}.{did_you_mean(contender, fits)}")
    folders = {run_folder / "fits" / fit: key for fit, key in fits[contender].items()}
    for folder, key in folders.items():
        if not is_done(folder, key):
            raise RunFolderError(f"{folder} is damaged, or of other settings; {AGAIN}.")
    return list(folders)
