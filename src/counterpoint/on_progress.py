"""The callback to which a study, its stages and a sweep report their progress."""

from collections.abc import Callable

OnProgress = Callable[[str, float, float], None]
"""Receives the name of a step, the amount that is done, and the amount in all.  An unknown amount in all is 0."""


def ignore_progress(step: str, done: float, total: float) -> None:
    """Do nothing: the default callback.

    Parameters
    ----------
    step
        *step* is the name of the step.
    done, total
        *done* is the amount that is done, and *total* the amount in all.
    """
