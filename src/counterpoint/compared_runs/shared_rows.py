"""The rows of two runs: which are in both, which are the same pairs, and which are test rows in both."""

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from counterpoint.compared_runs.changes import Change
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.schema import Frame

LEAST_SHARE = 0.5
"""With a smaller share of the test rows in both, a difference of all rows is more precise than one of shared rows."""
FEWEST_GROUPS = 2
"""A class with fewer groups of shared rows has no standard error."""


class SharedRows(NamedTuple):
    """The account of the rows of two runs, and the test rows that both share.

    Parameters
    ----------
    counts
        *counts* are numbers of rows, by name.
    test
        *test* are the shared test rows: id, and their group, which joins the groups of both runs.
    why_not
        *why_not* is the reason for which no difference is paired, or None.
    """

    counts: dict[str, int]
    test: Frame
    why_not: str | None


def shared_rows(a: LetteredRun, b: LetteredRun) -> SharedRows:
    """Return the rows that two runs share.

    A row is shared if it has the same id and label in both, and its text or its image is the same.  Where both differ,
    one id names two pairs.
    """
    both = a.rows.join(b.rows, on="id", suffix="_b").with_columns(
        is_labelled=pl.col("label") == pl.col("label_b"), is_other=_is_other_pair()
    )
    tested = both.filter(pl.col("id").is_in(a.test["id"].unique().implode()))
    tested = tested.filter(pl.col("id").is_in(b.test["id"].unique().implode()))
    shared = tested.filter("is_labelled", ~pl.col("is_other"))
    counts = _counts(a, b, both) | {
        "test_shared": len(shared),
        "test_labels_differ": int((~tested["is_labelled"]).sum()),
    }
    groups = shared.select("id", "label", group=joined_groups(shared["group"], shared["group_b"]))
    return SharedRows(counts, groups.select("id", "group"), _why_not(a, b, groups, tested))


def _is_other_pair() -> pl.Expr:
    """Return whether what is known of a row, text or image, differs in all of it."""
    same = [pl.col(name) == pl.col(f"{name}_b") for name in ("text", "sha256")]  # null where one is not known
    return ~pl.any_horizontal(each.fill_null(False) for each in same) & pl.any_horizontal(
        each.is_not_null() for each in same
    )


def _counts(a: LetteredRun, b: LetteredRun, both: Frame) -> dict[str, int]:
    return {
        "shared": len(both),
        "only_a": len(a.rows) - len(both),
        "only_b": len(b.rows) - len(both),
        "labels_differ": len(both.filter(~pl.col("is_labelled"), ~pl.col("is_other"))),
        "other_pairs": int(both["is_other"].sum()),
        "texts_differ": int((both["text"] != both["text_b"]).sum() or 0),
        "images_differ": int((both["sha256"] != both["sha256_b"]).sum() or 0),
        "folds_differ": int((both["fold"] != both["fold_b"]).sum()),
        "test_a": a.test["id"].n_unique(),
        "test_b": b.test["id"].n_unique(),
    }


def joined_groups(a: pl.Series, b: pl.Series) -> pl.Series:
    """Return a group of each row such that rows of one group of *a* or of *b* are in one group.

    >>> joined_groups(pl.Series(["1", "1", "2", "3"]), pl.Series(["x", "y", "y", "z"])).to_list()
    ['0', '0', '0', '1']
    """
    of_a, of_b = (groups.rank("dense").cast(pl.Int64).to_numpy() - 1 for groups in (a, b))
    n_a, n_b = (int(groups.max(initial=-1)) + 1 for groups in (of_a, of_b))
    links = coo_array((np.ones(len(of_a)), (of_a, n_a + of_b)), shape=(n_a + n_b, n_a + n_b))
    _, components = connected_components(links, directed=False)
    return pl.Series("group", components[of_a]).cast(pl.String)


def _why_not(a: LetteredRun, b: LetteredRun, shared: Frame, tested: Frame) -> str | None:
    if a.results.classes != b.results.classes:
        return "the classes differ"
    if tested.is_empty():
        return "no test row is in both"
    if shared.is_empty() or len(shared) < LEAST_SHARE * min(a.test["id"].n_unique(), b.test["id"].n_unique()):
        return f"{_n_of(shared, a, b)} test rows are the same pairs with the same labels in both"
    n_groups = dict(shared.group_by("label").agg(pl.col("group").n_unique()).iter_rows())
    few = next((name for name in a.results.classes if n_groups.get(name, 0) < FEWEST_GROUPS), None)
    return None if few is None else f"class {few} has fewer than {FEWEST_GROUPS} groups of shared test rows"


def _n_of(shared: Frame, a: LetteredRun, b: LetteredRun) -> str:
    n_a, n_b = a.test["id"].n_unique(), b.test["id"].n_unique()
    return f"{'only ' if len(shared) else ''}{len(shared) or 'none'} of {n_a if n_a == n_b else f'{n_a} and {n_b}'}"


def row_changes(a: LetteredRun, b: LetteredRun) -> list[Change]:
    """Return the numbers of rows, the classes and the attribution that differ."""
    one, other = _facts(a), _facts(b)
    return [Change(key, one.get(key), other.get(key)) for key in one | other if one.get(key) != other.get(key)]


def _facts(run: LetteredRun) -> dict[str, Any]:
    rows = run.results.rows
    dropped = {f"dropped: {reason}": n for reason, n in rows.dropped.items()}
    return {
        "rows of the source": rows.n_in,
        "pairs": rows.pairs,
        **dropped,
        "test rows": run.test["id"].n_unique(),
        "classes": run.results.classes,
        "folds": len(rows.folds),
        "attribution": run.results.attribution,
    }
