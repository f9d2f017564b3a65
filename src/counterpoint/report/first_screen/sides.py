"""The two sides of the primary contrast, as the first screen reads them.  Computes no score."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from counterpoint.compare.repeated import n_repeats
from counterpoint.config import Evaluate
from counterpoint.contenders.titles import TITLES
from counterpoint.report.contenders import Contenders
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import ALARMS, MODALITIES, Frame, other_modality

COUNTED = ("balanced_accuracy", "accuracy")
"""Metrics that are a share of right answers."""
ENDS = ("difference", "low", "high")


@dataclass(frozen=True)
class Sides:
    """The two contenders that the answer is about, and all that the first screen reads of the study.

    Attributes
    ----------
    results
        *results* is the content of results.json.
    tables
        *tables* are those of `counterpoint.report.page.TABLES`.
    scores
        *scores* have the metric that decides.
    contenders
        *contenders* have the titles.
    evaluate
        *evaluate* are the settings of the comparison.
    kinds
        *kinds* has the kind of each contender of the study file by its name.
    """

    results: Mapping[str, Any]
    tables: Mapping[str, Frame]
    scores: ScoreTable
    contenders: Contenders
    evaluate: Evaluate
    kinds: Mapping[str, str]

    @property
    def answer(self) -> Mapping[str, Any]:
        """The answer of results.json, which may be empty."""
        return self.results.get("answer") or {}

    @property
    def claim(self) -> str:
        """The claim of the answer, or nothing where there is no answer."""
        return str(self.answer.get("claim") or "")

    @property
    def verdict(self) -> str:
        """The verdict of the answer."""
        return str(self.answer.get("verdict") or "")

    @cached_property
    def row(self) -> Mapping[str, Any] | None:
        """The primary contrast, or None where there is none, or none with an interval."""
        row = next(self.tables["differences"].filter("is_primary").iter_rows(named=True), None)
        if row is None or any(row[name] is None for name in ENDS):
            return None
        return row if all(math.isfinite(row[name]) for name in ENDS) else None

    @property
    def a(self) -> str:
        """The contender of both modalities."""
        return str(self.row["a"]) if self.row else ""

    @property
    def b(self) -> str:
        """The contender of one modality."""
        return str(self.row["b"]) if self.row else ""

    @property
    def single(self) -> str:
        """The modality that `b` reads, in words."""
        read = self.contenders.style(self.b).label
        return read if read in MODALITIES else "one of them"

    @property
    def alone(self) -> str:
        """The side of one modality in words, as it was chosen: other fits may have chosen the other modality."""
        read = {self.contenders.style(name).label for name in self.tables["repeats"]["b"].unique()}
        return "one of them alone" if len(read) > 1 else f"the {self.single} alone"

    @property
    def modality_to_use(self) -> str:
        """The modality of the contender that the answer recommends, or `single` where it recommends none of one."""
        read = self.contenders.style(str(self.answer.get("to_use"))).label
        return read if read in MODALITIES else self.single

    @property
    def places(self) -> dict[str, str]:
        """The words for the places in `counterpoint.report.first_screen.plain_words`."""
        unread = " or the ".join(self.unread) or "text or the image"
        other = other_modality(self.single) if self.single in MODALITIES else "other"
        return {"single": self.single, "other": other, "unread": unread}

    @property
    def unread(self) -> list[str]:
        """The modalities that no trained contender reads alone."""
        return list(self.answer.get("unread") or ())

    def kind(self, name: str) -> str:
        """Return the kind of a contender."""
        return self.kinds.get(name, name)

    def is_ours(self, name: str) -> bool:
        """Return whether a contender was fitted by the study, so that it can be saved."""
        return name in self.kinds or (not self.kinds and name in TITLES)

    def value(self, name: str, metric: str) -> float | None:
        """Return the test score of a contender, or None."""
        chosen = (self.answer.get("chosen_scores") or {}).get(metric)
        if chosen and self.row and name in (self.a, self.b):  # those of the choices, of which the row is the difference
            return float(chosen[name == self.b])
        rows = self.scores.test.filter(contender=name, metric=metric)["value"].drop_nulls()
        return float(rows[0]) if len(rows) and math.isfinite(rows[0]) else None

    @cached_property
    def counted(self) -> str | None:
        """The metric whose scores are counts of right answers, in the order that the primary metric gives."""
        if self.scores.metric in COUNTED:
            return self.scores.metric
        values = [self.value(name, "accuracy") for name in (self.a, self.b)]
        if self.row is None or None in values:
            return "accuracy" if self.row is None and "accuracy" in self.scores.metrics else None
        gain = (values[0] or 0) - (values[1] or 0)
        return "accuracy" if gain * self.row["difference"] >= 0 else None

    @property
    def is_of_counts(self) -> bool:
        """Whether the primary metric is a share of right answers, so that its difference is one too."""
        return self.scores.metric in COUNTED

    @property
    def n_repeats(self) -> int:
        """The number of repeats over which the primary contrast is measured."""
        return n_repeats(self.tables["repeats"])

    @property
    def n_pairs(self) -> int:
        """The number of pairs."""
        return len(self.tables["pairs"])

    @property
    def n_tested(self) -> int:
        """The number of test pairs."""
        return int(self.scores.test.select(pl.col("n").max()).item() or 0)

    def alarm(self, code: str) -> Mapping[str, Any] | None:
        """Return the first finding *code* that warns or fails, or None."""
        found = self.tables["findings"].filter(pl.col("severity").is_in(ALARMS), code=code)
        return next(found.iter_rows(named=True), None)
