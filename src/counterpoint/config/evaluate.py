"""The section ``evaluate`` of a study file: the metrics, the one that decides, and the intervals."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from counterpoint.settings import Section

log = logging.getLogger(__name__)
Share = Annotated[float, Field(gt=0, lt=1)]
DEFAULT_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss", "ece")


class Evaluate(Section):
    """The metrics, the one that decides, and the intervals."""

    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = DEFAULT_METRICS
    """Names that ``counterpoint metrics`` lists."""
    primary: str = "balanced_accuracy"
    """The metric that decides.  It is one of ``metrics``, and more is better."""
    confidence: Share = 0.95
    """Level of the intervals."""
    margin: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The largest difference in ``primary`` that does not matter to you, fixed before a test row is scored.  Without it
    the page has the smallest margin for which "no difference that matters" could be said."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    """How often the comparison is made, each time with another split and other fits.  The interval of the primary
    contrast then includes the variation from training."""

    @model_validator(mode="before")
    @classmethod
    def _without_draws(cls, given: Any) -> Any:
        """Leave out the draws of earlier versions: intervals need none."""
        unused = sorted({"bootstrap", "seed"} & given.keys()) if isinstance(given, Mapping) else []
        if unused:
            log.warning("evaluate.%s has no effect: intervals are computed without draws", " and ".join(unused))
            return {key: value for key, value in given.items() if key not in unused}
        return given

    @model_validator(mode="after")
    def _primary(self) -> Self:
        if self.primary not in self.metrics:
            raise ValueError(f"primary is {self.primary!r}, which is not in metrics: {', '.join(self.metrics)}")
        return self
