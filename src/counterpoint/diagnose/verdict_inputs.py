"""The numbers behind a verdict, as intervals: each modality against chance, the gain, and the kind of the gain.

Does not decide: `counterpoint.diagnose.verdict` does.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from counterpoint.compare.differences import Comparison
from counterpoint.compare.selected import PROCEDURES, is_unanimous, selected
from counterpoint.diagnose.inputs import Inputs
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import (
    Members,
    Modalities,
    contenders_reading,
    difference_between,
    scores_on_test_rows,
)
from counterpoint.measures.information_gain import INDEPENDENT, SUM, InformationGain
from counterpoint.metrics import read_part
from counterpoint.metrics.decision import BALANCED, class_shares
from counterpoint.schema import Frame, class_names

CLASS_SHARES = "class shares"
"""The name of the class shares of the training rows in a table of predictions."""
UNKNOWN = Estimate(float("nan"), float("-inf"), float("inf"))
WORTHLESS = 0.02
"""A gain counts as none where its whole interval lies below this, or below a smaller `evaluate.margin`."""
NEAR_GUESSING = 1.3
"""The standard deviation of a k-fold score of a guessing model, as a multiple of that of its interval.

The folds share training rows.  So a class that goes with a feature by chance is right in all folds, or wrong in all.
"""


@dataclass(frozen=True)
class VerdictInputs:
    """The numbers behind a verdict on the primary metric."""

    inputs: Inputs
    findings: Frame

    @cached_property
    def contrast(self) -> dict[str, Any]:
        """The primary contrast, a row of schema.DIFFERENCES."""
        differences: Frame = self.inputs["differences"]
        return differences.filter("is_primary").row(0, named=True)

    @property
    def metric(self) -> str:
        """The primary metric."""
        return str(self.inputs["metric"])

    @property
    def additive(self) -> tuple[str, ...]:
        """The contenders whose logits are a sum over modalities."""
        return tuple(self.inputs["additive"])

    @property
    def members(self) -> Members:
        """The contenders that each combination combines."""
        members: Members = self.inputs["members"]
        return members

    @property
    def modalities(self) -> Modalities:
        """The modalities that each contender reads."""
        modalities: Modalities = self.inputs["modalities"]
        return modalities

    @cached_property
    def gain(self) -> Estimate:
        """The score of the multimodal contender of the primary contrast less the score of the single-entity one."""
        row = self.contrast
        return Estimate(row["difference"], row["low"], row["high"])

    @cached_property
    def chance(self) -> float:
        """The balanced accuracy of guessing on test rows, which is over the classes that these rows have."""
        return self._chance("test")

    def _chance(self, part: str) -> float:
        predictions: Frame = self.inputs["predictions"]
        tested = predictions.filter(part=part)["label"]
        labels = tested if len(tested) else self.inputs["pairs"]["label"]
        return 1 / max(2, labels.n_unique())

    @property
    def worthless(self) -> float:
        """The gain that counts as none where the whole interval lies below it: `WORTHLESS`, or a smaller margin."""
        margin = self.inputs["margin"]
        return WORTHLESS if margin is None else min(WORTHLESS, margin)

    @cached_property
    def test_scores(self) -> dict[str, float]:
        """The score of each contender on test rows."""
        scores = scores_on_test_rows(self.inputs["scores"], self.metric)
        return dict(scores.select("contender", "value").iter_rows())

    @cached_property
    def choices(self) -> Comparison | None:
        """The two selection procedures of the primary contrast in every metric, or None where all choices agree."""
        primary, predictions = self.inputs["primary"], self.inputs["predictions"]
        if is_unanimous(primary):
            return None
        rows = pl.concat([predictions, selected(predictions, primary)])
        metrics = self.inputs["differences"]["metric"].unique(maintain_order=True).to_list()
        part = read_part(rows, "test", PROCEDURES.values(), primary=self.metric)
        return Comparison(part, metrics, self.inputs["confidence"])

    @cached_property
    def chosen_scores(self) -> dict[str, tuple[float, float]]:
        """The test scores of both selection procedures by metric, where their choices differ between folds or seeds."""
        if self.choices is None:
            return {}
        a, b = (self.choices.scores[name] for name in PROCEDURES.values())
        both = {metric: (float(a[metric].value), float(b[metric].value)) for metric in a}
        return {metric: values for metric, values in both.items() if np.isfinite(values).all()}

    def training_high(self, name: str) -> float | None:
        """Return how far above guessing the balanced accuracy of *name* on its training rows may be, if it is known."""
        scores: Frame = self.inputs["balanced_scores"]
        high = dict(scores.filter(part="train").select("contender", "high").iter_rows()).get(name)
        return None if high is None else high - self._chance("train")

    def alarm(self, code: str, *severities: str) -> dict[str, Any] | None:
        """Return the subject and the evidence of the first finding *code* that has one of *severities*."""
        rows = self.findings.filter(pl.col("severity").is_in(severities), code=code)
        if rows.is_empty():
            return None
        return {"subject": rows["subject"][0], **json.loads(rows["evidence"][0])}

    def readers(self, modality: str) -> dict[str, Estimate]:
        """Return how far each contender that reads this *modality* alone is above guessing on test rows, best first.

        In balanced accuracy, whichever metric is primary: the accuracy of a modality that carries information may be
        that of the majority.
        """
        names = contenders_reading(self.modalities, modality)
        above = self._above_chance(self.inputs["balanced_scores"])
        return {name: each for name, each in above.items() if name in names}

    def _above_chance(self, balanced_scores: Frame) -> dict[str, Estimate]:
        """Return how far each contender is above guessing on test rows, best first."""
        rows = scores_on_test_rows(balanced_scores, BALANCED)
        known = rows.filter(pl.col("low").is_not_null()).sort("value", descending=True, maintain_order=True)
        return {
            name: self.near_guessing(Estimate(*(end - self.chance for end in ends)))
            for name, *ends in known.select("contender", "value", "low", "high").iter_rows()
        }

    def near_guessing(self, above: Estimate) -> Estimate:
        """Return a distance from guessing with the lower end for a model that guesses, which is lower in a k-fold."""
        is_k_fold = "oof" in self.inputs["balanced_scores"]["part"]
        return above._replace(low=above.value - NEAR_GUESSING * (above.value - above.low)) if is_k_fold else above

    def reader(self, modality: str) -> str | None:
        """Return the contender that stands for a *modality* alone: the best one on validation rows."""
        names = contenders_reading(self.modalities, modality)
        if len(names) > 1 and len(self.inputs["predictions"]):
            best: str | None = self.inputs["best_contenders"][modality]
            return best  # None for several outside models of which none has predicted validation rows
        return names[0] if names else None

    def above_chance(self, modality: str) -> Estimate:
        """Return how far `reader` of a *modality* is above guessing on test rows.

        Where the best contender differs between folds or seeds, it is the score of the choices, as they were made.
        """
        return self._above_chance(self.inputs["reader_scores"]).get(self.reader(modality) or "", UNKNOWN)

    def unread(self) -> tuple[str, ...]:
        """Return the modalities that no trained contender reads alone."""
        untrained = self.inputs["untrained"]
        return tuple(
            modality
            for modality in ("text", "image")
            if not set(contenders_reading(self.modalities, modality)).difference(untrained)
        )

    @cached_property
    def baseline(self) -> str | None:
        """The best contender on test rows that reads neither modality, or None."""
        names = [name for name in contenders_reading(self.modalities) if name in self.test_scores]
        return max(names, key=self.test_scores.__getitem__, default=None)

    def above_baseline(self, name: str) -> Estimate:
        """Return the difference of *name* minus `baseline`, or minus the class shares where there is none."""
        known = self.known_difference(name, self.baseline, self.metric) if self.baseline else None
        return known or self._above_class_shares(name)

    def is_above_baseline(self, name: str) -> bool:
        """Return whether contender *name* is shown to do better than `baseline`, or than the class shares."""
        return self.near_guessing(self.above_baseline(name)).low > 0

    def _above_class_shares(self, name: str) -> Estimate:
        """Return the difference of *name* minus the class shares of the training rows, as predictions of each row."""
        predictions: Frame = self.inputs["predictions"]
        own, shares = predictions.filter(part="test", contender=name), class_shares(predictions)
        if own.is_empty():
            return UNKNOWN
        classes = [f"p_{label}" for label in class_names(predictions)]
        known = pl.DataFrame([(fold, *of_fold) for fold, of_fold in shares.items()], ["fold", *classes], orient="row")
        guessed = own.drop(classes).with_columns(contender=pl.lit(CLASS_SHARES)).join(known, on="fold", how="left")
        rows = pl.concat([own, guessed.select(own.columns)], how="vertical_relaxed")
        part = read_part(rows, "test", primary=self.metric, shares=shares)
        found = Comparison(part, [self.metric], self.inputs["confidence"]).difference(name, CLASS_SHARES, self.metric)
        return Estimate(found["difference"], found["low"], found["high"])

    def difference(self, a: str, b: str) -> Estimate:
        """Return the difference of *a* minus *b* in the primary metric.  An unknown one has an infinite interval."""
        return self.known_difference(a, b, self.metric) or UNKNOWN

    def known_difference(self, a: str, b: str, metric: str) -> Estimate | None:
        """Return the difference of *a* minus *b* in a metric, or None where the table has none.

        Parameters
        ----------
        a, b
            *a* and *b* are names of contenders.
        metric
            *metric* is the name of the metric.
        """
        return difference_between(self.inputs["differences"], a, b, metric)

    @cached_property
    def interaction(self) -> Estimate:
        """The part of the score of the multimodal contender that no sum over modalities reaches (EMAP), from CP009."""
        rows = self.findings.filter(pl.col("severity").is_in(["info", "warn"]), code="CP009")
        for evidence in rows["evidence"]:
            for row in json.loads(evidence).get("table", []):
                if row["contender"] == self.contrast["a"]:
                    return Estimate(row["value"], row["low"], row["high"])
        return UNKNOWN

    @cached_property
    def information_gain(self) -> InformationGain | None:
        """The information gain of each modality, of their sum and of each multimodal contender."""
        found: InformationGain | None = self.inputs["information_gain"]
        return found

    @cached_property
    def bits(self) -> tuple[Estimate, Estimate] | None:
        """The bits beyond the better modality: of the best fusion, and of a sum with independent errors."""
        known = self.information_gain
        if known is None:
            return None
        single = max(("text", "image"), key=lambda name: known.bits[name].mean())
        fusion = max((SUM, self.contrast["a"]), key=lambda name: known.bits[name].mean())
        return known.beyond(fusion, single), known.beyond(INDEPENDENT, single)
