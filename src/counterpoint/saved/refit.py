"""A fit to all rows of a study: those of the first validation fold stop and calibrate it, all others train it."""

import polars as pl

from counterpoint.artifacts import key_of, write_parquet
from counterpoint.contenders.fit_task import FitTask
from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.contenders.plan import models_of, plan
from counterpoint.fits import build_stores, make_fits
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.runs.places import ENCODINGS, cache_folder, table_path
from counterpoint.saved.finished_run import FinishedRun
from counterpoint.schema import Frame

FOLDER = "saved"
"""The folder, in a run folder, of the fits to all rows."""


def on_all_rows(pairs: Frame) -> Frame:
    """Return *pairs* without test rows: the validation rows of the first fold stay, and all others train.

    >>> on_all_rows(pl.DataFrame({"id": list("abc"), "fold": ["0", "1", "2"]}))["fold"].to_list()
    ['train', 'validation', 'train']
    """
    validation = rows_by_part(pairs, folds_to_test(pairs)[0])["validation"]["id"]
    is_validation = pl.col("id").is_in(validation.implode())
    return pairs.with_columns(fold=pl.when(is_validation).then(pl.lit("validation")).otherwise(pl.lit("train")))


def refitted(run: FinishedRun, contender: str, *, on_progress: OnProgress = ignore_progress) -> FitTask:
    """Return the finished fit of *contender* to all rows of *run*.  A fit that is there already is not made again.

    Parameters
    ----------
    run, contender
        *run* is a finished study, and *contender* one of its contenders.
    on_progress
        *on_progress* receives the progress of fits and stores.
    """
    run.fits_of(contender)
    pairs, config = run.pairs(), run.config
    folder, entries = run.folder / FOLDER, config.contenders
    stores = {"cache": cache_folder(run.folder, run.key("records")), "encodings": run.folder.parent / ENCODINGS}
    whole = on_all_rows(pairs)
    write_parquet(table_path(folder, "pairs"), whole)
    rules = config.fit.model_copy(update={"seeds": config.fit.seeds[:1], "address": None, "engine": "local"})
    tasks = plan(entries, rules, whole, folder=folder, **stores, key=key_of(run.key("pairs"), "all rows"))
    wanted = _with_needed(next(task for task in tasks if task.contender == contender))
    if not all(task.is_done for task in wanted):
        names = {task.contender for task in wanted}
        models = models_of(tuple(each for each in entries if each.name in names), seed=rules.seeds[0], **stores)
        build_stores(whole, models, n_records=run.n_records(), config=config, **stores, on_progress=on_progress)
        make_fits([task for task in wanted if not task.is_done], rules, on_progress=on_progress)
    return wanted[-1]


def _with_needed(task: FitTask) -> list[FitTask]:
    """Return the fits that *task* needs, each once, and *task* last."""
    found = {each.name: each for needed in task.needed.values() for each in _with_needed(needed)}
    return [*found.values(), task]
