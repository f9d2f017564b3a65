"""The section of curves: ranking, calibration, score against cost, and the contribution of each modality."""

from collections.abc import Mapping
from typing import Any

from counterpoint.report.behaviour.predicted_classes import PredictedClasses
from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.calibration import calibration_section
from counterpoint.report.curves.contribution import contribution_section
from counterpoint.report.curves.cost_front import cost_section
from counterpoint.report.curves.leading import leading_contenders
from counterpoint.report.curves.ranking import ranking_section
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame

Content = dict[str, Any]


def curves_section(
    tables: Mapping[str, Frame],
    predicted: PredictedClasses,
    scores: ScoreTable,
    contenders: Contenders,
    gallery: Gallery,
    *,
    primary: Mapping[str, Any] | None,
) -> Content:
    """Return ranking, calibration, cost and contribution, each None where it cannot be drawn, and leading.

    Parameters
    ----------
    tables
        *tables* are those of the page: predictions, costs and findings.
    predicted
        *predicted* are the test rows with the predicted class.
    scores
        *scores* hold the scores of every part.
    contenders
        *contenders* give the order and the style.
    gallery
        *gallery* takes the figures.
    primary
        *primary* is the primary contrast, or None.
    """
    present = set(predicted.rows["contender"])
    leading = leading_contenders(contenders, primary, present=present)
    multimodal = (primary or {}).get("a")
    return {
        "leading": leading,
        "contribution": contribution_section(tables["findings"], multimodal, contenders, gallery),
        "cost": cost_section(tables["predictions"], tables["costs"], scores, contenders, gallery),
        "ranking": ranking_section(tables["predictions"], leading, scores, contenders, gallery),
        "calibration": calibration_section(predicted, leading, scores, contenders, gallery),
    }
