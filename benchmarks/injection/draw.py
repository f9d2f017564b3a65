"""One draw: make a study in a folder, and run the checks on it."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from counterpoint.artifacts import key_of
from counterpoint.config import StudyConfig
from counterpoint.diagnose import CHECKS, Inputs, check_of
from counterpoint.schema import ALARMS
from counterpoint.study import Study
from injection.plants import PLANTS, clean_study
from injection.sources import GENERATED
from injection.studies import Place

CLEAN, FAILED = "clean", "failed"
SEVERITIES = ("not_applicable", "info", "warn", "fail")


class Item(NamedTuple):
    """The subject of one draw: the clean study, or the fault of a check at a strength."""

    kind: str
    n: int
    ratio: int
    strength: float
    seed: int
    pairs: str = GENERATED


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Make the study of *item* in the folder *runs*, and return the findings of the checks.

    The clean study runs all checks.  It also runs the check of each fault of a record, on the altered record.  A study
    with a planted fault runs the check of that fault and the checks of the stages.  The other checks would repeat their
    findings on clean studies.  A draw that fails is an ``error``, which is counted and shown.
    """
    return timed(item, runs, _found)


def timed(item: Item, runs: Path, make: Callable[[Item, Path], dict[str, Any]]) -> dict[str, Any]:
    """Return *item* with the result of *make* in *runs*, or its ``error``, and the seconds of one core."""
    started = time.process_time()
    try:
        found = make(item, runs)
    except Exception as error:  # a draw that raises has failed; the other draws continue
        found = {"error": f"{type(error).__name__}: {error}"}
    return {**item._asdict(), **found, "took_s": round(time.process_time() - started, 2)}


def study_of(config: StudyConfig, runs: Path) -> Study:
    """Return the study of *config*, which reuses equal fits of earlier studies in *runs*."""
    name = f"draw-{key_of(config.source)}"  # a run folder belongs to one source
    return Study(config.model_copy(update={"study": name}), runs=runs)


def _found(item: Item, runs: Path) -> dict[str, Any]:
    plant, place = PLANTS.get(item.kind), Place(item.n, item.ratio, item.seed, item.pairs)
    config = clean_study(place) if plant is None or plant.make is None else plant.make(place, item.strength)
    study = study_of(config, runs)
    if plant is None:
        found = study.findings().select("code", "severity").rows()
        return {"found": worst(found), "records": _altered(study.check_inputs, place)}
    found = study.made("pairs")["pairs_findings"].select("code", "severity").rows()
    return {"found": worst([*found, (item.kind, severity_of(item.kind, study.check_inputs))])}


def worst(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the highest severity of each code.

    >>> worst([("CP002", "info"), ("CP002", "warn"), ("CP001", "not_applicable")])
    {'CP002': 'warn', 'CP001': 'not_applicable'}
    """
    severest: dict[str, str] = {}
    for code, severity in found:
        severest[code] = max(severity, severest.get(code, severity), key=SEVERITIES.index)
    return severest


def _altered(inputs: Inputs, place: Place) -> list[tuple[str, float, str]]:
    """Return (code, strength, severity) of each fault of a record, in some draws at every strength of its curve."""
    is_of_curve = (place.n, place.ratio) == (1000, 1) and place.seed % 5 == 0
    return [
        (code, strength, severity_of(code, plant.alter(inputs, strength, place.seed)))
        for code, plant in PLANTS.items()
        if plant.alter is not None and code in CHECKS and inputs["primary"] is not None
        for strength in (*(plant.grid if is_of_curve else ()), plant.strength)
    ]


def severity_of(code: str, inputs: Inputs) -> str:
    """Return the severity of the finding of the check *code* on *inputs*."""
    check = check_of(code)
    return check.run(**inputs.select(check.needs))["severity"]


def is_alarm(severity: str | None) -> bool:
    """Return whether *severity* is an alarm.

    >>> is_alarm("warn"), is_alarm("info"), is_alarm(None)
    (True, False, False)
    """
    return severity in ALARMS


def frame_of(results: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Return one row for each study and check: the item, the code, whether it alarms, and whether it applies.

    An altered record of a clean study has the code of its check as its kind.  A failed draw counts against its check:
    as an undetected fault, or as a false alarm.
    """
    rows = []
    for result in results:
        item = item_of(result)
        own = item._asdict() | {"strength": float(item.strength)}
        if "error" in result:
            rows.append(own | _failed(item))
        rows += [own | _row(code, severity) for code, severity in result.get("found", {}).items()]
        rows += [
            own | {"kind": code, "strength": float(strength)} | _row(code, severity)
            for code, strength, severity in result.get("records", ())
        ]
    texts, counts = dict.fromkeys(("kind", "pairs", "code"), pl.String), dict.fromkeys(("n", "ratio", "seed"), pl.Int64)
    schema = {**texts, **counts, "strength": pl.Float64, "alarm": pl.Boolean, "applies": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _row(code: str, severity: str) -> dict[str, Any]:
    return {"code": code, "alarm": is_alarm(severity), "applies": severity != "not_applicable"}


def _failed(item: Item) -> dict[str, Any]:
    return {"code": FAILED if item.kind == CLEAN else item.kind, "alarm": not is_planted(item), "applies": True}


def is_planted(item: Item) -> bool:
    """Return whether the study of *item* has a planted fault.

    >>> is_planted(Item("CP003", 1000, 1, 0.1, 7)), is_planted(Item("CP003", 1000, 1, 0.1, 7, "openmoji"))
    (True, False)
    """
    if item.kind == CLEAN:
        return False
    plant = PLANTS[item.kind]
    return item.strength != (plant.clean_at if item.pairs == GENERATED else plant.real[item.pairs])


def item_of(result: Mapping[str, Any]) -> Item:
    """Return the item of *result*, by default of generated pairs.

    >>> item_of({"kind": "clean", "n": 300, "ratio": 1, "strength": 0.0, "seed": 7, "found": {}}).pairs
    'generated'
    """
    return Item(**{name: result[name] for name in Item._fields if name in result})
