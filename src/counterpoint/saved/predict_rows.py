"""Predict the rows of any input: part after part, in several processes, with one row out for each row in."""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from counterpoint.engines.caps import caps, temporary_environment
from counterpoint.engines.local import begin_worker
from counterpoint.engines.spawn import SPAWN
from counterpoint.errors import CounterpointError
from counterpoint.files import digest_of
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.saved.new_rows import NewRows, Part, key_of_rows
from counterpoint.saved.prediction_file import PredictionFile
from counterpoint.saved.record import RECORD
from counterpoint.schema import Frame

if TYPE_CHECKING:
    from counterpoint.saved.model import SavedModel

FEW_PARTS = 2
"""Up to this number of parts, starting other processes takes longer than it saves."""
STEP = "predicting"


def predict_rows(
    folder: Path,
    rows: NewRows,
    out: Path,
    *,
    trusted: Collection[str] = (),
    workers: int | None = None,
    on_progress: OnProgress = ignore_progress,
) -> int:
    """Write the predictions of *rows* by the saved model in *folder* to the file *out*, and return their number.

    After it was killed it goes on, if rows and model are the same.  Until the end there is no file *out*.

    Parameters
    ----------
    folder
        *folder* is a saved model.
    rows
        *rows* are the input.
    out
        *out* is the file to write: Parquet, CSV or JSON lines.
    trusted
        *trusted* are classes and encoders from outside this package that may be imported.
    workers
        *workers* is the number of processes (default: one a core).
    on_progress
        *on_progress* receives the number of predicted rows, and of all rows.

    Raises
    ------
    SavedModelError
        When *folder* holds no saved model.
    RunFolderError
        When *out* exists, or cannot be written.
    CounterpointError
        When a process dies.
    """
    file = PredictionFile(out, key_of_rows(rows, digest_of(folder / RECORD)))
    if file.is_another:
        on_progress("starting again: the parts that were there are of other rows or another model", 0, 0)
    parts = rows.parts()
    first = list(islice(parts, FEW_PARTS + 1))
    n_done, n_parts, n_all = 0, 0, _Total(rows)
    with _predictor(folder, trusted, 1 if len(first) <= FEW_PARTS else workers or os.cpu_count() or 1) as predict:
        for part, predictions in _in_order(chain(first, parts), predict, file):
            if predictions is not None:
                file.write(part.number, predictions)
            n_done, n_parts = n_done + len(part.rows), n_parts + 1
            on_progress(STEP, n_done, n_all.after(part))
    file.finish(n_parts)
    return n_done


class _Total:
    """The number of all rows, counted once the first part is done, while other processes predict the next ones."""

    def __init__(self, rows: NewRows) -> None:
        self._rows, self._n = rows, 0

    def after(self, part: Part) -> int:
        if part.number == 1:
            self._n = self._rows.count()
        return self._n


class _Here:
    """Predicts in this process."""

    n_ahead = 1

    def __init__(self, folder: Path, trusted: Collection[str]) -> None:
        _open_here(folder, trusted)

    def submit(self, rows: Frame) -> Callable[[], Frame]:
        return lambda: _predict(rows)


class _Pool:
    """Predicts in other processes, each of which opens the model once."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool, self.n_ahead = pool, 2 * workers

    def submit(self, rows: Frame) -> Callable[[], Frame]:
        with temporary_environment(caps(1)):
            future: Future[Frame] = self._pool.submit(_predict, rows)
        return future.result


@contextmanager
def _predictor(folder: Path, trusted: Collection[str], workers: int) -> Iterator[_Here | _Pool]:
    if workers == 1:
        yield _Here(folder, trusted)
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=SPAWN, initializer=_open, initargs=(os.getpid(), folder, tuple(trusted))
    )
    try:
        yield _Pool(pool, workers)
    except BaseException:  # nobody waits for the parts that are under way
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_opened: "list[SavedModel]" = []
"""The model of this process."""


def _open(parent: int, folder: Path, trusted: tuple[str, ...]) -> None:
    begin_worker(parent, 0)
    _open_here(folder, trusted)


def _open_here(folder: Path, trusted: Collection[str]) -> None:
    from counterpoint.saved.model import open_saved  # noqa: PLC0415 - the process that only writes needs no model

    _opened[:] = [open_saved(folder, trusted=trusted)]


def _predict(rows: Frame) -> Frame:
    from counterpoint.saved.predicted_part import predicted  # noqa: PLC0415 - the same

    return predicted(_opened[0], rows)


def _in_order(
    parts: Iterator[Part], predictor: _Here | _Pool, file: PredictionFile
) -> Iterator[tuple[Part, Frame | None]]:
    """Yield each part with its predictions, or None where the *file* has them already."""
    waiting = deque[tuple[Part, Callable[[], Frame] | None]]()
    for part in parts:
        waiting.append((part, None if file.has(part.number, len(part.rows)) else predictor.submit(part.rows)))
        if len(waiting) > predictor.n_ahead:
            yield _result(*waiting.popleft())
    while waiting:
        yield _result(*waiting.popleft())


def _result(part: Part, result: Callable[[], Frame] | None) -> tuple[Part, Frame | None]:
    try:
        return part, result() if result else None
    except BrokenProcessPool as error:
        first, last = part.rows["row"][0], part.rows["row"][-1]
        raise CounterpointError(
            f"A process died near the rows {first:,} to {last:,}, perhaps for lack of memory. "
            "The same command goes on from there."
        ) from error
