"""What each modality contributes to a model: measures that need its ``predict_proba`` alone, each with an interval."""

from counterpoint.contribution.emap import centred, emap_gap, projection
from counterpoint.contribution.estimate import Estimate
from counterpoint.contribution.overfitting import blend_weights, ogr
from counterpoint.contribution.overlap import conditional_utilisation, error_overlap, oracle_headroom
from counterpoint.contribution.perceptual import perceptual_score
from counterpoint.contribution.pid import Information, clusters, pid, pid_of
from counterpoint.contribution.shapley import shapley

__all__ = [
    "Estimate", "Information", "blend_weights", "centred", "clusters", "conditional_utilisation", "emap_gap",
    "error_overlap", "ogr", "oracle_headroom", "perceptual_score", "pid", "pid_of", "projection", "shapley",
]  # fmt: skip
