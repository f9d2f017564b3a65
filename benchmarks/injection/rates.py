"""Rates of draws: Wilson intervals, the strength of even odds, all checks together, and lines for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from counterpoint.metrics.intervals import wilson
from injection.draw import CLEAN, frame_of
from injection.plants import PLANTS, Plant
from injection.sources import GENERATED
from injection.work import CELLS, MAIN, N_CLEAN, N_TABLE, N_TRAINED

BARS = {False: (0.95, 0.02), True: (0.90, 0.05)}
"""Minimum detection and maximum false alarms at n = 1,000, by whether the check needs training."""
PANEL_BARS = {MAIN: 0.08, (300, 1): 0.15}
"""Maximum share of clean studies with any alarm, by pairs and class ratio."""
POOLED_BAR, N_POOLED = 0.005, 600
"""Maximum share of alarms of one check over its clean draws of all sizes, and the number of draws that it needs."""
MET = {True: "met", False: "MISSED", None: "too few draws"}


def rate(alarms: pl.Series) -> dict[str, float] | None:
    """Return the number of alarms, the number of draws, the share and Wilson's interval, or None.

    >>> rate(pl.Series([True, False, False, False]))
    {'k': 1, 'n': 4, 'share': 0.25, 'low': 0.04559, 'high': 0.69936}
    """
    return None if alarms.is_empty() else share_of(int(alarms.sum()), len(alarms))


def share_of(k: int, n: int) -> dict[str, float]:
    """Return *k* of *n*, the share and Wilson's interval.

    >>> share_of(190, 200)["low"]
    0.91042
    """
    low, high = wilson(k, n)
    return {"k": k, "n": n, "share": round(k / n, 5), "low": round(low, 5), "high": round(high, 5)}


def rising(shares: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the non-decreasing values nearest to *shares* (isotonic regression, by pooling adjacent violators).

    >>> rising([0.1, 0.4, 0.2, 0.9], [1, 1, 1, 1])
    [0.1, 0.30000000000000004, 0.30000000000000004, 0.9]
    """
    blocks: list[list[float]] = []  # mean, weight, number of values
    for share, weight in zip(shares, weights, strict=True):
        blocks.append([share, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2:]
            blocks[-2:] = [[(a * wa + b * wb) / (wa + wb), wa + wb, na + nb]]
    return [mean for mean, _, n in blocks for _ in range(int(n))]


def even_odds(strengths: Sequence[float], shares: Sequence[float], weights: Sequence[float]) -> float | None:
    """Return the strength at which detection reaches one half, by interpolation between the tested strengths.

    Detection is made non-decreasing in the fault, and linear between two strengths.  The result is None if detection
    exceeds one half at the weakest fault, or never reaches it.

    Parameters
    ----------
    strengths
        *strengths* are in order of growing fault, so they decrease if a smaller value is the worse fault.

    Examples
    --------
    >>> even_odds([1.0, 2.0, 3.0], [0.0, 0.25, 0.75], [40, 40, 40]), even_odds([1.0, 2.0], [0.6, 0.9], [40, 40])
    (2.5, None)
    """
    level = np.asarray(rising(shares, weights))
    above = np.flatnonzero(level >= 0.5)
    if not len(above) or above[0] == 0:
        return None
    after = int(above[0])
    share = (0.5 - level[after - 1]) / (level[after] - level[after - 1])
    return float(strengths[after - 1] + share * (strengths[after] - strengths[after - 1]))


def summary(results: Sequence[Mapping[str, Any]], *, is_quick: bool) -> dict[str, Any]:
    """Return the figures of *results* for docs/pitfalls.md."""
    frame = frame_of(results)
    errors = [result for result in results if "error" in result]
    return {
        "is_quick": is_quick,
        "n_draws": len(results),
        "n_errors": len(errors),
        "errors": sorted({f"{result['kind']}: {result['error']}" for result in errors})[:10],
        "core_s": round(sum(result["took_s"] for result in results)),
        "checks": {code: of_check(frame, code) for code in PLANTS},
        "panel": panel(frame),
    }


def of_check(frame: pl.DataFrame, code: str) -> dict[str, Any]:
    """Return the rates of one check: with and without the fault at each size, and along its curve."""
    plant = PLANTS[code]
    everywhere = frame.filter(code=code)
    own = everywhere.filter(pairs=GENERATED)
    sizes = [{"n": n, "ratio": ratio, **_planted_and_clean(own, plant, code, n, ratio)} for n, ratio in (MAIN, *CELLS)]
    main = own.filter(n=MAIN[0], ratio=MAIN[1])
    curve = _curve(main, plant, code)
    halves = (main.filter(pl.col("seed") % 2 == odd) for odd in (0, 1))
    by_kind = {kind: _curve(half, plant, code) for kind, half in zip(plant.kinds, halves, strict=False)}
    return {
        "fault": plant.fault, "unit": plant.unit, "strength": plant.strength, "clean": plant.clean,
        "trains": plant.trains, "sizes": sizes, "curve": curve, "even_odds": _even_odds(curve, plant),
        "by_kind": by_kind, "meets": meets(sizes[0], plant), "bar": list(BARS[plant.trains]),
        "pooled": _barred(_clean_draws(own, plant, code)["alarm"], POOLED_BAR, N_POOLED),
        "real": [{"pairs": pairs, **_real(everywhere.filter(pairs=pairs), plant, pairs)} for pairs in plant.real],
    }  # fmt: skip


def _real(own: pl.DataFrame, plant: Plant, pairs: str) -> dict[str, Any]:
    strengths = {"planted": plant.strength, "clean": plant.real[pairs]}
    return {variant: rate(own.filter(strength=float(strength))["alarm"]) for variant, strength in strengths.items()}


def _planted_and_clean(own: pl.DataFrame, plant: Plant, code: str, n: int, ratio: int) -> dict[str, Any]:
    here = own.filter(n=n, ratio=ratio)
    planted = here.filter(kind=code, strength=float(plant.strength))
    clean = here.filter(kind=CLEAN) if plant.clean_at is None else here.filter(kind=code, strength=plant.clean_at)
    return {"planted": rate(planted["alarm"]), "clean": rate(clean["alarm"])}


def _clean_draws(own: pl.DataFrame, plant: Plant, code: str) -> pl.DataFrame:
    """Return the draws of all sizes without the fault of *code*: clean studies, and its own without it."""
    is_clean = pl.col("kind") == CLEAN
    if plant.clean_at is not None:
        is_clean |= (pl.col("kind") == code) & (pl.col("strength") == plant.clean_at)
    return own.filter(is_clean)


def _barred(alarms: pl.Series, bar: float, needed: int) -> dict[str, Any]:
    """Return the rate of *alarms*, its *bar*, and whether it meets it: None if fewer draws than *needed* were made."""
    found = rate(alarms)
    return {"rate": found, "bar": bar, "meets": found["share"] <= bar if found and found["n"] >= needed else None}


def _curve(own: pl.DataFrame, plant: Plant, code: str) -> list[dict[str, Any]]:
    """Return the rate at each strength, in order of growing fault, with the clean draws as the first point."""
    strengths = [*((plant.clean_at,) if plant.clean_at is not None else ()), *plant.grid, plant.strength]
    planted = own.filter(kind=code)
    return [
        {"strength": strength, "rate": rate(planted.filter(strength=float(strength))["alarm"])}
        for strength in strengths
    ]


def _even_odds(curve: Sequence[Mapping[str, Any]], plant: Plant) -> float | None:
    """Return the strength of even odds on a curve, or None if a point was not measured.

    It is also None for two kinds of fault together: one half may be all draws of one kind and none of the other.
    """
    if not plant.grid or plant.kinds or not all(point["rate"] for point in curve):
        return None
    columns = ([point["rate"][key] for point in curve] for key in ("share", "n"))
    return even_odds([point["strength"] for point in curve], *columns)


def meets(size: Mapping[str, Any], plant: Plant) -> bool | None:
    """Return whether a check meets its bar, or None if there are too few draws."""
    least, most = BARS[plant.trains]
    needed = N_TRAINED if plant.trains else N_TABLE
    planted, clean = size["planted"], size["clean"]
    if planted is None or clean is None or min(planted["n"], clean["n"]) < needed:
        return None
    return bool(planted["share"] >= least and clean["share"] <= most)


def panel(frame: pl.DataFrame) -> dict[str, Any]:
    """Return the rate of clean studies with any alarm, and by check the studies with an alarm and without application.

    `PANEL_BARS` has the bars.  ``elsewhere`` lists the sizes other than `MAIN` that have clean studies.
    """
    elsewhere = [{"n": n, "ratio": ratio, **_panel(frame, n, ratio)} for n, ratio in CELLS]
    return {**_panel(frame, *MAIN), "elsewhere": [size for size in elsewhere if size["rate"]]}


def _panel(frame: pl.DataFrame, n: int, ratio: int) -> dict[str, Any]:
    clean = frame.filter(kind=CLEAN, n=n, ratio=ratio, pairs=GENERATED)

    def by_check(is_counted: pl.Expr) -> dict[str, int]:
        return dict(clean.filter(is_counted).group_by("code").len().sort("code").iter_rows())

    any_alarm = clean.group_by("seed").agg(pl.col("alarm").any())["alarm"]
    counts = {"by_check": by_check(pl.col("alarm")), "not_applicable": by_check(~pl.col("applies"))}
    bar = PANEL_BARS.get((n, ratio))
    barred = {"rate": rate(any_alarm)} if bar is None else _barred(any_alarm, bar, N_CLEAN[n, ratio])
    return {**barred, **counts}


def lines(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield *found* as lines for a terminal: one for each check at its first size, then one for all."""
    for code, check in found["checks"].items():
        main = next((size for size in check["sizes"] if size["planted"]), check["sizes"][0])
        odds = "" if check["even_odds"] is None else f"   even odds at {check['even_odds']:.3g} {check['unit']}"
        planted, clean = rate_text(main["planted"]), rate_text(main["clean"])
        yield f"{code}   planted {planted}   clean {clean}   {MET[check['meets']]}{odds}"
        if check["pooled"]["rate"]:
            yield f"  clean, all sizes {rate_text(check['pooled']['rate'])}   {MET[check['pooled']['meets']]}"
        for own in check["real"]:
            if own["planted"]:
                yield f"  {own['pairs']}   planted {rate_text(own['planted'])}   without {rate_text(own['clean'])}"
    for size in ({"n": MAIN[0], "ratio": MAIN[1], **found["panel"]}, *found["panel"]["elsewhere"]):
        met = MET[size["meets"]] if "bar" in size else "no bar"
        alarms = f"any alarm in {rate_text(size['rate'])} clean studies, {met}, by check {size['by_check']}"
        yield f"panel {size['n']} {size['ratio']}:1   {alarms}"
    yield f"{found['n_draws']:,} draws, {found['n_errors']} failed, {found['core_s'] / 60:.1f} minutes of one core"
    yield from found["errors"]


def rate_text(found: Mapping[str, float] | None) -> str:
    """Return a rate in words.

    >>> rate_text({"k": 1, "n": 4, "share": 0.25, "low": 0.0456, "high": 0.6994}), rate_text(None)
    ('1 of 4, 0.250 (0.046 to 0.699)', 'not measured')
    """
    if found is None:
        return "not measured"
    return f"{found['k']} of {found['n']}, {found['share']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
