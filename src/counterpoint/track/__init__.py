"""Copies of a finished study in the trackers that a team already looks at: MLflow and TensorBoard."""

from counterpoint.track.finished_study import FinishedStudy
from counterpoint.track.trackers import TRACKERS, tracked

__all__ = ["TRACKERS", "FinishedStudy", "tracked"]
