"""A sweep's page: the effect of the changes first, then each with its interval, then everything it rests on."""

from pathlib import Path
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.report import record
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.rendering import write_html
from counterpoint.report.sweep import sections
from counterpoint.report.sweep.points import GAP
from counterpoint.report.sweep.swept import Swept


def write_sweep_page(folder: Path, swept: Swept) -> Path:
    """Write ``report.html`` and ``figures/`` of a sweep into *folder* and return the page's path.

    Raises
    ------
    RunFolderError
        When *folder* cannot be written, or the disk is full.
    """
    with drawing():
        gallery = Gallery(folder / "figures")
        path = write_html(folder, "sweep.html.j2", _facts(swept) | _sections(swept, gallery))
        gallery.remove_others()
    return path


def _facts(swept: Swept) -> dict[str, Any]:
    sweep, record_of = swept.config.sweep, swept.record
    return {
        "sweep": sweep,
        "n_variants": len(swept.config.variants),
        "metric_key": swept.metric_key,
        "metric_name": swept.metric.name_within,
        "metric_label": swept.metric.label,
        "level": numbers.level(swept.evaluate.confidence),
        "style_of": swept.style_of,
        "gap": GAP,
        "command": record_of.get("command", f"counterpoint sweep {sweep}.yaml"),
        "files": record_of.get("files") or (),
        "environment": record.plain_values(record_of.get("environment") or {}),
    }


def _sections(swept: Swept, gallery: Gallery) -> dict[str, Any]:
    changes, metric, confidence = swept.changes, swept.metric, swept.evaluate.confidence
    return {
        "sentences": swept.sentences,
        "clear_changes": sections.clear_changes_section(changes, confidence),
        "differences": sections.effects_section(changes, metric, gallery),
        "scores": sections.point_scores_section(changes, metric, swept.style_of, gallery),
        "curves": sections.score_curves_section(swept.curves, metric, gallery, confidence=confidence),
        "learning": sections.learning_section(swept.histories(), gallery),
        "table": sections.table_section(changes, swept.curves),
        "terms": sections.sweep_terms(swept.metric_key, metric),
    }
