"""Segments of rows with more or less gain than all others: found by shallow trees on facts.

The same rows would make each found segment look too strong.  `counterpoint.measures.segments` tests it on other rows.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from counterpoint.measures.conditions import Condition, Mask
from counterpoint.measures.row_facts import FACTS, is_presence
from counterpoint.measures.row_gains import Contrast, Gains, contrast
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

DEPTH, DEPTH_OF_ONE = 3, 2
"""The depth of the tree over all facts, and of the tree over each fact alone."""
LEAF_SHARE, LEAST_LEAF, LEAST_GROUPS = 0.08, 40, 20
"""A segment has at least this share of the rows, this number of rows, and this number of groups."""
MOST_SHARE = 0.5
"""A segment has at most this share of the rows: the other rows are then the segment."""
MOST_EACH = 2
"""The largest number of segments with more gain, and with less."""
MOST_JUDGED = 30
"""The largest number of candidates, the clearest first, that are compared with each other."""
LEAST_T, PER_LIMIT = 2.0, 1.0
"""A segment differs by at least this number of standard errors, and each further limit must add `PER_LIMIT`."""
ALIKE = 0.5
"""Two segments are alike if the rows of both are at least this share of the rows of either (Jaccard)."""
_STEPS = 50
"""Limits are rounded to about this number of steps over the middle 90 % of a fact."""

Conditions = tuple[Condition, ...]


class Candidate(NamedTuple):
    """A segment with its rows and its gain on the rows of the search.

    Attributes
    ----------
    conditions
        *conditions* all hold for its rows.
    inside
        *inside* are its rows, shape (n,).
    found
        *found* is its gain, compared with all other rows.
    t
        *t* is the difference in standard errors.  If earlier segments were chosen, it is at most that without them.
    """

    conditions: Conditions
    inside: Mask
    found: Contrast
    t: float

    @property
    def worth(self) -> float:
        """The distance from other rows in standard errors, less for more limits."""
        n_limits = sum(condition.n_limits for condition in self.conditions)
        return abs(self.t) - PER_LIMIT * (n_limits - 1)


def jaccard(one: Mask, other: Mask) -> float:
    """Return the share of the rows of either segment that are in both.

    >>> jaccard(np.array([True, True, False]), np.array([True, False, False]))
    0.5
    """
    either = (one | other).sum()
    return float((one & other).sum() / either) if either else 0.0


def holds(conditions: Sequence[Condition], facts: Frame) -> Mask:
    """Return whether all *conditions* hold for each row of *facts*, shape (n,)."""
    found: Mask = np.ones(len(facts), dtype=bool)
    for condition in conditions:
        found &= condition.holds(facts)
    return found


def search_segments(facts: Frame, gains: Gains) -> list[Candidate]:
    """Return at most `MOST_EACH` segments with more gain than other rows, and as many with less, the clearest first.

    Parameters
    ----------
    facts
        *facts* are the facts of the rows, a column each.
    gains
        *gains* are the gains of the same rows.

    Examples
    --------
    >>> n = np.arange(1000)
    >>> facts = Frame({"words": n % 10, "width": n % 7})
    >>> gains = Gains(np.where(n % 10 < 2, n % 3 > 0, 0.0), np.ones(1000), n, np.zeros(1000, dtype=np.intp))
    >>> search_segments(facts, gains)[0].conditions[0].in_words()
    'the text has fewer than two words'
    """
    table = facts.select(name for name in facts.columns if facts[name].drop_nulls().n_unique() > 1)
    candidates = {tuple(sorted(each)): None for each in _proposed(table, gains)}
    judged = [found for each in candidates if (found := _judged(each, facts, gains)) is not None]
    judged.sort(key=lambda each: (-each.worth, len(each.conditions), each.conditions))
    return _chosen(judged[:MOST_JUDGED], gains)


def _chosen(judged: Sequence[Candidate], gains: Gains) -> list[Candidate]:
    """Return the clearest segments, each with a difference that those before it do not explain."""
    chosen: list[Candidate] = []
    left = list(judged)
    while left:
        best = max(left, key=lambda each: each.worth)  # the first of equals
        if best.worth < LEAST_T:
            break
        chosen.append(best)
        is_full = sum(each.t * best.t > 0 for each in chosen) == MOST_EACH
        left = [each for each in left if each is not best and not (is_full and each.t * best.t > 0)]
        left = [again for each in left if (again := _without(each, best, chosen, gains)) is not None]
    return chosen


def _without(each: Candidate, last: Candidate, chosen: Sequence[Candidate], gains: Gains) -> Candidate | None:
    """Return a candidate as it is judged outside the *chosen* segments, or None if too little is left of it."""
    if jaccard(each.inside, last.inside) >= ALIKE:
        return None
    outside = ~np.any([other.inside for other in chosen], axis=0)
    found = contrast_outside(gains, each.inside, outside)
    if found is None or found.t * each.t <= 0:
        return None
    return each._replace(t=min(found.t, each.t, key=abs))


def contrast_outside(gains: Gains, inside: Mask, outside: Mask) -> Contrast | None:
    """Return the contrast of a segment among the rows *outside* other ones, or None if too few of it are there.

    Parameters
    ----------
    gains
        *gains* are the gains of n rows.
    inside, outside
        *inside* are the rows of the segment, and *outside* the rows that no earlier segment has, shape (n,) each.
    """
    own = gains.at(outside)
    masks = inside[outside], ~inside[outside]
    if any(len(np.unique(own.groups[mask])) < LEAST_GROUPS for mask in masks) or masks[0].sum() < LEAST_LEAF:
        return None
    return contrast(own, masks[0])


def _judged(conditions: Conditions, facts: Frame, gains: Gains) -> Candidate | None:
    """Return the segment of *conditions* with its gain, or None if it is too small or too large."""
    inside = holds(conditions, facts)
    if not least_rows(len(inside)) <= inside.sum() <= MOST_SHARE * len(inside):
        return None
    if min(len(np.unique(gains.groups[mask])) for mask in (inside, ~inside)) < LEAST_GROUPS:
        return None
    found = contrast(gains, inside)
    return Candidate(conditions, inside, found, found.t)


def least_rows(n: int) -> int:
    """Return the number of rows that a segment of *n* rows needs.

    >>> least_rows(100), least_rows(2000)
    (40, 160)
    """
    return max(LEAST_LEAF, math.ceil(LEAF_SHARE * n))


def _proposed(facts: Frame, gains: Gains) -> Iterator[Conditions]:
    """Yield the nodes of the tree over all facts, and of the tree over each fact."""
    yield from _nodes(facts, gains, DEPTH)
    for name in facts.columns:
        if is_presence(name):
            yield from ((condition,) for condition in _presence(name, has_unknown=facts[name].null_count() > 0))
        else:
            yield from _nodes(facts.select(name), gains, DEPTH_OF_ONE)


def _presence(name: str, *, has_unknown: bool) -> tuple[Condition, Condition]:
    """Return the two conditions of a fact that is there or not.  A row of which it is not known lacks it."""
    return Condition(name, high=0.5, has_unknown=has_unknown), Condition(name, low=0.5)


def _nodes(facts: Frame, gains: Gains, depth: int) -> Iterator[Conditions]:
    """Yield the conditions of each node of a tree, but for its root."""
    from sklearn.tree import DecisionTreeRegressor  # noqa: PLC0415 - a study that keeps its segments needs it not

    if facts.width == 0 or len(facts) < 2 * LEAST_LEAF:
        return
    table = facts.to_numpy().astype(float)
    leaf = {"min_samples_leaf": least_rows(len(facts))}
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0, **leaf)
    tree.fit(table, gains.gain, sample_weight=gains.weight)
    yield from _below(tree.tree_, 0, {}, facts.columns, table)


def _below(
    tree: Any, node: int, path: dict[str, Condition], names: Sequence[str], table: Floats
) -> Iterator[Conditions]:
    if path:
        yield tuple(path.values())
    if tree.children_left[node] < 0:  # a leaf
        return
    column = int(tree.feature[node])
    for condition, child in zip(
        _split(names[column], table[:, column], tree, node),
        (tree.children_left[node], tree.children_right[node]), strict=True,
    ):  # fmt: skip
        own = path[names[column]].and_also(condition) if names[column] in path else condition
        yield from _below(tree, int(child), {**path, names[column]: own}, names, table)


def _split(name: str, values: Floats, tree: Any, node: int) -> tuple[Condition, Condition]:
    """Return the conditions of both sides of a node, with a limit that reads well."""
    threshold, is_left = float(tree.threshold[node]), bool(tree.missing_go_to_left[node])
    has_unknown = bool(np.isnan(values).any())
    left, right = has_unknown and is_left, has_unknown and not is_left
    if math.isinf(threshold):  # known values against unknown ones
        return Condition(name, has_known=True), Condition(name, has_known=False, has_unknown=True)
    limit = _rounded(name, values, threshold)
    return Condition(name, high=limit, has_unknown=left), Condition(name, low=limit, has_unknown=right)


def _rounded(name: str, values: Floats, threshold: float) -> float:
    if is_presence(name):
        return 0.5
    if FACTS[name].is_count:
        return float(math.floor(threshold) + 1)  # the left side has values up to the threshold
    low, high = np.nanquantile(values, [0.05, 0.95])
    step = (high - low) / _STEPS
    return round(threshold, max(0, math.ceil(-math.log10(step)))) if step > 0 else threshold
