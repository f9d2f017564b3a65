"""What a verdict rests on, as intervals: each modality against chance, the gain, its kind, and what it could have been.

Does not decide: `counterpoint.diagnose.verdict` does.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from counterpoint.diagnose.case import Case
from counterpoint.measures import Estimate
from counterpoint.measures.information_gain import APART, SUM, Told, told
from counterpoint.measures.prediction_arrays import best_of
from counterpoint.schema import Frame

UNKNOWN = Estimate(float("nan"), float("-inf"), float("inf"))


@dataclass(frozen=True)
class Grounds:
    """The numbers behind a verdict on *metric*."""

    case: Case
    findings: Frame
    metric: str

    @cached_property
    def contrast(self) -> dict[str, Any]:
        """The primary contrast, a row of schema.DIFFERENCES."""
        return self.case.differences.filter("is_primary").row(0, named=True)

    @cached_property
    def gain(self) -> Estimate:
        """The score of the multimodal contender of the primary contrast less that of the single-entity one."""
        row = self.contrast
        return Estimate(row["difference"], row["low"], row["high"])

    @cached_property
    def chance(self) -> float:
        """What guessing scores in balanced accuracy."""
        return 1 / max(2, self.case.pairs["label"].n_unique())

    def alarm(self, code: str, *severities: str) -> dict[str, Any] | None:
        """Return the subject and the evidence of what check *code* found, where it is of one of *severities*."""
        rows = self.findings.filter(pl.col("severity").is_in(severities), code=code)
        if rows.is_empty():
            return None
        return {"subject": rows["subject"][0], **json.loads(rows["evidence"][0])}

    def above_chance(self, modality: str) -> Estimate:
        """Return how far the best contender of *modality* alone, by validation rows, is above guessing on test rows."""
        names = self.case.reading(modality)
        if not names:
            return UNKNOWN
        best = best_of(self.case, modality) if len(names) > 1 and len(self.case.predictions) else names[0]
        if best is None:  # several outside models, of which none has said anything of validation rows
            return UNKNOWN
        if "majority" in self.case.modalities:
            return self.difference(best, "majority")
        row = self.case.test_scores("balanced_accuracy").filter(contender=best)
        if not row["low"].count():
            return UNKNOWN
        return Estimate(*(row[end].item() - self.chance for end in ("value", "low", "high")))

    def difference(self, a: str, b: str) -> Estimate:
        """Return the difference of *a* minus *b*, endless where it is not known."""
        return self.case.difference(a, b, self.metric) or UNKNOWN

    @cached_property
    def interaction(self) -> Estimate:
        """How much of the score of the multimodal contender no sum over modalities can make (EMAP), from CP009."""
        rows = self.findings.filter(pl.col("severity").is_in(["info", "warn"]), code="CP009")
        for evidence in rows["evidence"]:
            for row in json.loads(evidence).get("table", []):
                if row["contender"] == self.contrast["a"]:
                    return Estimate(row["value"], row["low"], row["high"])
        return UNKNOWN

    @cached_property
    def knowledge(self) -> Told | None:
        """What each voice tells in bits, where predictions are there."""
        return told(self.case) if len(self.case.predictions) else None

    @cached_property
    def bits(self) -> tuple[Estimate, Estimate] | None:
        """What the best fusion tells beyond the better voice, and what a sum would if the two erred independently."""
        known = self.knowledge
        if known is None:
            return None
        single = max(("text", "image"), key=lambda voice: known.bits[voice].mean())
        fusion = max((SUM, self.contrast["a"]), key=lambda voice: known.bits[voice].mean())
        return known.beyond(fusion, single), known.beyond(APART, single)
