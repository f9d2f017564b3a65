"""The fits of a study, with the fits that each needs and its estimated time."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from counterpoint import __version__
from counterpoint.artifacts import key_of
from counterpoint.config import ContenderEntry, Fit
from counterpoint.contenders import WITHOUT_ENCODERS
from counterpoint.contenders.declared import check_class, check_declared, naming
from counterpoint.contenders.fit import configured
from counterpoint.contenders.fit_task import FitTask
from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.contenders.readings import Reading, fingerprints_of, needs_trust
from counterpoint.engines.gpus import may_have_gpu
from counterpoint.errors import ConfigError
from counterpoint.runs.places import fits_folder, table_path
from counterpoint.schema import Frame

Entries = tuple[ContenderEntry, ...]


def models_of(entries: Entries, *, seed: int, cache: Path | None, encodings: Path | None = None) -> dict[str, Any]:
    """Return the unfitted contenders by their names in the study, before any fit starts.

    Parameters
    ----------
    entries
        *entries* are the contenders of the study file.
    seed, cache, encodings
        *seed*, *cache* and *encodings* are used where the settings of an entry do not set them.

    Raises
    ------
    ConfigError
        When there is no such contender or setting, a value or a declaration of its class is not allowed, or a package
        or an encoder is missing.
    """
    places = {"cache": cache, "encodings": encodings}
    models = {entry.name: configured(entry.kind, entry.settings, seed=seed, **places) for entry in entries}
    check_declared(models)
    return models


def encodings_read(models: Mapping[str, Any]) -> list[Reading]:
    """Return the vectors that the contenders of a study read, each once.

    Parameters
    ----------
    models
        *models* are the unfitted contenders by their names in the study.
    """
    return list(dict.fromkeys(reading for model in models.values() for reading in model.encodings_read(models)))


def stored_reading(models: Mapping[str, Any], modality: str) -> Reading | None:
    """Return the first vectors of a modality that the contenders of a study read, or None if they read none.

    Parameters
    ----------
    models
        *models* are the unfitted contenders by their names in the study.
    modality
        *modality* is "text" or "image".
    """
    return next((reading for reading in encodings_read(models) if reading.modality == modality), None)


def encoder_fingerprints(entries: Entries) -> dict[Reading, str]:
    """Return the fingerprint of each encoder whose vectors the contenders of a study read.

    Contenders that read none are not made, because their modules may load torch.

    Raises
    ------
    ConfigError
        When an encoder, or a contender that may read one, does not exist or has a wrong setting.
    """
    names = {entry.name for entry in entries}
    found: dict[Reading, str] = {}
    for entry in entries:
        if entry.kind not in WITHOUT_ENCODERS:
            model = configured(entry.kind, entry.settings, seed=0, cache=None)
            check_class(model)
            with naming(entry.name):
                found |= {each: each.fingerprint() for each in model.encodings_read(names) if each not in found}
    return found


def accelerators(entries: Entries) -> list[str]:
    """Return the kinds of the devices that the contenders of a study name, or that "auto" is here, without the CPU."""
    return _accelerators({str(entry.settings.get("device", "auto")) for entry in entries})


def _accelerators(names: Collection[str]) -> list[str]:
    kinds = {name.partition(":")[0] for name in names if name != "auto"}
    if "auto" in names and may_have_gpu():
        from counterpoint.devices import device_kind  # noqa: PLC0415 - loads torch, which reading needs nowhere else

        kinds.add(device_kind("auto"))
    return sorted(kinds - {"cpu"})


def plan(
    entries: Entries,
    rules: Fit,
    pairs: Frame,
    *,
    folder: Path,
    cache: Path,
    encodings: Path | None = None,
    key: str,
) -> list[FitTask]:
    """Return every fit of a study: first those that others need, then by estimated time, the longest first.

    A contender that is not seeded is fitted with the first seed only.

    Parameters
    ----------
    entries, rules
        *entries* are the contenders and *rules* the seeds of the study.
    pairs
        *pairs* are the rows with their folds, as written in *folder*.
    folder, cache, encodings
        *folder* is the run folder, *cache* the folder of stored pixels, and *encodings* the folder of stored encodings.
    key
        *key* is the hash of the inputs of *pairs*.
    """
    stores = {"cache": cache, "encodings": encodings}
    models = models_of(entries, seed=rules.seeds[0], **stores)
    places = {"pairs": table_path(folder, "pairs"), "fits": fits_folder(folder)} | stores
    planner = _Planner(_needed_first(entries, models), models, rules, key, places)
    folds = {fold: len(rows_by_part(pairs, fold)["train"]) for fold in folds_to_test(pairs)}
    tasks = [task for fold, n_train in folds.items() for task in planner.of_fold(fold, n_train)]
    needed = {name for task in tasks for name in task.after}
    return sorted(tasks, key=lambda task: (task.name not in needed, -task.estimate_s))


@dataclass(frozen=True)
class _Planner:
    """The fits of one fold after another, where each of *entries* stands after the entries that it needs."""

    entries: list[ContenderEntry]
    models: Mapping[str, Any]
    rules: Fit
    key: str
    places: Mapping[str, Any]

    @cached_property
    def fingerprints(self) -> dict[Reading, str]:
        """The fingerprint of each encoder, computed once: that of a large file takes seconds."""
        readings = encodings_read(self.models)
        return dict(zip(readings, fingerprints_of(readings), strict=True))

    @cached_property
    def trusted(self) -> tuple[str, ...]:
        """The classes from outside this package that the study file names: contenders and encoders."""
        encoders = {reading.encoder for reading in self.fingerprints if needs_trust(reading.encoder)}
        return tuple(sorted(encoders.union(each.kind for each in self.entries if ":" in each.kind)))

    def of_fold(self, fold: str, n_train: int) -> Iterator[FitTask]:
        made: dict[tuple[str, int], FitTask] = {}
        first, *others = self.rules.seeds
        for entry in self.entries:
            needs = self.models[entry.name].needs_in(self.models)
            is_seeded = self.models[entry.name].is_seeded or any(
                (name, seed) in made for name in needs for seed in others
            )
            for seed in self.rules.seeds if is_seeded else [first]:
                needed = {name: made.get((name, seed), made[name, first]) for name in needs}
                made[entry.name, seed] = self._task(entry, seed, fold, n_train, needed)
        yield from made.values()

    def _task(
        self, entry: ContenderEntry, seed: int, fold: str, n_train: int, needed: Mapping[str, FitTask]
    ) -> FitTask:
        settings, model = dict(entry.settings), self.models[entry.name]
        built_on = {name: task.key for name, task in needed.items()}
        # A contender without encoders has the key that it had before there were any, and so has a fit on the CPU.
        encoders = {reading: self.fingerprints[reading] for reading in model.encodings_read(self.models)}
        devices = _accelerators(model.training_devices(self.models))
        inputs = [self.rules.threads, built_on, *filter(None, [list(encoders.values()), devices])]
        deciding = {name: value for name, value in settings.items() if name != "device" or ":" in entry.kind}
        return FitTask(
            contender=entry.name,
            kind=entry.kind,
            settings=settings,
            seed=seed,
            fold=fold,
            key=key_of(__version__, self.key, entry.kind, deciding, seed, fold, *inputs),
            needed=needed,
            trusted=self.trusted,
            fingerprints=encoders,
            n_gpus=int("cuda" in devices),
            estimate_s=model.estimate_s(n_train, {name: self.models[name] for name in needed}),
            **self.places,
        )


def _needed_first(entries: Entries, models: Mapping[str, Any]) -> list[ContenderEntry]:
    """Return *entries* in an order in which each stands after the entries that it needs.

    Raises
    ------
    ConfigError
        When two entries need each other.
    """
    ordered: list[ContenderEntry] = []
    waiting = list(entries)
    while waiting:
        placed = {entry.name for entry in ordered}
        free = [entry for entry in waiting if placed.issuperset(models[entry.name].needs_in(models))]
        if not free:
            names = ", ".join(entry.name for entry in waiting)
            raise ConfigError(f"Contenders that need each other cannot be fitted: {names}.")
        ordered += free
        waiting = [entry for entry in waiting if entry not in free]
    return ordered
