"""The repeats of a study: the same records and contenders, with another split and other seeds."""

from collections.abc import Iterator
from typing import Protocol, Self, TypeVar

import polars as pl

from counterpoint.compare import by_fold, over_repeats, rows_of_repeat
from counterpoint.config import StudyConfig
from counterpoint.data.given_split import resolved
from counterpoint.errors import ConfigError
from counterpoint.fits import FittedStudy, make_fits
from counterpoint.schema import Frame
from counterpoint.settings import LARGEST_SEED
from counterpoint.study_resources import StudyResources

FOLDER = "repeats"
"""The folder in the run folder with the folders of all repeats but the first.  A finished study needs it no more."""


class Repeatable(FittedStudy, Protocol):
    """A study that can be repeated."""

    opened: StudyResources

    def repeat(self, config: StudyConfig) -> Self:
        """Return the study of *config* on the same records."""

    def key(self, stage: str) -> str:
        """Return the hash of everything that a stage is made from."""


AnyStudy = TypeVar("AnyStudy", bound=Repeatable)


def repeats_of(config: StudyConfig) -> list[StudyConfig]:
    """Return the settings of each repeat after the first, which is the study itself.

    Parameters
    ----------
    config
        *config* are the settings of the study.

    Returns
    -------
    list of StudyConfig
        ``split.seed`` of repeat r is larger by r, and no repeat has a seed of a fit of another.

    Examples
    --------
    >>> rules = {"split": {"seed": 4}, "fit": {"seeds": [0, 1]}, "evaluate": {"repeats": 3}}
    >>> config = StudyConfig(study="tiny", source={"kind": "generated"}, **rules)
    >>> [(each.study, each.split.seed, each.fit.seeds) for each in repeats_of(config)]
    [('tiny-1', 5, (2, 3)), ('tiny-2', 6, (4, 5))]
    """
    return [_repeat(config, repeat) for repeat in range(1, config.evaluate.repeats)]


def _repeat(config: StudyConfig, repeat: int) -> StudyConfig:
    seeds, split_seed, n_seeds = config.fit.seeds, config.split.seed, LARGEST_SEED + 1
    step = max(seeds) - min(seeds) + 1
    changes = {
        "split": {"seed": (split_seed + repeat) % n_seeds},
        "fit": {"seeds": tuple((seed + repeat * step) % n_seeds for seed in seeds)},
        "evaluate": {"repeats": 1},
    }
    sections = {name: getattr(config, name).model_copy(update=change) for name, change in changes.items()}
    return config.model_copy(update={"study": f"{config.study}-{repeat}", **sections})


def require_drawn_split(grouped: Frame, config: StudyConfig) -> None:
    """Raise where the study has repeats, and a split that its source gives.

    Parameters
    ----------
    grouped
        *grouped* are the rows before the split.
    config
        *config* are the settings of the study.

    Raises
    ------
    ConfigError
        When ``split.kind`` is ``auto`` and the source gives a split.  `StudyConfig` has raised for ``given``.
    """
    if config.evaluate.repeats > 1 and resolved(grouped, config.split).kind == "given":
        raise ConfigError(
            "evaluate.repeats needs another split each time, but the source gives the split. Set split.kind to holdout "
            "or kfold, or evaluate.repeats to 1."
        )


def all_repeats(study: AnyStudy) -> Iterator[AnyStudy]:
    """Yield the study itself, then its other repeats."""
    yield study
    for config in repeats_of(study.config):
        yield study.repeat(config)


def fit_all(study: Repeatable) -> None:
    """Make the fits of all repeats in one pool, if there are several.

    Parameters
    ----------
    study
        *study* is the first repeat.
    """
    n = study.config.evaluate.repeats
    if n == 1:
        return
    _ = study.contenders  # a wrong setting raises before the pairs are made
    require_drawn_split(study.made("grouped")["grouped"], study.config)
    tasks = []
    for place, each in enumerate(all_repeats(study)):
        study.on_progress("preparing repeats", place, n)
        if place == 0 or not each.opened.folder.has("fits", each.key("fits")):
            tasks += each.fits.missing()
    make_fits(tasks, study.config.fit, on_progress=study.on_progress)


def contrasts(study: Repeatable) -> dict[str, Frame]:
    """Return the primary contrast in each fold of each repeat (schema.REPEATS), and over all (schema.REPEATED).

    Parameters
    ----------
    study
        *study* is the first repeat.
    """
    study.made("scores")  # which notes that test rows are scored
    rules, tables, compared = study.config.evaluate, [], []
    for place, each in enumerate(all_repeats(study)):
        if rules.repeats > 1:
            study.on_progress("comparing repeats", place, rules.repeats)
        predictions, primary = each.made("fits")["predictions"], each.primary()
        tables.append(by_fold(predictions, rules, primary, repeat=place))
        if primary is not None:
            compared.append(rows_of_repeat(predictions, primary, repeat=place))
    return {"repeats": pl.concat(tables), "repeated": over_repeats(compared, rules)}
