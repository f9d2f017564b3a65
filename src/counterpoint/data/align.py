"""Pairs from records: keys of text and image must agree, and a missing modality has a policy.  Guesses no pair."""

import polars as pl

from counterpoint.config import Align, Text
from counterpoint.rules import check_pattern, masked, pattern
from counterpoint.schema import Dropped, Frame, first_reason, sift

USED_UP = ("image_status", "text_id", "image_id")
FIRST = ("id", "row", "text", "image", "label", "label_source")


def align(records: Frame, rules: Align, text: Text) -> tuple[Frame, Dropped]:
    """Return Pairs without group and fold, with masked texts, and the ledger of the rows that are no pair.

    A row leaves when its ``text_id`` and ``image_id`` differ, or when text and image are both missing.  It also leaves
    when one is missing and its policy is to drop.  A missing modality that is kept is null.

    Parameters
    ----------
    records
        *records* are labelled records with ``image_status``.  Other columns stay.
    rules
        *rules* is the section ``align`` of the study file.
    text
        *text* is the section ``text``: the words to mask in every text.

    Examples
    --------
    >>> records = pl.DataFrame({"id": ["a", "b"], "row": [0, 1], "text": ["A red fox", None], "image": ["a.jpg"] * 2,
    ...                         "image_status": ["missing", "ok"], "label": ["x", "y"], "label_source": ["column"] * 2})
    >>> pairs, dropped = align(records, Align(missing_image="keep"), Text(mask=("red",)))
    >>> pairs.select("text", "image").row(0), dropped["reason"].to_list()
    (('A fox', None), ['missing_text'])
    """
    if text.mask:
        check_pattern(pattern(text.mask, match=text.match), where="text.mask")
    here = pl.when(pl.col("image_status") == "ok").then("image")
    pairs, dropped = sift(records.with_columns(here), first_reason(_fails(records, rules)), stage="align")
    if text.mask:
        seen = masked(pl.col("text"), text.mask, match=text.match, ignore_case=text.ignore_case)
        pairs = pairs.with_columns(seen)
    rest = [name for name in pairs.columns if name not in FIRST + USED_UP]
    return pairs[[*FIRST, *rest]], dropped


def _fails(records: Frame, rules: Align) -> dict[str, pl.Expr]:
    """Return the conditions under which a row is no pair, by their reasons, in the order in which they apply."""
    no_text, no_image = pl.col("text").is_null(), pl.col("image").is_null()
    fails = {}
    if {"text_id", "image_id"} <= set(records.columns):
        fails["ids_disagree"] = pl.col("text_id").cast(pl.String) != pl.col("image_id").cast(pl.String)
    fails["missing_both"] = no_text & no_image
    if rules.missing_text == "drop":
        fails["missing_text"] = no_text
    if rules.missing_image == "drop":
        fails["missing_image"] = no_image
    return fails
