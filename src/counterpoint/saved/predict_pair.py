"""The prediction of one new pair by the fitted contenders of a study."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from counterpoint.config import Text
from counterpoint.contenders.fit_task import is_done
from counterpoint.contenders.inputs import with_masks
from counterpoint.contenders.kept.files import load
from counterpoint.errors import ConfigError, ImageError, RunFolderError
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.rules import check_pattern, pattern
from counterpoint.runs.finished import AGAIN
from counterpoint.runs.places import fits_folder
from counterpoint.saved.finished_run import FinishedRun
from counterpoint.schema import Frame


def predict_pair(
    run_folder: Path,
    contender: str,
    *,
    text: str | None = None,
    image: Path | None = None,
    trusted: Collection[str] = (),
) -> dict[str, float]:
    """Return the probability of each class for one pair: the mean over the fits (folds, seeds) of a contender.

    A blank text is missing.  The words that the study masks are removed from any other text.

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
    run = FinishedRun(run_folder)
    models = [load(folder, trusted=trusted) for folder in _whole_fits(run, contender)]
    needed = models[0].modalities
    if needed and not any({"text": text, "image": image}[name] is not None for name in needed):
        raise ConfigError(f"{contender} reads {' and '.join(needed)}. Give --{' or --'.join(needed)}.")
    pair = _pair(text, image, _text_rules(run))
    chances = pl.concat([_chances(model, pair) for model in models], how="diagonal")
    return dict(sorted(chances.fill_null(0.0).mean().row(0, named=True).items()))


def _whole_fits(run: FinishedRun, contender: str) -> list[Path]:
    """Return the folders of the fits of *contender*, and check that each is complete."""
    folders = {fits_folder(run.folder) / fit: key for fit, key in run.fits_of(contender).items()}
    for folder, key in folders.items():
        if not is_done(folder, key):
            raise RunFolderError(f"{folder} is damaged, or of other settings; {AGAIN}.")
    return list(folders)


def _text_rules(run: FinishedRun) -> Text:
    """Return the settings for texts of the study, whose file may come from a stranger."""
    rules = run.config.text
    check_pattern(pattern(rules.mask, match=rules.match, ignore_case=rules.ignore_case), where=f"{run.folder}: mask")
    return rules


def _pair(text: str | None, image: Path | None, rules: Text) -> Frame:
    columns = {"text": pl.String, "image": pl.String}
    pair = pl.DataFrame([[text, image and str(image.absolute())]], schema=columns, orient="row")
    pair = inspect_images(with_masks(pair, rules), Limits())
    status = pair["image_status"].item()
    if image is not None and status != "ok":
        raise ImageError("missing_file" if status == "missing" else status, str(image))
    return pair


def _chances(model: Any, pair: Frame) -> Frame:
    """Return the probability of each class that the fit knows: a row, and a column for each class."""
    return pl.DataFrame(model.predict_proba(pair), schema=list(map(str, model.classes_)), orient="row")
