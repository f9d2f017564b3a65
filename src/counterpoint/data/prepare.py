"""From records to grouped pairs: inspect, clean, label, align, group.  A study and `read_pairs` share these steps."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import polars as pl

from counterpoint.config import Align, Clean, Group, Label, Text
from counterpoint.data.align import align
from counterpoint.data.clean import check_dropped, clean
from counterpoint.data.group import group
from counterpoint.data.label import check_ids, label, label_lost
from counterpoint.data.look_alikes import look_alike_findings
from counterpoint.features.chunks import OnCount, ignore_count
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.schema import Frame


class PairRules(NamedTuple):
    """The sections of a study file that decide which records become pairs, and which pairs belong together."""

    clean: Clean = Clean()
    label: Label = Label()
    align: Align = Align()
    text: Text = Text()
    group: Group = Group()


class Edits(NamedTuple):
    """The edits of single rows in a study file: ids to leave out, and labels by id, which override every rule."""

    exclude: Collection[str] = frozenset()
    relabel: Mapping[str, str] = {}


class Prepared(NamedTuple):
    """Pairs with their ``group`` and without folds, all rows that left before, and the findings of these steps."""

    pairs: Frame
    dropped: Frame
    findings: list[dict[str, str]]


def inspect_records(records: Frame, rules: Clean, *, workers: int = 1, on_count: OnCount = ignore_count) -> Frame:
    """Return *records* with the status, size and hashes of each image.

    Parameters
    ----------
    records
        *records* is schema.RECORDS.
    rules
        *rules* is the section ``clean``, which has the limits of images.
    workers
        *workers* is the number of processes that decode images.
    on_count
        *on_count* receives the number of inspected images and the number of all.
    """
    limits = Limits(rules.min_side_px, rules.max_side_px, rules.max_pixels, rules.max_aspect, rules.max_decode_s)
    return inspect_images(records, limits, workers=workers, on_count=on_count)


def prepare_pairs(records: Frame, dropped: Frame, rules: PairRules, edits: Edits | None = None) -> Prepared:
    """Return the grouped pairs of inspected records.

    Parameters
    ----------
    records
        *records* are records as `inspect_records` returns them.
    dropped
        *dropped* are the rows that the source left out: schema.DROPPED.
    rules
        *rules* are the settings of the steps.
    edits
        *edits* are the rows to leave out and the labels that are given by id (default: none).

    Raises
    ------
    SchemaError
        When more rows left than ``clean.max_dropped_share`` allows, or fewer than two classes remain.

    Examples
    --------
    >>> records = pl.DataFrame({"id": ["a", "b", "a"], "row": [0, 1, 2], "text": ["A cat", "A dog", "A fox"],
    ...                         "image": [f"{name}.jpg" for name in "abc"], "source": ["s"] * 3,
    ...                         "label": ["x", "y", "x"], "image_status": ["ok"] * 3})
    >>> from counterpoint.schema import DROPPED, empty
    >>> made = prepare_pairs(records, empty(DROPPED), PairRules())
    >>> made.pairs["group"].to_list(), made.dropped["reason"].to_list()
    (['g000000', 'g000001'], ['duplicate_id'])
    """
    exclude, relabel = edits or Edits()
    cleaned, unclean = clean(records, rules.clean)
    labelled, unlabelled = label(cleaned, rules.label, exclude=exclude, relabel=relabel)
    aligned, unaligned = align(labelled, rules.align, rules.text)
    all_dropped = pl.concat([label_lost(pl.concat([dropped, unclean]), rules.label), unlabelled, unaligned])
    check_dropped(len(aligned) + len(all_dropped), all_dropped, rules.clean.max_dropped_share)
    grouped, findings = group(aligned, rules.group)
    findings = findings + check_ids(records, exclude=exclude, relabel=relabel) + look_alike_findings(grouped["label"])
    return Prepared(grouped, all_dropped, findings)
