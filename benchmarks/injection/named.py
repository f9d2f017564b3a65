"""Named cases: single studies with a known correct finding, some of them on OpenMoji and Flickr8k."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoint.config import StudyConfig, read_study
from counterpoint.data.words import ENGLISH
from counterpoint.schema import ALARMS
from injection.draw import Item, study_of, timed, worst
from injection.plants import BOTH_SIGNALS, PLANTS
from injection.sources import DATA, FLICKR8K, GENERATED, OPENMOJI, ROOT, is_there
from injection.studies import UNGROUPED, Place, contenders, study

PLACE = Place(1000, 1, 200_000)
EMOJI = {"kind": "injection.sources:Ungrouped", "size_px": 32, "skin_tones": True}
N_EMOJI = 1500


@dataclass(frozen=True)
class Named:
    """A study and its checks: one must alarm with *severity*, or none may alarm if *is_quiet*.

    Attributes
    ----------
    association
        *association* is the association of text and image that CP004 must report, or None for any.
    """

    title: str
    make: Callable[[], StudyConfig]
    codes: tuple[str, ...]
    is_quiet: bool = False
    severity: str = "warn"
    needs: str = GENERATED
    """The set that the case requires."""
    association: str | None = None


def _keywords() -> StudyConfig:
    rules = {"classes": {"a": [ENGLISH.class_words[0]], "b": [ENGLISH.class_words[1]]}}
    source = {"text_signal": 1.0, "image_signal": 0.5}
    return study(PLACE, source, contenders(PLACE, "majority", "keyword-rule"), label={"keywords": rules})


def _photos(name: str, **changes: Any) -> StudyConfig:
    """Return the project's study *name* on the first shard of Flickr8k, with two cheap contenders."""
    first = {
        "source.path": str(DATA / FLICKR8K / "00000.tar"),
        "contenders": ["majority", "keyword-rule"],
        "study": "draw",
    }
    fit = {"fit.engine": "inline", "fit.workers": 1, "fit.seeds": [0], "split.kind": "kfold"}
    return read_study(ROOT / "studies" / f"{name}.yaml", changes={**first, **fit, **changes})


def _keywords_of_photos() -> StudyConfig:
    return _photos("flickr8k", label={"preset": "study-2023"}, **{"clean.max_dropped_share": 0.9})


def _shuffled_validation() -> StudyConfig:
    text = {"epochs": 8}
    faults = [{"kind": "shuffle_texts", "part": "validation"}]
    split = {"kind": "holdout", "seed": PLACE.seed}
    named = contenders(PLACE, "majority", "text-svm", "text-lstm", "image-cnn", text_lstm=text)
    return study(PLACE, {"text_signal": 1.0, "image_signal": 0.5}, named, split=split, faults=faults)


def _softmax() -> StudyConfig:
    make = PLANTS["CP016"].make
    assert make is not None
    return make(PLACE, 1)


def _relu() -> StudyConfig:
    return study(PLACE, BOTH_SIGNALS, contenders(PLACE, "majority", "text-svm", "text-lstm", "image-cnn", "lstm-cnn"))


def _emoji(*, is_joined: bool = False, **sections: Any) -> StudyConfig:
    split = {"kind": "holdout", "limit": N_EMOJI, "seed": 0}
    source = {**EMOJI, "is_joined": is_joined}
    config = {"study": "draw", "source": source, "split": split, "contenders": ["majority"]}
    fit = {"fit": {"engine": "inline", "workers": 1}, "evaluate": {"metrics": ["balanced_accuracy"]}}
    return StudyConfig.read({"checks": {"encoders": False}, **config, **fit, **sections})


CASES: Mapping[str, Named] = {
    "keywords": Named("a keyword label on plain text", _keywords, ("CP001",), severity="fail"),
    "keywords-flickr8k": Named(
        "the 2023 study's keyword label on plain captions", _keywords_of_photos, ("CP001",), severity="fail",
        needs=FLICKR8K,
    ),
    "masked-flickr8k": Named(
        "labels by votes of other captions, words masked", lambda: _photos("flickr8k-masked"), ("CP001",),
        is_quiet=True, needs=FLICKR8K,
    ),
    "shuffled-validation": Named("validation texts shuffled", _shuffled_validation, ("CP004", "CP016")),
    "softmax": Named("softmax as hidden activation", _softmax, ("CP016",)),
    "relu": Named("ReLU as hidden activation", _relu, ("CP016",), is_quiet=True),
    "emoji-random": Named(
        "emoji variants under a random split", lambda: _emoji(group=UNGROUPED), ("CP002",), needs=OPENMOJI
    ),
    "emoji-grouped": Named("emoji variants grouped", _emoji, ("CP002",), is_quiet=True, needs=OPENMOJI),
    "emoji-joined": Named(
        "drawings and names joined on the class alone", lambda: _emoji(is_joined=True), ("CP004",), is_quiet=True,
        needs=OPENMOJI, association="of the class alone",
    ),
    "emoji-matched": Named(
        "drawings with their own names", _emoji, ("CP004",), is_quiet=True, needs=OPENMOJI,
        association="beyond the class",
    ),
}  # fmt: skip


def items() -> Iterator[Item]:
    """Yield the cases whose data is on this machine."""
    for name, case in CASES.items():
        if is_there(case.needs):
            yield Item(name, PLACE.n, PLACE.ratio, 1.0, PLACE.seed)


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return the findings of the checks of a case, and whether they are correct."""
    return timed(item, runs, _found)


def _found(item: Item, runs: Path) -> dict[str, Any]:
    case = CASES[item.kind]
    findings = study_of(case.make(), runs).findings()
    found = worst(findings.select("code", "severity").iter_rows())
    given = {"found": {code: found.get(code, "absent") for code in case.codes}}
    if case.association is None:
        return {**given, "is_right": is_right(case, found)}
    evidence = json.loads(findings.filter(code="CP004")["evidence"].item())
    association = evidence.get("association")
    return {**given, "association": association, "is_right": is_right(case, found) and association == case.association}


def is_right(case: Named, found: Mapping[str, str]) -> bool:
    """Return whether the findings of the checks of *case* are correct.

    >>> case = Named("a leak", _keywords, ("CP001",), severity="fail")
    >>> is_right(case, {"CP001": "fail"}), is_right(case, {"CP001": "warn"})
    (True, False)
    """
    severe = ("fail",) if case.severity == "fail" and not case.is_quiet else ALARMS
    return any(found.get(code) in severe for code in case.codes) != case.is_quiet


def summary(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each case that was run."""
    return [_row(CASES[result["kind"]], result) for result in results if result["kind"] in CASES]


def _row(case: Named, result: Mapping[str, Any]) -> dict[str, Any]:
    must = f"{' or '.join(case.codes)} {'quiet' if case.is_quiet else case.severity}"
    return {
        "says": case.title,
        "must": must if case.association is None else f"{must}, association {case.association}",
        "found": result.get("found", result.get("error")),
        "is_right": result.get("is_right", False),
    }


def lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield one line for each case."""
    for row in rows:
        yield f"{'right' if row['is_right'] else 'WRONG'}  {row['says']}: {row['must']}, found {row['found']}"
