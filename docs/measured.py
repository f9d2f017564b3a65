"""Figures of the injection benchmark, read from benchmarks/results, so that none of them is typed by hand.

`measured` gives the rates of a check under its code, and those of all checks together under ``panel``.  ``named`` are
the named cases, ``contribution`` the measures of contribution, ``verdicts`` the confusion table of the verdict.  A
missing figure reads "Not measured yet".  `tables.py` writes them into the pages.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reference import table

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from injection.plants import PLANTS, Plant

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
NOT_YET = "Not measured yet."
MET = {True: "met", False: "**missed**", None: "too few draws to say"}
REAL = {"flickr8k": "photos and captions (Flickr8k)", "openmoji": "drawings (OpenMoji)"}
TRIAL = "From a short trial on seeds of development, which measures nothing: "


def read(name: str) -> dict[str, Any]:
    """Return the results file called *name*; empty when there is none."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def measured(name: str) -> str:
    """Return in Markdown the figures called *name*, as they stand in benchmarks/results.

    >>> "Error rates" in measured("CP001")
    True
    """
    return text_of(name, read("pitfalls"), read("verdicts")).strip()


def text_of(what: str, pitfalls: Mapping[str, Any], verdicts: Mapping[str, Any]) -> str:
    """Return in Markdown what was measured of *what*."""
    if what in PLANTS:
        return "\n\n".join(_of_check(PLANTS[what], pitfalls.get("checks", {}).get(what, {}), pitfalls))
    section = {"panel": _panel, "named": _named, "contribution": _contribution, "verdicts": _verdicts}[what]
    found = section(verdicts if what == "verdicts" else pitfalls)
    return f"{TRIAL if found and (pitfalls.get('is_quick') and what != 'verdicts') else ''}{found or NOT_YET}"


def percent(found: Mapping[str, float] | None) -> str:
    """Return a rate with its interval in percent.

    >>> percent({"k": 1, "n": 4, "share": 0.25, "low": 0.0456, "high": 0.6994}), percent(None)
    ('25.0 % (4.6 to 69.9), 1 of 4', '–')
    """
    if found is None:
        return "–"
    share, low, high = (f"{100 * found[name]:.1f}" for name in ("share", "low", "high"))
    return f"{share} % ({low} to {high}), {found['k']} of {found['n']}"


def strength_of(strength: float, unit: str) -> str:
    """Return a strength, in percent where it is a share.

    >>> strength_of(0.05, "of the test rows"), strength_of(8, "times the width")
    ('5 %', '8')
    """
    return f"{100 * strength:.3g} %" if unit.startswith(("of", "lost")) else f"{strength:.3g}"


def amount(strength: float, unit: str) -> str:
    """Return a strength with its unit.

    >>> amount(0.05, "of the test rows"), amount(8, "times the width"), amount(1, "yes")
    ('5 % of the test rows', '8 times the width', 'it is there')
    """
    if unit == "yes":
        return "it is there"
    return f"{strength_of(strength, unit)} {unit}"


def _of_check(plant: Plant, found: Mapping[str, Any], pitfalls: Mapping[str, Any]) -> Iterator[str]:
    planted = plant.fault if plant.unit == "yes" else f"{plant.fault}: {amount(plant.strength, plant.unit)}"
    yield f"**Error rates.** Planted: {planted[0].lower()}{planted[1:]}. Without the fault: {plant.clean}"
    rows = [
        [f"{size['n']:,}", f"{size['ratio']} : 1", percent(size["planted"]), percent(size["clean"])]
        for size in found.get("sizes", ())
        if size["planted"] or size["clean"]
    ]
    if not rows:
        yield NOT_YET
        return
    least, most = (f"{100 * share:.0f} %" for share in found["bar"])
    bar = f"The bar at 1,000 pairs is {least} found and {most} alarms: {MET[found['meets']]}."
    yield f"{TRIAL if pitfalls['is_quick'] else ''}Warns or fails, with Wilson's 95 % interval. {bar}"
    yield table(["pairs", "classes", "found where planted", "alarms where there is none"], rows)
    yield _curve(found, plant)
    real = [
        [REAL[own["pairs"]], percent(own["planted"]), percent(own["clean"])] for own in found["real"] if own["planted"]
    ]
    if real:
        yield "Planted in real pairs, each time in others of the same set:"
        yield table(["1,000 pairs", "found where planted", "alarms where none is planted"], real)


def _curve(found: Mapping[str, Any], plant: Plant) -> str:
    """Return how often the fault is found at each strength, and where that is as often as not."""
    curve, odds = found["curve"], found["even_odds"]
    points = [point for point in curve if point["rate"] and point["strength"] != plant.clean_at]
    if len(points) < 2:
        return ""
    shares = [point["rate"]["share"] for point in points]
    half = ""
    if odds is not None:
        half = f"Detection reaches one half at {amount(odds, plant.unit)}."
    elif len(points) == len(plant.grid) + 1 and min(shares) >= 0.5:
        half = "Detection is above one half at the weakest fault that was tried."
    header = ["at 1,000 pairs", *(strength_of(point["strength"], plant.unit) for point in points)]
    rows = [["found", *(percent(point["rate"]) for point in points)]]
    for kind, own in found["by_kind"].items():
        rates = {point["strength"]: point["rate"] for point in own}
        rows.append([kind, *(percent(rates[point["strength"]]) for point in points)])
    return "\n\n".join([half, table(header, rows)])


def _panel(pitfalls: Mapping[str, Any]) -> str:
    panel = pitfalls.get("panel", {})
    if not panel.get("rate"):
        return ""
    failed = f"{pitfalls['n_errors']} of all {pitfalls['n_draws']:,} draws failed, and count against their check."
    summary = (
        f"Of clean studies, {percent(panel['rate'])} showed any warn or fail: {MET[panel['meets']]}. By check: "
        f"{_counts(panel['by_check'])}. Not applicable, and so quiet by nature: {_counts(panel['not_applicable'])}. "
        f"{failed}"
    )
    rows = [
        [f"{size['n']:,}", f"{size['ratio']} : 1", percent(size["rate"]), _counts(size["by_check"])]
        for size in panel["elsewhere"]
    ]
    header = ["pairs", "classes", "clean studies with any", "by check"]
    return "\n\n".join(
        [summary, *(["So at other sizes, of which no bar is asked:", table(header, rows)] if rows else ())]
    )


def _counts(by_check: Mapping[str, int]) -> str:
    return ", ".join(f"{code} in {n}" for code, n in by_check.items()) or "none"


def _named(pitfalls: Mapping[str, Any]) -> str:
    rows = [
        [case["says"], case["must"], _found(case["found"]), "yes" if case["is_right"] else "**no**"]
        for case in pitfalls.get("named", ())
    ]
    return "\n\n" + table(["study", "must be", "found", "right"], rows) if rows else ""


def _found(found: Mapping[str, str] | str) -> str:
    return found if isinstance(found, str) else ", ".join(f"{code} {severity}" for code, severity in found.items())


def _contribution(pitfalls: Mapping[str, Any]) -> str:
    named = {"pid": "the parts of the information in their true order", "perceptual": "an interval that covers 0"}
    rows = [
        [named[kind], f"{own['k']} of {own['n']}", f"{own['bar']:.0%}"]
        for kind, own in pitfalls.get("contribution", {}).items()
    ]
    return "\n\n" + table(["what", "right", "at least wanted"], rows) if rows else ""


def _verdicts(verdicts: Mapping[str, Any]) -> str:
    """Return a sentence and a confusion table for each number of pairs."""
    parts = []
    for n, found in verdicts.items():
        shares = ", ".join(
            f"{name.replace('_', ' ')} {percent(found[name])}" for name in ("right", "wrong", "cannot_tell")
        )
        least, most = (f"{100 * found['bars'][name]:.0f} %" for name in ("right", "wrong"))
        named = sorted({name for counts in found["table"].values() for name in counts})
        rows = [
            [f"`{truth}`", *(str(counts.get(name, "")) for name in named)] for truth, counts in found["table"].items()
        ]
        parts.append(
            f"Studies of {int(n):,} pairs: {shares}. The bar is {least} right and {most} wrong: {MET[found['meets']]}."
        )
        parts.append(table(["truth", *(f"`{name}`" for name in named)], rows))
    return "\n\n".join(parts)
