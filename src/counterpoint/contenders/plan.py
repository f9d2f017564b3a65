"""Which fits a study needs, what each builds on, and about how long each takes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from counterpoint import __version__
from counterpoint.artifacts import key_of
from counterpoint.config import ContenderEntry, Fit
from counterpoint.contenders.fit import FitTask, configured, fit_name, folds_to_test, sides
from counterpoint.schema import Frame


def models_of(entries: tuple[ContenderEntry, ...], *, seed: int, cache: Path) -> dict[str, Any]:
    """Return the unfitted contenders by the names they go by in the study; a wrong setting raises here, early."""
    return {entry.name: configured(entry.kind, entry.settings, seed=seed, cache=cache) for entry in entries}


def plan(entries: tuple[ContenderEntry, ...], rules: Fit, pairs: Frame, *, folder: Path, key: str) -> list[FitTask]:
    """Return every fit of a study, those that others build on first, then the longest.

    A contender that its seed does not change is fitted with the first seed only.

    Parameters
    ----------
    entries, rules
        *entries* are the contenders and *rules* the seeds of the study.
    pairs
        *pairs* are the rows with their folds, as kept in *folder*.
    folder
        *folder* is the run folder.
    key
        *key* is the hash of what *pairs* were made from.
    """
    models = models_of(entries, seed=rules.seeds[0], cache=folder / "cache")
    settings: dict[str, Any] = {"pairs": folder / "tables" / "pairs.parquet", "fits": folder / "fits"}
    settings["cache"] = folder / "cache"
    tasks = [
        task
        for fold in folds_to_test(pairs)
        for task in _of_fold(entries, models, rules, fold, len(sides(pairs, fold)["train"]), key, settings)
    ]
    needed = {name for task in tasks for name in task.after}
    return sorted(tasks, key=lambda task: (task.name not in needed, -task.estimate_s))


def _of_fold(
    entries: tuple[ContenderEntry, ...],
    models: Mapping[str, Any],
    rules: Fit,
    fold: str,
    n_train: int,
    key: str,
    settings: Mapping[str, Any],
) -> Iterator[FitTask]:
    made: dict[tuple[str, int], FitTask] = {}
    first, *_ = rules.seeds
    for entry in _needed_first(entries, models):
        model = models[entry.name]
        needs = [name for name in model.needs if name in models]
        is_seeded = model.is_seeded or any((name, seed) in made for name in needs for seed in rules.seeds[1:])
        for seed in rules.seeds if is_seeded else [first]:
            handed = {name: made.get((name, seed), made[name, first]) for name in needs}
            own_key = key_of(
                __version__, key, entry.kind, dict(entry.settings), seed, fold, rules.threads,
                {name: task.key for name, task in handed.items()},
            )  # fmt: skip
            made[entry.name, seed] = FitTask(
                contender=entry.name,
                kind=entry.kind,
                settings=entry.settings,
                seed=seed,
                fold=fold,
                handed={name: task.name for name, task in handed.items()},
                key=own_key,
                estimate_s=model.estimate_s(n_train) if hasattr(model, "estimate_s") else 1.0,
                **settings,
            )
    yield from made.values()


def _needed_first(entries: tuple[ContenderEntry, ...], models: Mapping[str, Any]) -> list[ContenderEntry]:
    """Return *entries* in an order in which each comes after those that it needs."""
    ordered: list[ContenderEntry] = []
    waiting = list(entries)
    while waiting:
        placed = {entry.name for entry in ordered}
        free = [e for e in waiting if not (set(models[e.name].needs) & set(models)) - placed - {e.name}]
        if not free:
            return ordered + waiting
        ordered += free
        waiting = [entry for entry in waiting if entry not in free]
    return ordered
