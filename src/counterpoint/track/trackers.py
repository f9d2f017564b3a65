"""The TRACKERS table, and the logging of a finished study, whose failure is a line and never an error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from counterpoint.errors import first_line
from counterpoint.lookup import find
from counterpoint.redaction import redacted_text
from counterpoint.track.finished_study import FinishedStudy

TRACKERS: Mapping[str, str] = {
    "mlflow": "counterpoint.track.mlflow_runs:log_study",
    "tensorboard": "counterpoint.track.event_files:write_curves",
}

Tracker = Callable[[FinishedStudy], str]
"""A function that logs a finished study, and returns where."""


class Tracked(NamedTuple):
    """The outcome of one tracker, in one line."""

    line: str
    is_failure: bool


def tracked(names: Sequence[str], study: FinishedStudy) -> Iterator[Tracked]:
    """Log a finished study with each of the trackers called *names*, and yield the outcome of each."""
    for name in names:
        try:
            tracker: Tracker = find(name, TRACKERS, what="tracker")
            yield Tracked(f"Tracked by {name}: {redacted_text(tracker(study))}", is_failure=False)
        except ModuleNotFoundError as error:
            install = f"pip install 'counterpoint[{name}]'"
            yield Tracked(f"Not tracked by {name}: {error.name} is missing. Run: {install}", is_failure=True)
        except Exception as error:  # behind a client may stand any server; the study is finished whatever it does
            yield Tracked(f"Not tracked by {name}: {redacted_text(first_line(error))}.", is_failure=True)
