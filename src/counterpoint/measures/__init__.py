"""What each modality contributes to a model: measures that need its ``predict_proba`` alone, each with an interval.

`pid`, `shapley`, `ogr` and `blend_weights` are formulas of given numbers; `pid_of`, `shapley_of`, `ogr_of` and
`blend_weights_of` are of a sample, and have the intervals.  A model that offers ``encoded``
(`counterpoint.contenders.encoded`) is asked by its heads alone, which is far cheaper.
"""

from counterpoint.measures.emap import emap_gap, projection
from counterpoint.measures.error_overlap import conditional_utilisation, error_overlap, oracle_headroom
from counterpoint.measures.information_decomposition import Information, clusters, pid, pid_of
from counterpoint.measures.overfitting_ratio import blend_weights, blend_weights_of, ogr, ogr_of
from counterpoint.measures.perceptual_score import perceptual_score
from counterpoint.measures.recombined_logits import (
    PredictedLogits,
    RecombinedLogits,
    centred,
    correct_by_modality,
    recombine,
)
from counterpoint.measures.shapley import shapley, shapley_of
from counterpoint.metrics.estimate import Estimate

__all__ = [
    "Estimate", "Information", "PredictedLogits", "RecombinedLogits", "blend_weights", "blend_weights_of", "centred",
    "clusters", "conditional_utilisation", "correct_by_modality", "emap_gap", "error_overlap", "ogr", "ogr_of",
    "oracle_headroom", "perceptual_score", "pid", "pid_of", "projection", "recombine", "shapley", "shapley_of",
]  # fmt: skip
