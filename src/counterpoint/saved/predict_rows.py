"""Predict the rows of any input: batch after batch, several at a time, with one row out for each row in."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from counterpoint.engines.caps import caps, temporary_environment
from counterpoint.engines.late_modules import UNNEEDED, load_late
from counterpoint.engines.local import begin_worker
from counterpoint.engines.spawn import SPAWN
from counterpoint.errors import CounterpointError
from counterpoint.features.child import children_ready
from counterpoint.files import digest_of
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.saved.new_rows import Batch, NewRows, key_of_rows
from counterpoint.saved.prediction_file import PredictionFile
from counterpoint.saved.record import RECORD, check_outside
from counterpoint.schema import Frame

if TYPE_CHECKING:
    from counterpoint.saved.model import SavedModel

HERE = 2
"""The number of workers that are threads of this process."""
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
        *workers* is the number of batches that are predicted at a time (default: one a core).
    on_progress
        *on_progress* receives the number of predicted rows, and of all rows.

    Raises
    ------
    SavedModelError
        When *folder* holds no saved model.
    RunFolderError
        When *out* exists, cannot be written, or is being written by another command.
    ConfigError
        When *out* has another ending, or is in *folder*.
    CounterpointError
        When a process dies.
    """
    check_outside(folder, out)
    key = key_of_rows(rows, digest_of(folder / RECORD))
    n_done, n_all, stamps = 0, _Total(rows), list[str]()
    with PredictionFile.opened(out, key) as file:
        if file.is_another:
            on_progress("starting again: the parts that were there are of other rows or another model", 0, 0)
        with _workers(folder, trusted, workers or os.cpu_count() or 1) as crew:
            for batch, predictions in _in_order(rows.batches(), crew, file):
                if predictions is not None:
                    file.write(batch, predictions)
                stamps.append(batch.stamp)
                n_done += len(batch.rows)
                on_progress(STEP, n_done, n_all.after(batch))
        file.finish(stamps)
    return n_done


class _Total:
    """The number of all rows, counted once the first batch is done, while the workers predict the next ones."""

    def __init__(self, rows: NewRows) -> None:
        self._rows, self._n = rows, 0

    def after(self, batch: Batch) -> int:
        if batch.number == 1:
            self._n = self._rows.count()
        return self._n


class _Workers:
    """Workers, each of which predicts one batch at a time.

    The first ones are threads of this process, which share one model.  They are ready first and need the least memory,
    but each holds the interpreter for a part of the time.  Each further worker has a process of its own.

    Parameters
    ----------
    folder, trusted
        *folder* is a saved model, and *trusted* the classes and encoders that may be imported.
    n
        *n* is the number of workers.
    """

    def __init__(self, folder: Path, trusted: Collection[str], n: int) -> None:
        _open_here(folder, trusted)
        self._arguments = (os.getpid(), folder, tuple(trusted))
        self.n_ahead = 2 * n
        self._threads = ThreadPoolExecutor(n, initializer=self._begin)
        self._numbers, self._own = count(), threading.local()
        self._processes: list[ProcessPoolExecutor] = []

    def submit(self, rows: Frame) -> Callable[[], Frame]:
        return self._threads.submit(self._predict, rows).result

    def stop(self) -> None:
        """Stop without waiting for the batches that are under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for executor in self._processes:
            processes = list((getattr(executor, "_processes", None) or {}).values())
            executor.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()

    def _begin(self) -> None:
        number = next(self._numbers)
        self._own.process = None if number < HERE else self._process()

    def _process(self) -> ProcessPoolExecutor:
        made = ProcessPoolExecutor(1, mp_context=SPAWN, initializer=_open, initargs=self._arguments)
        self._processes.append(made)
        return made

    def _predict(self, rows: Frame) -> Frame:
        process = self._own.process
        return process.submit(_predict, rows).result() if process else _predict(rows)


@contextmanager
def _workers(folder: Path, trusted: Collection[str], n: int) -> Iterator[_Workers]:
    # One thread in each library: the last bits of sums depend on their number.
    with (
        children_ready(min(n, HERE), "counterpoint.features.pixels"),
        temporary_environment(caps(1)),
        threadpool_limits(1),
    ):
        workers = _Workers(folder, trusted, n)
        try:
            yield workers
        finally:
            workers.stop()


_opened: "list[SavedModel]" = []
"""The model of this process."""


def _open(parent: int, folder: Path, trusted: tuple[str, ...]) -> None:
    begin_worker(parent, 0)
    load_late(*UNNEEDED)
    _open_here(folder, trusted)


def _open_here(folder: Path, trusted: Collection[str]) -> None:
    from counterpoint.saved.model import open_saved  # noqa: PLC0415 - after the children have begun

    _opened[:] = [open_saved(folder, trusted=trusted)]
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _predict(rows: Frame) -> Frame:
    from counterpoint.saved.predicted_batch import predicted  # noqa: PLC0415 - the same

    return predicted(_opened[0], rows)


def _in_order(
    batches: Iterator[Batch], workers: _Workers, file: PredictionFile
) -> Iterator[tuple[Batch, Frame | None]]:
    """Yield each batch with its predictions, or None where the *file* has them already.

    The first batch is awaited alone, so that no other takes the interpreter from the first result.
    """
    waiting = deque[tuple[Batch, Callable[[], Frame] | None]]()
    for batch in batches:
        waiting.append((batch, None if file.has(batch) else workers.submit(batch.rows)))
        if len(waiting) > (workers.n_ahead if batch.number else 0):
            yield _result(*waiting.popleft())
    while waiting:
        yield _result(*waiting.popleft())


def _result(batch: Batch, result: Callable[[], Frame] | None) -> tuple[Batch, Frame | None]:
    try:
        return batch, result() if result else None
    except BrokenProcessPool as error:
        first, last = batch.rows["row"][0], batch.rows["row"][-1]
        raise CounterpointError(
            f"A process died near the rows {first:,} to {last:,}, perhaps for lack of memory. "
            "The same command goes on from there."
        ) from error
