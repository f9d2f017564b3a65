"""CP024: rows with nearly the same content but different labels, and rows whose label is written in another way.

Rows of the same picture and the same text cannot have two labels, so one of these is wrong, or the class is ambiguous.
Rows of the same picture with other texts may have, if the text decides.  They count as a conflict only if the label
mostly follows the picture.  Texts of different pictures may well agree, so these are only counted.

Inputs that more than `MANY` rows share are placeholders or boilerplate, and are left out.  Labels that look alike are
taken for one class here.  The stage that reads the labels warns of them, and this check has their rows.

Takes about 0.1 s for a thousand rows, mostly to compare texts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.config import Group
from counterpoint.data.look_alikes import look_alikes
from counterpoint.data.near import Ints
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.queues import queue_evidence
from counterpoint.measures.repeated_inputs import MISSING, RepeatedInputs, repeated_inputs
from counterpoint.metrics.intervals import wilson
from counterpoint.schema import Frame

MANY = 10
"""A text or an image that more rows share is no duplicate of a record."""
USUAL = 0.05
"""Two rows disagree about twice as often as a label is wrong.  Common test sets have about 3 % wrong labels."""
FEW = 2
"""A single conflict is listed without a warning."""
FOLLOWS = 0.5
"""The label follows the picture if groups of one picture conflict less often than this share of what chance would
give."""
PAIR, PICTURE, TEXT = "the same content", "the same picture", "the same text"
SUBJECT = "labels"
ADVICE = "Look at each row. Correct it with relabel: {id: label}, or leave it out with exclude: [id]."


class Conflicts(NamedTuple):
    """The groups of rows of one kind of likeness, and those with different labels.

    Attributes
    ----------
    n_groups
        *n_groups* is the number of groups of two rows or more.
    groups
        *groups* are the rows of each group with different labels.
    by_chance
        *by_chance* is the share of groups that would have different labels if the label did not depend on the group.
    """

    kind: str
    n_groups: int
    groups: Sequence[Ints]
    by_chance: float

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share of groups with different labels."""
        return wilson(len(self.groups), self.n_groups)

    @property
    def is_judged(self) -> bool:
        """Whether different labels contradict each other in such groups."""
        follows = self.n_groups > 0 and self.interval[1] < FOLLOWS * self.by_chance
        return self.kind == PAIR or (self.kind == PICTURE and follows)

    @property
    def is_alarming(self) -> bool:
        """Whether more labels contradict each other than usual."""
        return self.is_judged and len(self.groups) >= FEW and self.interval[0] > USUAL

    def counted(self) -> str:
        """Return the sentence with the numbers."""
        k, n = len(self.groups), self.n_groups
        share = f" ({numbers.share_with_interval(k / n, *self.interval)})" if k else ""
        return (
            f"Of {numbers.count(n)} groups of rows with {self.kind}, {numbers.count(k)} have different labels{share}."
        )


@final
class ConflictingLabels(Check):
    """Count the groups of near-duplicates with different labels, and the rows whose label looks like another."""

    code = "CP024"
    title = "Labels that conflict or look alike"
    advice = (
        "Look at each row of the queue. Correct its label with the setting relabel, or leave the row out with exclude. "
        "Write the name of each class in one way."
    )
    cost = Cost("0.1 s")
    needs = ("pairs",)

    def run(self, *, pairs: Frame) -> Finding:
        """Return the finding on all pairs."""
        if not {"id", "label"} <= set(pairs.columns) or pairs["label"].n_unique() < 2:
            return self.not_applicable(SUBJECT, "The pairs have no labels, or one class only.")
        merged = {name: each.merged for each in look_alikes(pairs["label"]) for name in each.counts}
        labels = pairs["label"].cast(pl.String).replace(merged).to_numpy()
        found = conflicts_of(repeated_inputs(pairs, Group()), labels)
        counted = [each for each in found if each.n_groups]
        judged = [each for each in counted if each.is_judged]
        rows = [row for each in judged for group in each.groups for row in _in_doubt(group, labels, each.kind)]
        table = [{"id": pairs["id"][row], "label": pairs["label"][row], **doubt} for row, doubt in rows]
        spelled = _spelled(pairs, merged)
        queue = list({row["id"]: row for row in [*spelled, *table]}.values())
        queue.sort(key=lambda row: row["reason"] == SPELLING)
        evidence = {each.kind.replace(" ", "_"): [len(each.groups), each.n_groups] for each in found}
        evidence |= {"n_look_alike": len(spelled)} | queue_evidence(queue, "suggested")
        sentences = [each.counted() for each in counted] or [f"No 2 to {MANY} rows have nearly the same content."]
        sentences += [NATURAL[each.kind] for each in counted if each.groups and not each.is_judged]
        if spelled:
            sentences.append(f"{numbers.count(len(spelled))} rows have a label that looks like another one.")
        is_alarming = any(each.is_alarming for each in judged)
        sentences += [MEANING] * is_alarming + [ADVICE] * bool(queue)
        return self.finding("warn" if is_alarming else "info", SUBJECT, " ".join(sentences), **evidence)


MEANING = "One of these labels is wrong, or the classes overlap: no contender can predict both."
NATURAL = {
    PICTURE: "The text may decide about these labels, because the label does not follow the picture.",
    TEXT: "The image may decide about labels of the same text.",
}
"""The sentence on different labels that need not contradict each other, by kind of likeness."""
SPELLING = "looks like another label"


def conflicts_of(inputs: RepeatedInputs, labels: Any) -> list[Conflicts]:
    """Return the groups of rows with the same content, the same picture, and the same text, in this order.

    A row of a group of one kind does not count in a group of a later kind with the same rows.

    Parameters
    ----------
    inputs
        *inputs* are the clusters of equal or nearly equal texts and images.
    labels
        *labels* are the labels of the rows, shape (n,).

    Examples
    --------
    >>> inputs = RepeatedInputs(np.array([0, 0, 2, 3]), np.array([0, 0, 2, 2]))
    >>> [(each.kind, len(each.groups), each.n_groups) for each in conflicts_of(inputs, np.array(list("abab")))]
    [('the same content', 1, 1), ('the same picture', 1, 1), ('the same text', 0, 0)]
    """
    n = len(labels)
    known = [each for each in inputs if each is not None]
    whole = [_joined(known, n)] if known else []
    kinds = dict(zip((PAIR,), whole, strict=False))
    if len(known) > 1:
        kinds |= {PICTURE: known[1], TEXT: known[0]}
    shares = np.unique(labels, return_counts=True)[1] / max(n, 1)
    return [_conflicts(kind, clusters, labels, shares, whole[0]) for kind, clusters in kinds.items()]


def _joined(known: Sequence[Ints], n: int) -> Ints:
    """Return the cluster of rows that share all of their inputs, or `MISSING` where there are none."""
    _, codes = np.unique(np.stack(known), axis=1, return_inverse=True)
    return np.where(np.all([each == MISSING for each in known], axis=0), MISSING, codes.reshape(n))


def _conflicts(kind: str, clusters: Ints, labels: Any, shares: Any, whole: Ints) -> Conflicts:
    groups, by_chance = [], []
    order = np.argsort(clusters, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1):
        if not len(rows) or clusters[rows[0]] == MISSING or not 1 < len(rows) <= MANY:
            continue
        one_each = rows if kind == PAIR else rows[np.unique(whole[rows], return_index=True)[1]]
        if len(one_each) > 1:
            groups.append(one_each)
            by_chance.append(1 - float((shares ** len(one_each)).sum()))
    differing = [rows for rows in groups if len(set(labels[rows])) > 1]
    return Conflicts(kind, len(groups), differing, float(np.mean(by_chance)) if groups else 0.0)


def _in_doubt(rows: Ints, labels: Any, kind: str) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a group whose label is not the most frequent one, or all of its rows if there is no such one.

    Each comes with the label that it may need.  Without a most frequent label this is its own.
    """
    counts = Counter(labels[rows]).most_common()
    is_tied = counts[0][1] == counts[1][1]
    reason = f"{kind} as other rows"
    return [
        (int(row), {"suggested": str(labels[row] if is_tied else counts[0][0]), "reason": reason})
        for row in rows if is_tied or labels[row] != counts[0][0]
    ]  # fmt: skip


def _spelled(pairs: Frame, merged: dict[str, str]) -> list[dict[str, str]]:
    """Return the rows whose label looks like the label of more rows."""
    other = {name: to for name, to in merged.items() if name != to}
    rows = pairs.filter(pl.col("label").is_in(list(other))).select("id", "label").iter_rows()
    return [{"id": name, "label": label, "suggested": other[label], "reason": SPELLING} for name, label in rows]
