"""Made-up runs of the studies and sweeps of studies/study-2023, in the shape that real ones have."""

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import yaml

import inquest
import web
import write
from candidates.config import read_inquest
from counterpoint import schema
from counterpoint.config import DEFAULT_METRICS, StudyConfig, read_study
from counterpoint.config.sweep import read_sweep
from counterpoint.contenders import MODELS
from counterpoint.lookup import find
from counterpoint.sweep import Point, points
from hosted.chain import Chain
from page.results import FolderResults

HALF_WIDTH = 0.01
CHAIN = Chain(
    pictures="OpenMoji", n_read=40, texts={"alt-texts": 40}, selected_texts={"alt-texts": 28},
    removed={"no_label_rule": 12}, selected={"person": 20, "animal": 8},
    by_rule={"animal": 8, "person": 20}, by_word={"animal": 9, "person": 25}, statuses={"ok": 26, "http_404": 2},
    files={"images/pos": 19, "pixels.csv": 26, "missing.csv": 2},
)  # fmt: skip
FIGURES = ("rows", "classes", "examples", "curve")


def make(path: Path, runs: Path, *, gain: float = 0.1, score: float = 0.8) -> None:
    """Write what the study or sweep of the file at *path* could have found, every difference being *gain*."""
    if "sweep" in yaml.safe_load(path.read_text(encoding="utf-8")):
        _sweep(path, runs, gain, score)
    else:
        _study(path, runs, gain, score)
    if path == web.FILE:
        folder = web.folder_of(runs)
        folder.mkdir()
        CHAIN.write(folder)


def make_all(runs: Path, *, gain: float = 0.1, score: float = 0.8) -> Path:
    """Write what all files and the inquest could have found, and return *runs*."""
    for path in write.files():
        make(path, runs, gain=gain, score=score)
    make_inquest(read_inquest(inquest.FILE), runs)
    return runs


def written(folder: Path, runs: Path) -> tuple[str, str]:
    """Return the page and the README, written from *runs* into *folder*."""
    page, readme = folder / "docs" / "study-2023.md", folder / "README.md"
    readme.parent.mkdir(parents=True, exist_ok=True)
    readme.write_text(f"before\n{write.BEGIN}\nold\n{write.END}\nafter\n", encoding="utf-8")
    write.write(FolderResults(write.FOLDER, runs), page=page, readme=readme)
    return page.read_text(encoding="utf-8"), readme.read_text(encoding="utf-8")


def _study(path: Path, runs: Path, gain: float, score: float) -> None:
    config = read_study(path)
    folder = runs / config.study
    _tables(folder, [entry.name for entry in config.contenders], gain, score)
    _figures(folder, [f"layers-{entry.name}" for entry in config.contenders] + _learning(config))


def _learning(config: StudyConfig) -> list[str]:
    """Return what the page calls its learning curves: of a part of a network, where the contender is only that."""
    kinds = {entry.name: find(entry.kind, MODELS, what="contender") for entry in config.contenders}
    parts = {name: getattr(kind, "branch", "joint") for name, kind in kinds.items()}
    return [f"learning-{name}" + ("" if part == "joint" else f"-{part}-branch") for name, part in parts.items()]


def _figures(folder: Path, names: Sequence[str]) -> None:
    (folder / "figures").mkdir()
    for figure in [*FIGURES, *names]:
        (folder / "figures" / f"{figure}.svg").write_text("<svg/>")
        (folder / "figures" / f"{figure}.png").write_bytes(b"")


def _sweep(path: Path, runs: Path, gain: float, score: float) -> None:
    config = read_sweep(path)
    rows = []
    for point in points(config):
        names = [entry.name for entry in read_study(config.study, changes=point.changes).contenders]
        _tables(runs / config.sweep / point.name, names, gain, score)
        rows += [_point(point, name, gain, score) for name in config.contenders or names]
    _figures(runs / config.sweep, [f"differences-{variant}-{name}" for variant in config.variants for name in names])
    (runs / config.sweep / "sweep.json").write_text(json.dumps({"sweep": config.sweep, "points": rows}))


def _point(point: Point, name: str, gain: float, score: float) -> dict[str, Any]:
    difference = {"difference": None, "difference_low": None, "difference_high": None, "p": None}
    if point.choice is not None and not point.value:
        around = _around(gain, "difference")
        difference |= {
            "difference": gain,
            "difference_low": around["low"],
            "difference_high": around["high"],
            "p": 0.01,
        }
    return {
        "variant": point.variant, "choice": point.choice, "value": point.value, "contender": name,
        "metric": "balanced_accuracy", **_around(score, "score"), "n": 20, "seeds": 3,
        "train": score, "validation": score, **difference,
    }  # fmt: skip


def _around(value: float, name: str) -> dict[str, float]:
    return {name: value, "low": value - HALF_WIDTH, "high": value + HALF_WIDTH}


def _scores(names: Sequence[str], score: float) -> list[dict[str, Any]]:
    return [
        {"contender": name, "part": part, "metric": metric, **_around(score, "value"), "n": 20, "seeds": 1}
        for name in names
        for metric in DEFAULT_METRICS
        for part in ("train", "validation", "test")
    ]


def _differences(names: Sequence[str], gain: float) -> list[dict[str, Any]]:
    return [
        {"a": a, "b": b, "metric": metric, **_around(gain, "difference"), "p": 0.01, "minimum_detectable": 0.02}
        for metric in DEFAULT_METRICS
        for b, a in combinations(names, 2)
    ]


def _history(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"contender": name, "seed": 0, "fold": "test", "epoch": epoch, "branch": "joint", "train_loss": 0.5,
         "valid_loss": 0.5 + abs(epoch - 2) / 10, "train_score": 0.9, "valid_score": 0.8, "gradient_norm": 1.0}
        for name in names for epoch in (1, 2, 3, 4)
    ]  # fmt: skip


def _predictions(names: Sequence[str]) -> pl.DataFrame:
    """Return predictions of eight test rows, of which seven are right.  The scores are not computed from them."""
    rows = [
        {"id": str(place), "contender": name, "seed": 0, "fold": "test", "part": "test", "group": str(place),
         "label": ("person", "animal")[place % 2], "p_animal": 0.9 if place % 2 and place != 7 else 0.2}
        for name in names for place in range(8)
    ]  # fmt: skip
    return pl.DataFrame(rows).with_columns(p_person=1 - pl.col("p_animal"))


def _tables(folder: Path, names: Sequence[str], gain: float, score: float) -> None:
    folds, classes = ["train"] * 12 + ["validation"] * 4 + ["test"] * 4, ["person", "animal"] * 10
    tables = {
        "pairs": pl.DataFrame({"id": map(str, range(20)), "fold": folds, "label": classes}),
        "dropped": pl.DataFrame({"reason": ["no_label_rule"] * 8 + ["null_label"] * 2}),
        "scores": pl.DataFrame(_scores(names, score), schema=dict(schema.SCORES)),
        "differences": pl.DataFrame(_differences(names, gain), schema=dict(schema.DIFFERENCES)),
        "history": pl.DataFrame(_history(names), schema=dict(schema.HISTORY)),
        "predictions": _predictions(names),
    }
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_parquet(folder / "tables" / f"{name}.parquet")
    record(folder, list(tables))


def make_inquest(config: Any, runs: Path) -> None:
    """Write results in which permuted labels and texts make the curves of the study, and nothing else on Flickr8k."""
    near = {
        "flickr8k": ("labels permuted", "texts permuted"),
        "alt-texts": ("tokenizer fitted again", "labels permuted"),
    }
    rows = [
        {"data": data, "candidate": title, "seed": 1, "draw": draw, "chance": 0.5, "n": 4, "train_loss": [0.1] * 15,
         "train_accuracy": [0.9] + [1.0] * 14, "accuracy": [0.5 + draw / 100 if title in near[data] else 0.9] * 15,
         "loss": [4.5 if title in near[data] else 0.3] * 15}
        for data in config.data for title in config.candidates_on(data) for draw in (0, 1)
    ]  # fmt: skip
    size = {"n": 20, "parts": {"train": 12, "validation": 4, "test": 4}, "classes": {"person": 12, "animal": 8}}
    made = {"n_trainings": 1, "n_finished": 1, "took_s": 60.0, "data": dict.fromkeys(config.data, size), "runs": rows}
    (runs / config.inquest).mkdir(parents=True)
    (runs / config.inquest / "inquest.json").write_text(json.dumps(made))


def record(folder: Path, tables: list[str]) -> None:
    """Write down that these tables of a run folder were made, and no others."""
    (folder / "tables" / ".fits.json").write_text(json.dumps({"tables": dict.fromkeys(tables, 1), "took_s": 60.0}))
