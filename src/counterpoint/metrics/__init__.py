"""Scores and their intervals, computed from labels, probabilities and groups.  Imports no contender and no study."""

from counterpoint.metrics.decision import decide
from counterpoint.metrics.evaluate import evaluate
from counterpoint.metrics.metric import Metric
from counterpoint.metrics.parts import Part, read_part
from counterpoint.metrics.rows import PredictedRows, Sample
from counterpoint.metrics.scores import score, scores
from counterpoint.metrics.table import METRICS, find_metric

__all__ = [
    "METRICS",
    "Metric",
    "Part",
    "PredictedRows",
    "Sample",
    "decide",
    "evaluate",
    "find_metric",
    "read_part",
    "score",
    "scores",
]
