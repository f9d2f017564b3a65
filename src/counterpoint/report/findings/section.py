"""The findings of a study by severity: each with the advice, the evidence and the error rates of its check."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose import advice_of, title_of
from counterpoint.diagnose.error_rates import ErrorRates, Rate, error_rates
from counterpoint.diagnose.queues import COLUMNS
from counterpoint.report.findings.evidence import evidence_of
from counterpoint.schema import ALARMS, NOTE, Frame

Content = dict[str, Any]
SEVERITIES = {
    "fail": ("✕", "Fail"),
    "warn": ("▲", "Warning"),
    "info": ("●", "Note"),
    "not_applicable": ("–", "Not applicable"),
}
NOT_MEASURED = "How often this check errs was not measured."


def findings_section(
    table: Frame, pairs: Frame, *, titles: Mapping[str, str] | None = None, advice: Mapping[str, str] | None = None
) -> Content | None:
    """Return the findings by severity: those that fail or warn, the notes, and those that do not apply.

    Parameters
    ----------
    table
        *table* is schema.FINDINGS.
    pairs
        *pairs* are the pairs of the study. Their number and classes select the error rates.
    titles, advice
        *titles* and *advice* are those of checks by code, from results.json. Ours have their own.

    Returns
    -------
    dict or None
        summary (a sentence), alarms, notes and others. None without findings.
    """
    if table.is_empty():
        return None
    order = {name: place for place, name in enumerate(SEVERITIES)}
    place = pl.col("severity").replace_strict(order, default=len(order))
    found = table.sort(place, "code", maintain_order=True)
    rows = [
        _finding(row, titles or {}, advice or {}, pairs) | {"is_first": is_first}
        for row, is_first in zip(found.to_dicts(), found["code"].is_first_distinct(), strict=True)
    ]
    alarms = [row for row in rows if row["severity"] in ALARMS]
    others = [row for row in rows if row["severity"] == "not_applicable"]
    notes = [row for row in rows if row not in alarms and row not in others]
    # A severity of no check of ours is a note.
    return {"summary": _summary(found), "alarms": alarms, "notes": notes, "others": others}


def _summary(found: Frame) -> str:
    """Return the number of findings of each severity as a sentence."""
    counts = dict(found["severity"].value_counts().iter_rows())
    words = {
        "fail": ("fails", "fail"), "warn": ("warns", "warn"), "info": ("is a note", "are notes"),
        "not_applicable": ("does not apply", "do not apply"),
    }  # fmt: skip
    parts = [f"{counts[name]} {word[counts[name] > 1]}" for name, word in words.items() if counts.get(name)]
    return f"Of {numbers.count(len(found))} findings, {', '.join(parts)}." if parts else ""


def _finding(row: Content, titles: Mapping[str, str], advice: Mapping[str, str], pairs: Frame) -> Content:
    code, found = str(row["code"]), evidence_of(row["evidence"])
    rates = None if code == NOTE or pairs.is_empty() else error_rates(code, len(pairs), ratio=class_ratio(pairs))
    return row | {
        "title": titles.get(code) or title_of(code) or ("Note on the rows" if code == NOTE else ""),
        "advice": advice.get(code) or advice_of(code),
        "is_question": row["severity"] == "info" and code != NOTE,
        "facts": found.facts,
        "tables": found.tables,
        "n_queue": found.n_queue,
        "queue_file": f"queues/{code}.csv" if found.n_queue and code in COLUMNS else None,
        "rate": "" if code == NOTE else rates_in_short(rates),
        "rates": [] if code == NOTE or rates is None else list(rates_in_words(rates)),
    }


def class_ratio(pairs: Frame) -> float:
    """Return the number of pairs of the largest class, divided by that of the smallest.

    >>> class_ratio(pl.DataFrame({"label": ["a", "a", "a", "b"]})), class_ratio(pl.DataFrame({"label": ["a"]}))
    (3.0, 1.0)
    """
    counts = pairs["label"].drop_nulls().value_counts()["count"].to_list()
    return max(counts) / min(counts) if counts else 1.0


def rates_in_words(rates: ErrorRates) -> Iterator[str]:
    """Yield sentences on how often a check found its fault, and how often it raised an alarm without it.

    >>> detected, alarms = Rate(18, 40, 0.307, 0.602), Rate(0, 40, 0.0, 0.088)
    >>> rates = ErrorRates("A class loses rows.", "Each class loses rows.", 300, 1, detected, alarms)
    >>> for sentence in rates_in_words(rates):
    ...     print(sentence)
    Measured on generated studies of 300 pairs, with equal classes.
    With the fault, it warned or failed in 18 of 40: 45.0% (30.7% to 60.2%).
    Without the fault, it did so in 0 of 40: 0.0% (0.0% to 8.8%).
    The fault: A class loses rows.
    Without it: Each class loses rows.
    """
    classes = "equal classes" if rates.ratio == 1 else f"classes of {rates.ratio} to 1"
    yield f"Measured on generated studies of {numbers.count(rates.n_pairs)} pairs, with {classes}."
    yield f"With the fault, it warned or failed in {_rate(rates.detected)}."
    yield f"Without the fault, it did so in {_rate(rates.alarms)}."
    yield f"The fault: {rates.fault.rstrip('.')}."
    yield f"Without it: {rates.clean.rstrip('.')}."
    if rates.since:
        yield rates.since


def rates_in_short(rates: ErrorRates | None) -> str:
    """Return one sentence on the error rates of a check.

    >>> detected, alarms = Rate(18, 40, 0.307, 0.602), Rate(0, 40, 0.0, 0.088)
    >>> rates_in_short(ErrorRates("A class loses rows.", "Each class loses rows.", 300, 1, detected, alarms))
    'In generated studies of 300 pairs it found 45% of such faults, and 0% of studies without one raised an alarm.'
    """
    if rates is None:
        return NOT_MEASURED
    found, alarms = "its detection was not measured", "its false alarms were not measured"
    if rates.detected:
        found = f"it found {numbers.share(rates.detected.share)} of such faults"
    if rates.alarms:
        alarms = f"{numbers.share(rates.alarms.share)} of studies without one raised an alarm"
    sentence = f"In generated studies of {numbers.count(rates.n_pairs)} pairs {found}, and {alarms}."
    return f"{sentence} {rates.since}".strip()


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "a share of studies that was not measured"
    return f"{rate.k} of {rate.n}: {numbers.share_with_interval(rate.share, rate.low, rate.high)}"
