"""Named rules for every record.  A record leaves with the first rule that it fails.  Decodes no image."""

import polars as pl

from counterpoint.config import Clean
from counterpoint.errors import SchemaError
from counterpoint.rules import check_pattern, given, words
from counterpoint.schema import RECORDS, Dropped, Frame, check, first_reason, sift

BAD_ROW = "bad_row"
ON_PURPOSE = (
    "excluded", "ambiguous_label", "no_label_rule", "balance", "limit", "train_limit", "duplicate", "low_agreement",
)  # fmt: skip
"""Reasons of rows that the user leaves out, which do not count as bad rows."""


def clean(inspected: Frame, rules: Clean) -> tuple[Frame, Dropped]:
    """Return the records that pass every rule, and the ledger of the others.

    The rules, in this order: ``missing_id``, ``duplicate_id`` (all after the first), ``disallowed_characters``,
    ``too_few_words``, ``too_many_words``, and the status of the image (a reason of ``features.decode``).  A text of
    only white space becomes null.  A missing text or image fails no rule here: ``align`` has the policies for it.

    Parameters
    ----------
    inspected
        *inspected* is Records as ``features.hashes.inspect_images`` returns them, with ``image_status``.
    rules
        *rules* is the section ``clean`` of the study file.

    Examples
    --------
    >>> records = pl.DataFrame({"id": ["a", "a", "b"], "row": pl.Series([0, 1, 2]), "text": ["A fox", "A cat", " "],
    ...                         "image": ["a.jpg", "b.jpg", "c.jpg"], "source": ["s"] * 3, "image_status": ["ok"] * 3})
    >>> kept, dropped = clean(records, Clean())
    >>> kept["text"].to_list(), dropped["reason"].to_list()
    (['A fox', None], ['duplicate_id'])
    """
    check(inspected, {**RECORDS, "image_status": pl.String}, table="Records")
    records = inspected.with_columns(given(pl.col("text")))
    status = pl.col("image_status")
    bad_image = pl.when(~status.is_in(["ok", "missing"])).then(status)
    return sift(records, pl.coalesce(first_reason(_rules(rules)), bad_image), stage="clean")


def _rules(rules: Clean) -> dict[str, pl.Expr]:
    """Return the condition that fails each rule, by its name, in the order of the rules."""
    text, n_words = pl.col("text"), words(pl.col("text")).list.len()
    fails = {"missing_id": pl.col("id").is_null(), "duplicate_id": ~pl.col("id").is_first_distinct()}
    if rules.allowed_characters is not None:
        check_pattern(rules.allowed_characters, where="clean.allowed_characters")
        fails["disallowed_characters"] = ~text.str.contains(rf"\A(?:{rules.allowed_characters})\z")
    if rules.min_words:
        fails["too_few_words"] = n_words < rules.min_words
    if rules.max_words is not None:
        fails["too_many_words"] = n_words > rules.max_words
    return fails


def check_dropped(n_in: int, dropped: Frame, max_share: float) -> None:
    """Raise when too many rows were bad.  Rows that were left out on purpose do not count.

    Parameters
    ----------
    n_in
        *n_in* is the number of rows of the source.
    dropped
        *dropped* is the ledger of the rows that left.
    max_share
        *max_share* is the largest allowed share of bad rows.

    Raises
    ------
    SchemaError
        When the share is larger: one line with the number of bad rows and their most frequent reasons.
    """
    bad = dropped.filter(~pl.col("reason").is_in(ON_PURPOSE))
    if bad.height <= max_share * n_in:
        return
    counts = bad["reason"].value_counts(sort=True).sort("count", "reason", descending=[True, False])
    worst = ", ".join(f"{reason} {count:,}" for reason, count in counts.head(3).iter_rows())
    raise SchemaError(
        f"{bad.height:,} of {n_in:,} rows were dropped ({worst}). clean.max_dropped_share allows {max_share:g}."
        f"{_first_of_wrong_width(bad)}"
    )


def _first_of_wrong_width(bad: Frame) -> str:
    first = next(bad.filter(reason=BAD_ROW).select("id", "source").iter_rows(), None)
    if first is None:
        return ""
    return (
        f" The first {BAD_ROW} is {first[0]} of {first[1]}, with more or fewer fields than the header: name all "
        "columns there, enclose fields in quotation marks, or set separator or quoting."
    )
