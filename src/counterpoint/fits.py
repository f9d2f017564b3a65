"""The fits of a study: made where they are missing, read as they were kept, or fitted again."""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

from counterpoint.config import Fit, StudyConfig
from counterpoint.contenders.fit import fit, fit_again, kept
from counterpoint.contenders.fit_task import FitTask
from counterpoint.contenders.plan import encodings_read, plan
from counterpoint.encoders.building import build_encodings
from counterpoint.encoders.given import Given
from counterpoint.engines import engine
from counterpoint.errors import ConfigError, CounterpointError, UnreadableFitError
from counterpoint.features.pixels import build_pixels
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.schema import Frame

log = logging.getLogger(__name__)


class Fits:
    """Every fit of one study.

    Parameters
    ----------
    tasks
        *tasks* are the fits in the order in which they start.
    rules
        *rules* is the section ``fit``.
    build_stores
        *build_stores* makes the stores of pixels and encodings that the fits read.
    on_progress
        *on_progress* receives the seconds of work that are done.
    """

    def __init__(
        self,
        tasks: Sequence[FitTask],
        rules: Fit,
        *,
        build_stores: Callable[[], None],
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        self.tasks = tasks
        self._rules = rules
        self._build_stores = build_stores
        self._on_progress = on_progress
        self._fitted_again: dict[str, Any] = {}

    def made(self) -> Sequence[FitTask]:
        """Return every fit, after making all that are not made yet."""
        self.make_missing()
        return self.tasks

    def missing(self) -> list[FitTask]:
        """Return the fits that are not made yet, after the stores that they read are built."""
        missing = [task for task in self.tasks if not task.is_done]
        if missing:
            self._build_stores()
        return missing

    def make_missing(self) -> None:
        """Make every fit that is not made yet."""
        make_fits(self.missing(), self._rules, on_progress=self._on_progress)

    def first_of(self, contender: str) -> FitTask | None:
        """Return the fit of *contender* on the first test fold with the first seed, or None if it has no fit."""
        return self._first.get(contender)

    def first_models(self, contenders: Collection[str]) -> dict[str, Any]:
        """Return the first fitted model of each of these *contenders* that has fits."""
        return {name: self.model(task) for name, task in self._first.items() if name in contenders}

    @cached_property
    def _first(self) -> dict[str, FitTask]:
        first: dict[str, FitTask] = {}
        for task in sorted(self.tasks, key=lambda task: (task.fold, task.seed)):
            first.setdefault(task.contender, task)
        return first

    def model(self, task: FitTask) -> Any:
        """Return the fitted contender of *task* as it was kept.  If it cannot be read, it is fitted again, once."""
        if not task.is_done:
            self.make_missing()
        if task.fit not in self._fitted_again:
            try:
                return kept(task)
            except UnreadableFitError as error:
                self._on_progress(f"fitting {task.contender} again", 0, 0)
                log.info("fitting %s again: %s", task.name, error)
                self._fitted_again[task.fit] = fit_again(task)
        return self._fitted_again[task.fit]

    def keys(self) -> dict[str, dict[str, str]]:
        """Return the key of each fit by its name, by contender."""
        keys: dict[str, dict[str, str]] = {}
        for task in self.tasks:
            keys.setdefault(task.contender, {})[task.fit] = task.key
        return keys


class FittedStudy(Protocol):
    """The parts of a study that its repeats and its curves of size need."""

    config: StudyConfig
    on_progress: OnProgress

    @property
    def contenders(self) -> dict[str, Any]:
        """The unfitted contenders by name."""

    @property
    def fits(self) -> Fits:
        """Every fit."""

    def made(self, stage: str) -> Mapping[str, Frame]:
        """Return the tables of a stage."""

    def primary(self) -> dict[str, Any] | None:
        """Return the primary contrast."""


def plan_fits(
    config: StudyConfig,
    pairs: Frame,
    contenders: Mapping[str, Any],
    *,
    folder: Path,
    cache: Path,
    encodings: Path,
    key: str,
    n_records: int,
    on_progress: OnProgress = ignore_progress,
) -> Fits:
    """Return the fits of a study, without making them.

    Parameters
    ----------
    config
        *config* are the settings of the study.
    pairs
        *pairs* is schema.PAIRS.
    contenders
        *contenders* are the unfitted contenders by name.
    folder, cache, encodings
        *folder* is the run folder, *cache* the folder of the stores of pixels, and *encodings* that of encodings.
    key
        *key* is the hash of everything that *pairs* are made from.
    n_records
        *n_records* is the number of records of the source.
    on_progress
        *on_progress* receives the progress of fits and stores.
    """
    stores = {"cache": cache, "encodings": encodings}
    tasks = plan(config.contenders, config.fit, pairs, folder=folder, **stores, key=key)
    build = partial(
        build_stores, pairs, contenders, n_records=n_records, config=config, **stores, on_progress=on_progress
    )
    return Fits(tasks, config.fit, build_stores=build, on_progress=on_progress)


def make_fits(tasks: Sequence[FitTask], rules: Fit, *, on_progress: OnProgress = ignore_progress) -> None:
    """Make every fit of *tasks* in one pool.

    Parameters
    ----------
    tasks
        *tasks* are fits of one study or of several.
    rules
        *rules* is the section ``fit``: the engine, its workers, and the threads of one fit.
    on_progress
        *on_progress* receives the seconds of work that are done, and an estimate of all of them.
    """
    n_workers = workers_of(rules)
    total_s, done_s = sum(task.estimate_s for task in tasks) / n_workers, 0.0
    on_progress("fitting", done_s, total_s)
    where = {"workers": rules.workers, "threads": rules.threads, "address": rules.address}
    results = engine(rules.engine)(tasks, fit, **where)
    if not isinstance(results, Iterable):
        raise ConfigError(f"Engine {rules.engine!r} returned {results!r}. It must yield each task with its result.")
    for task, _ in results:
        done_s += task.estimate_s / n_workers
        on_progress("fitting", done_s, total_s)
    left = next((task.name for task in tasks if not task.is_done), None)
    if left is not None:
        raise CounterpointError(f"Engine {rules.engine!r} ended before {left} was done.")


def workers_of(rules: Fit) -> int:
    """Return how many processes work at once: the setting, or as many as the cores of this machine allow.

    >>> workers_of(Fit(workers=3))
    3
    """
    return rules.workers or max(1, (os.cpu_count() or 1) // rules.threads)


def build_stores(
    pairs: Frame,
    models: Mapping[str, Any],
    *,
    n_records: int,
    config: StudyConfig,
    cache: Path,
    encodings: Path,
    on_progress: OnProgress = ignore_progress,
) -> None:
    """Resize each image once for each size that a contender reads, and encode it once for each encoder.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS.
    models
        *models* are the unfitted contenders by name.
    n_records
        *n_records* is the number of records of the source, and of the rows of an array of given vectors.
    config
        *config* are the settings of the study: the processes, and the longest time to read and decode one image.
    cache, encodings
        *cache* is the folder of the stores of pixels, and *encodings* that of encodings.
    on_progress
        *on_progress* receives the number of resized images, and of encoded texts and images.
    """
    readings = [(reading, reading.opened()) for reading in encodings_read(models)]
    for reading, encoder in readings:
        if isinstance(encoder, Given):
            encoder.check(pairs, reading.modality, n_records)
    settings = [model.pixel_settings() for model in models.values()]
    workers, max_decode_s = workers_of(config.fit), config.clean.max_decode_s
    on_count = partial(on_progress, "resizing images")
    for wanted in {tuple(sorted(each.items())): each for each in settings if each}.values():
        refs = pairs["image"].to_list()
        build_pixels(refs, cache=cache, workers=workers, on_count=on_count, max_decode_s=max_decode_s, **wanted)
    for reading, encoder in readings:
        on_count = partial(on_progress, f"encoding {reading.modality}s")
        build_encodings(
            pairs, encoder, reading.modality, cache=encodings, workers=workers,
            engine=config.fit.engine, address=config.fit.address, on_count=on_count,
        )  # fmt: skip
