"""The label of each record, from the source's column, a mapping of it, keyword rules, or the user's own list."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from counterpoint.config import Label
from counterpoint.data.targets import check_classes
from counterpoint.errors import ConfigError, SchemaError, SourceError, did_you_mean, first_line
from counterpoint.files import read_text
from counterpoint.formats.tables import BAD, FORMATS, open_table
from counterpoint.formats.values import name_strings, number_columns
from counterpoint.rules import AMBIGUOUS, NONE, KeywordRules, check_pattern, pattern, preset
from counterpoint.schema import Dropped, Frame, empty, finding, sift

STRIPPED = pl.col("label").cast(pl.String).str.strip_chars().replace("", None)
"""The label of the source, or null for a blank one."""


def label(
    records: Frame, rules: Label, *, exclude: Collection[str] = (), relabel: Mapping[str, str] | None = None
) -> tuple[Frame, Dropped]:
    """Return the records that have a label, with ``label`` and ``label_source``, and the ledger of the others.

    Parameters
    ----------
    records
        *records* have ``text``, and also ``label`` unless keyword rules make it.
    rules
        *rules* is the section ``label`` of the study file.
    exclude
        *exclude* are the ids of rows that leave first, with the reason "excluded".
    relabel
        *relabel* maps ids to labels that override every rule.

    Raises
    ------
    SchemaError
        When there is no label column, no label, or only one class.

    Examples
    --------
    >>> records = pl.DataFrame({"id": ["a", "b", "c"], "row": [0, 1, 2], "label": ["0", "1", None]})
    >>> kept, dropped = label(records, Label(mapping={"0": "cat", "1": "dog"}))
    >>> kept["label"].to_list(), dropped["reason"].to_list()
    (['cat', 'dog'], ['null_label'])
    """
    by_hand = pl.col("id").replace_strict(dict(relabel or {}), default=None, return_dtype=pl.String)
    is_excluded = pl.col("id").is_in(list(exclude)).fill_null(False)
    marked = _covered(_by_rules(records, rules), rules).with_columns(
        pl.coalesce(by_hand, "label").alias("label"),
        pl.when(by_hand.is_null()).then("label_source").otherwise(pl.lit("relabel")).alias("label_source"),
        pl.when(is_excluded).then(pl.lit("excluded")).when(by_hand.is_null()).then("_reason").alias("_reason"),
    )
    labelled, dropped = sift(marked, pl.col("_reason"), stage="label")
    if not records.is_empty():  # without rows the fault is in an earlier stage
        _check_classes(labelled["label"], dropped)
    return labelled.drop("_reason"), dropped


def label_lost(dropped: Frame, rules: Label) -> Frame:
    """Return the rows of an earlier stage's ledger with the label that *rules* give them.

    Keyword rules give null, because the ledger has no texts.

    >>> from counterpoint.schema import ledger
    >>> lost = ledger(pl.DataFrame({"id": ["a"], "row": [0], "label": ["0"]}), stage="clean", reason="small")
    >>> label_lost(lost, Label(mapping={"0": "cat"}))["label"].to_list()
    ['cat']
    """
    if rules.rules() is not None:
        return dropped.with_columns(label=pl.lit(None, pl.String))
    return dropped.with_columns(label=_mapped(rules) if rules.mapping else STRIPPED)


def _mapped(rules: Label) -> pl.Expr:
    """Return the label that the mapping gives.  A label without an entry stays."""
    mapped = STRIPPED.replace_strict(_names(rules.mapping or {}), default=None, return_dtype=pl.String)
    return pl.coalesce(mapped, STRIPPED)


def _names(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return *mapping* with a second name for numbers such as 1.0, which sources yield as 1."""
    return {re.sub(r"^(-?\d+)\.0$", r"\1", name): to for name, to in mapping.items()} | dict(mapping)


def _by_rules(records: Frame, rules: Label) -> Frame:
    """Return *records* with the label from the rules, its source, and a reason where there is no label."""
    keywords = rules.rules()
    if keywords is not None:
        return _by_keywords(records, keywords, source="preset" if rules.preset else "keywords")
    if "label" not in records.columns:
        raise SchemaError(
            f"Records have no column label. Found {', '.join(records.columns)}. "
            "Name the source's label column, or set label.keywords."
        )
    reason = pl.when(STRIPPED.is_null()).then(pl.lit("null_label"))
    if rules.mapping is None:
        check_classes(records.select(STRIPPED).to_series())
        return records.with_columns(label=STRIPPED, label_source=pl.lit("column"), _reason=reason)
    is_unmapped = ~STRIPPED.is_in(list(_names(rules.mapping)))
    return records.with_columns(
        label=_mapped(rules),
        label_source=pl.lit("mapping"),
        _reason=reason.when(is_unmapped).then(pl.lit("unmapped_label")),
    )


def _covered(marked: Frame, rules: Label) -> Frame:
    """Return *marked* rows, with a reason also where the rules of ``covered_by`` give a text no label."""
    if rules.covered_by is None:
        return marked
    uncovered = _reason(preset(rules.covered_by).label(pl.col("text")))
    return marked.with_columns(pl.coalesce("_reason", uncovered).alias("_reason"))


def _reason(outcome: pl.Expr) -> pl.Expr:
    return outcome.replace_strict({AMBIGUOUS: "ambiguous_label", NONE: "no_label_rule"}, default=None)


def _by_keywords(records: Frame, keywords: KeywordRules, *, source: str) -> Frame:
    for name, rule in keywords.classes.items():
        for words in (rule.any, rule.none, rule.not_all):
            check_pattern(pattern(words, match=keywords.match), where=f"label.keywords.classes.{name}")
    outcome = keywords.label(pl.col("text"))
    marked = records.with_columns(
        outcome.alias("label"), pl.lit(source).alias("label_source"), _reason(outcome).alias("_reason")
    )
    return marked.with_columns(pl.when(pl.col("_reason").is_null()).then("label").alias("label"))


def _check_classes(labels: pl.Series, dropped: Dropped) -> None:
    if labels.n_unique() > 1:
        return
    counts = dropped["reason"].value_counts(sort=True).iter_rows()
    left = ", ".join(f"{reason} {count:,}" for reason, count in counts) or "none left out"
    if labels.is_empty():
        raise SchemaError(f"No row has a label ({left}). A comparison needs at least two classes.")
    raise SchemaError(
        f"One class only: {labels[0]!r} on all {len(labels):,} labelled rows ({left}). A comparison needs at least two."
    )


def check_ids(records: Frame, *, exclude: Collection[str], relabel: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a finding for each of ``exclude`` and ``relabel`` with ids that no record has.

    Parameters
    ----------
    records
        *records* are the records of the source.
    exclude
        *exclude* are the ids to leave out.
    relabel
        *relabel* maps ids to labels.

    Examples
    --------
    >>> records = pl.DataFrame({"id": ["a", "b"]})
    >>> [found["subject"] for found in check_ids(records, exclude={"a", "z"}, relabel={"b": "cat"})]
    ['exclude']
    """
    known = set(records["id"])
    found = []
    for setting, ids in (("exclude", exclude), ("relabel", relabel)):
        unknown = sorted(set(ids) - known)
        if unknown:
            message = f"{len(unknown):,} of {len(ids):,} ids in {setting} are the id of no row, such as {unknown[0]!r}."
            found.append(finding("CP020", "warn", setting, message, unknown=unknown[:20], n_unknown=len(unknown)))
    return found


def read_ids(path: Path) -> set[str]:
    """Return the ids in a text file (one on each line), or in the column ``id`` of a CSV or another table.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has no such column.
    """
    if path.suffix.lower() in FORMATS:
        return set(_read_table(path, "id")["id"])
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read ids from {path}: {first_line(error)}.") from error
    return {line.strip() for line in lines if line.strip()}


def read_labels(path: Path) -> dict[str, str]:
    """Return the label of each id in a CSV, or another table, with the columns ``id`` and ``label``.

    Raises
    ------
    ConfigError
        When the file cannot be read, lacks a column or a label, or gives one id two labels.
    """
    rows = _read_table(path, "id", "label").unique(maintain_order=True)
    for wrong, fault in ((rows["label"].is_null(), "has no label"), (rows["id"].is_duplicated(), "has two labels")):
        if wrong.any():
            raise ConfigError(f"{path}: id {rows.filter(wrong)['id'][0]!r} {fault}.")
    return dict(rows.select("id", "label").iter_rows())


def _read_table(path: Path, *columns: str) -> Frame:
    try:
        table = open_table(path)
        for name in columns:
            if name not in table.columns:
                raise ConfigError(f"{path} has no column {name!r}.{did_you_mean(name, table.columns)}")
        numbers = number_columns(table, columns)
        parts = [_names_of(part, columns, numbers) for part in table.frames(columns)]
    except SourceError as error:
        raise ConfigError(f"Cannot read ids: {error}") from error
    rows = pl.concat([empty(dict.fromkeys([*columns, BAD], pl.String)), *parts])
    unread = rows.with_row_index("row", 1).drop_nulls(BAD)
    if unread.height:
        raise ConfigError(f"{path}: row {unread['row'][0]:,} after its header cannot be read ({unread[BAD][0]}).")
    return rows.select(columns).drop_nulls("id")


def _names_of(part: Frame, columns: Collection[str], numbers: Collection[str]) -> Frame:
    return part.select(*(name_strings(part[name], is_number=name in numbers) for name in columns), BAD)
