"""The METRICS table, and the look-up of a metric by name or path."""

from collections.abc import Collection, Mapping

from counterpoint.errors import ConfigError
from counterpoint.lookup import find
from counterpoint.metrics.metric import Metric

METRICS: Mapping[str, str] = {
    "accuracy": "counterpoint.metrics.classification:ACCURACY",
    "balanced_accuracy": "counterpoint.metrics.classification:BALANCED_ACCURACY",
    "macro_f1": "counterpoint.metrics.classification:MACRO_F1",
    "roc_auc": "counterpoint.metrics.classification:ROC_AUC",
    "pr_auc": "counterpoint.metrics.classification:PR_AUC",
    "log_loss": "counterpoint.metrics.classification:LOG_LOSS",
    "ece": "counterpoint.metrics.classification:ECE",
}


def can_import(name: str, trusted: Collection[str]) -> bool:
    """Report whether the metric *name* is of this package, or one of *trusted*: a file of a stranger may name another.

    >>> can_import("accuracy", []), can_import("my_lab.metrics:BRIER", [])
    (True, False)
    """
    return name in METRICS or name in trusted


def find_metric(name: str) -> Metric:
    """Return the metric called *name* in METRICS, or at a path such as ``my_lab.metrics:BRIER``.

    Raises
    ------
    ConfigError
        If there is none, or if the object is not a `Metric`.

    Examples
    --------
    >>> find_metric("log_loss").higher_is_better
    False
    """
    metric = find(name, METRICS, what="metric")
    if not isinstance(metric, Metric):
        raise ConfigError(f"{name!r} is a {type(metric).__name__}. A metric is a counterpoint.metrics.Metric.")
    return metric
