"""Measures of the contribution of each modality to a model, each with an interval.

They need the ``predict_proba`` of a fitted model, or the rows on which it is correct.  `pid`, `shapley`, `ogr` and
`blend_weights` are formulas for given numbers.  `pid_of`, `shapley_of`, `ogr_of` and `blend_weights_of` take a sample
and return intervals.  If a model has ``encoded`` (`counterpoint.contenders.encoded`), only its head is evaluated for
each combination of a text and an image.  This is far cheaper.
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
