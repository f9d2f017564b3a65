"""The evidence of a finding as named values and tables in plain words.  The keys of results.json stay as they are."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from counterpoint import number_formats as numbers
from counterpoint.report.cells import cell

NAMES: Mapping[str, str] = {
    "adds bits": "bits that it adds to the other",
    "adds points": "score that it adds to the other",
    "agreement": "agreement of text and image, from −1 to 1",
    "alone": "score alone",
    "all": "balanced accuracy by all facts",
    "association": "link of text and image",
    "blend_weights": "weights that would balance the branches",
    "by chance": "expected by chance",
    "chance": "expected by chance",
    "contrast": "part of the link that differs by class",
    "dead": "outputs that are always zero",
    "ece": "calibration error",
    "ece scaled": "calibration error after scaling",
    "failed": "contenders whose training failed",
    "file": "balanced accuracy by facts of the file",
    "fit_s": "seconds for a fit",
    "flat": "layers with equal outputs for all rows",
    "fusion": "best fusion",
    "gain_bits": "bits that the fusion adds",
    "gain_points": "score that the fusion adds",
    "high": "to",
    "identical_images": "rows with an identical image",
    "ignored": "modalities that are ignored",
    "in the sum": "share in a plain sum",
    "is unread": "is ignored",
    "is_record_lost": "the record was lost",
    "joint": "jointly trained contender",
    "lacking": "share of rows that lack it",
    "lost": "lost rows",
    "losses": "contenders that lose, and to which",
    "low": "from",
    "majority": "share of the largest class",
    "majority_contender": "score of the majority class",
    "metadata_contender": "score of the contender metadata",
    "minimum_detectable": "smallest difference that would show",
    "n": "rows",
    "n_agreed": "rows on which both modalities agree",
    "n_fits": "fits",
    "n_left_out": "rows left out",
    "n_look_alike": "rows whose class is written in another way",
    "n_validation": "validation rows",
    "near-identical_images": "rows with a nearly identical image",
    "near-identical_texts": "rows with a nearly identical text",
    "not generalised": "share of the gain that does not hold on new rows",
    "OGR": "ratio of over-fitting to generalisation",
    "oracle_headroom": "gain of a perfect choice between both",
    "overlap": "rows by which modality is correct",
    "own_image": "a text matches its own image better",
    "own_image_by_contrast": "a text matches its own image better, by the part that differs by class",
    "own_image_by_class": "a text matches its own image better, in each class",
    "own_image_in_class": "a text matches its own image better, among images of its class",
    "p_logits": "p of the link of the contenders' outputs",
    "p_logits_in_class": "p of the link of the contenders' outputs, within the classes",
    "perceptual": "share of the score that depends on it",
    "probe": "score of a probe on its encoder",
    "readings": "how well the rows predict their part",
    "rows if equal": "rows on which it decides",
    "saturated": "outputs at their limit",
    "separation": "separation of the parts",
    "single": "best contender of one modality",
    "skill": "skill above chance",
    "slope": "slope of the calibration",
    "smallest_class": "pairs of the smallest class",
    "spread": "spread of outputs over rows",
    "standing": "share of other texts and images that agree less",
    "stop at": "epoch of the lowest validation loss",
    "such_as": "examples",
    "the_same_content": "groups of the same text and picture with different labels",
    "the_same_picture": "groups of the same picture with different labels",
    "the_same_text": "groups of the same text with different labels",
    "unequal": "numbers that differ",
    "within class": "share of the score that depends on it, within the classes",
    "worth_bits": "bits that would be worth it",
}
"""Plain words for the keys that our checks give to values and columns. Underscores of other keys become spaces."""
QUEUE = ("queue", "n_queue")
_VALUES = ("value", "share", "difference", "all", "own_image")
"""The keys of which ``low`` and ``high`` next to them are the interval."""


class EvidenceTable(NamedTuple):
    """A table of evidence: its caption (empty for the main one), its columns in words, and its cells."""

    caption: str
    columns: list[str]
    rows: list[list[Any]]


class Evidence(NamedTuple):
    """The evidence of one finding, and the number of rows in its queue."""

    facts: list[tuple[str, str]]
    tables: list[EvidenceTable]
    n_queue: int


def evidence_of(text: str | None) -> Evidence:
    """Return the evidence that *text*, which is JSON, contains. Other text is one value.

    >>> found = evidence_of('{"n_fits": 3, "share": 0.1, "low": 0.05, "high": 0.2, "queue": {"a": 1}}')
    >>> found.facts, found.n_queue
    ([('fits', '3'), ('share', '0.100 (0.050 to 0.200)')], 1)
    """
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        found = text
    if not isinstance(found, dict):
        return Evidence([("evidence", cell(found, most=600))], [], 0)
    queue = found.get("queue")
    left_out = (*QUEUE, *(["table"] if found.get("table") == [] else []))
    values = {name: value for name, value in _with_intervals(found).items() if name not in left_out}
    tables = [_table(name, value) for name, value in values.items() if _is_table(value)]
    facts = [(in_words(name), value_in_words(value)) for name, value in values.items() if not _is_table(value)]
    return Evidence(facts, [table for table in tables if table.rows], len(queue) if isinstance(queue, dict) else 0)


def in_words(name: str) -> str:
    """Return the plain words for a key of evidence.

    >>> in_words("minimum_detectable"), in_words("of_my_lab"), in_words("slope low")
    ('smallest difference that would show', 'of my lab', 'slope low')
    """
    return NAMES.get(name, name.replace("_", " "))


def value_in_words(value: object) -> str:
    """Return a value of evidence: an estimate with its interval and its p, a count out of others, names and values.

    >>> value_in_words([0.5, 0.25, 0.75]), value_in_words([0, 104]), value_in_words({}), value_in_words(True)
    ('0.500 (0.250 to 0.750)', '0 of 104', 'none', 'yes')
    >>> value_in_words({"text_only": [0.5, 0.25, 0.75, 1e-9], "n": 2})
    'text only 0.500 (0.250 to 0.750), p < 0.001; rows 2'
    """
    if value in ({}, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{in_words(str(name))} {value_in_words(each)}" for name, each in list(value.items())[:20])
    return _list_in_words(value) if isinstance(value, list) else cell(value, most=600)


def _list_in_words(value: list[Any]) -> str:
    if _is_estimate(value):
        return numbers.score_with_interval(*value)
    if _is_estimate(value[:3]) and len(value) == 4 and type(value[3]) is float:
        return f"{numbers.score_with_interval(*value[:3])}, {numbers.p_equals(value[3])}"
    if len(value) == 2 and all(type(each) is int for each in value):
        return f"{cell(value[0])} of {cell(value[1])}"
    return cell(value, most=600)


def _with_intervals(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return *found* with the ends of an interval joined to the value that they belong to."""
    of = next((name for name in _VALUES if name in found), None)
    if of is None or not _is_estimate([found[of], found.get("low"), found.get("high")]):
        return dict(found)
    joined = {of: [found[of], found["low"], found["high"]]}
    return {name: joined.get(name, value) for name, value in found.items() if name not in ("low", "high")}


def _is_estimate(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 3 or not any(isinstance(each, float) for each in value):
        return False
    return all(isinstance(each, float | int) and not isinstance(each, bool) for each in value) and (
        value[1] <= value[0] <= value[2]
    )


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(name: str, rows: list[dict[str, Any]]) -> EvidenceTable:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[row.get(column) for column in columns] for row in rows]
    return EvidenceTable("" if name == "table" else in_words(name), [in_words(column) for column in columns], cells)
