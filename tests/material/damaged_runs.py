"""Damages of a run folder, one file at a time, with their outcomes.  Shared by a test and a benchmark."""

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

import counterpoint as cp
from counterpoint.config import StudyConfig
from counterpoint.errors import CounterpointError
from counterpoint.saved.predict_pair import predict_pair
from counterpoint.schema import Frame

GIVEN = {
    "study": "small",
    "source": {"kind": "generated", "n": 90, "text_signal": 0.8, "image_signal": 0.6, "side_px": 16, "seed": 3},
    "contenders": ["majority", "text-svm", {"kind": "image-cnn", "side_px": 16, "epochs": 1},
                   {"kind": "late-fusion", "text": ["text-svm"]}],
    "fit": {"engine": "inline", "workers": 1},
}  # fmt: skip
TABLES = ("pairs", "dropped", "predictions", "history", "scores", "differences", "findings")
TIMES = {"seconds", "environment"}
SECONDS = r'(_s\\?": )[0-9.e-]+'
"""A duration in the evidence of a finding."""
LOST = "test_evaluations.json"

MADE_AGAIN = {"nothing": (), "page": ("report.json",), "findings": ("tables/.findings.json",),
              "fits": ("tables/.fits.json", "tables/.findings.json")}  # fmt: skip
"""Records that are deleted too, so that the study makes these results from the damaged files."""
HOW_OFTEN = (5, 1, 2, 2)

Rng = random.Random


def flip(path: Path, rng: Rng) -> None:
    data = bytearray(path.read_bytes() or b"0")
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    rewrite(path, bytes(data))


def cut(path: Path, rng: Rng) -> None:
    data = path.read_bytes()
    rewrite(path, data[: rng.randrange(max(1, len(data)))])


def empty(path: Path, rng: Rng) -> None:
    rewrite(path, b"")


def delete(path: Path, rng: Rng) -> None:
    path.unlink()


def scramble(path: Path, rng: Rng) -> None:
    rewrite(path, rng.randbytes(path.stat().st_size))


def swap(path: Path, rng: Rng) -> None:
    others = [other for other in files_of(root_of(path)) if other != path and other.suffix == path.suffix]
    rewrite(path, rng.choice(others or [path]).read_bytes())


def make_folder(path: Path, rng: Rng) -> None:
    path.unlink()
    path.mkdir()


def make_pipe(path: Path, rng: Rng) -> None:
    path.unlink()
    os.mkfifo(path)


def make_link(path: Path, rng: Rng) -> None:
    path.unlink()
    path.symlink_to(rng.choice(["/nowhere", "/dev/zero", path.name, "/proc/self/environ"]))


def forbid(path: Path, rng: Rng) -> None:
    rewrite(path, path.read_bytes())
    path.chmod(0)


def delete_folder(path: Path, rng: Rng) -> None:
    shutil.rmtree(path.parent)


def make_file_of_folder(path: Path, rng: Rng) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"a file")


KINDS: dict[str, Callable[[Path, Rng], None]] = {
    kind.__name__: kind
    for kind in (flip, cut, empty, delete, scramble, swap, make_folder, make_pipe, make_link, forbid, delete_folder,
                 make_file_of_folder)
}  # fmt: skip


class Damage(NamedTuple):
    """One damage: its kind, and the path of the file in the run folder."""

    kind: str
    file: str


class Outcome(NamedTuple):
    """The outcome of a damage: same, named (an error names the file), lost (a record, as the page reports) or wrong."""

    name: str
    detail: str = ""


def rewrite(path: Path, data: bytes) -> None:
    """Write *data* in place of *path*, which may be a hard link to another file."""
    path.unlink()
    path.write_bytes(data)


def root_of(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.name == GIVEN["study"])


def files_of(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def draw(root: Path, rng: Rng) -> Damage:
    """Return a random damage.  Each folder of the run folder is equally likely, and each file of a folder."""
    places: dict[str, list[Path]] = {}
    for file in files_of(root):
        name = file.relative_to(root)
        places.setdefault("" if len(name.parts) == 1 else name.parts[0], []).append(name)
    name = rng.choice(places[rng.choice(sorted(places))])
    kinds = [kind for kind in KINDS if len(name.parts) > 1 or KINDS[kind] not in (delete_folder, make_file_of_folder)]
    return Damage(rng.choice(kinds), str(name))


class Damaged:
    """A finished study that is damaged and restored in the same place, many times."""

    def __init__(self, folder: Path) -> None:
        self.runs, self._whole = folder / "runs", folder / "whole"
        self.root = self.runs / str(GIVEN["study"])
        self.config = StudyConfig.read(GIVEN)
        self.study().report()
        shutil.copytree(self.root, self._whole)
        self.numbers = dict(self._numbers(self.study()))
        self.results, self.chances = self._results(), self._chances()

    def study(self) -> cp.Study:
        return cp.Study(self.config, runs=self.runs)

    def restore(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._whole, self.root, copy_function=os.link)

    def outcome(self, damage: Damage, rng: Rng) -> Outcome:
        """Return the outcome of *damage*, of a prediction from the damaged folder first, then of the whole study."""
        self.restore()
        KINDS[damage.kind](self.root / damage.file, rng)
        [again] = rng.choices(list(MADE_AGAIN), weights=HOW_OFTEN)
        for name in MADE_AGAIN[again]:
            if (self.root / name).is_file():
                (self.root / name).unlink()
        try:
            if self._chances() != self.chances:
                return Outcome("wrong", "predict gives other chances")
        except CounterpointError as error:
            if not is_named(str(error), damage):
                return Outcome("wrong", f"predict names nothing: {error}")
        try:
            return self._study_again(damage)
        except CounterpointError as error:
            return Outcome("named" if is_named(str(error), damage) else "wrong", str(error))

    def _study_again(self, damage: Damage) -> Outcome:
        study = self.study()
        for name, table in self._numbers(study):
            if not table.equals(self.numbers[name]) and not (name == "findings" and damage.file == LOST):
                return Outcome("wrong", f"table {name} differs")
        study.report()
        found, known = self._results(), dict(self.results)
        if damage.file == LOST and found["test_evaluations"] != known["test_evaluations"]:
            if not any(each.get("is_lost") for each in found["test_evaluations"]):
                return Outcome("wrong", "test evaluations were forgotten")
            for each in (found, known):
                answer = {key: [code for code in value if code != "CP012"] if isinstance(value, list) else value
                          for key, value in each["answer"].items() if not key.startswith("doubt")}  # fmt: skip
                findings = [row for row in each["findings"] if row["code"] != "CP012"]
                each |= {"test_evaluations": None, "findings": findings, "answer": answer}
            differing = [key for key in known if found.get(key) != known[key]]
            return Outcome("wrong", f"results.json differs: {differing}") if differing else Outcome("lost")
        if found != known:
            return Outcome("wrong", f"results.json differs: {[key for key in known if found.get(key) != known[key]]}")
        try:
            is_as_before = self._chances() == self.chances
        except CounterpointError as error:
            return Outcome("wrong", f"still not whole: {error}")
        return Outcome("same") if is_as_before else Outcome("wrong", "predict gives other chances afterwards")

    def _numbers(self, study: cp.Study) -> Iterator[tuple[str, Frame]]:
        for name in TABLES:
            table = getattr(study, name)()
            yield name, table.with_columns(pl.col("^evidence$").str.replace_all(SECONDS, "${1}0"))
        yield "costs", study.costs().drop("fit_s", "predict_s")

    def _results(self) -> dict[str, Any]:
        results = json.loads(re.sub(SECONDS, r"\g<1>0", (self.root / "results.json").read_text(encoding="utf-8")))
        return {key: value for key, value in results.items() if key not in TIMES}

    def _chances(self) -> dict[str, float]:
        return predict_pair(self.root, "text-svm", text="a red circle")


def is_named(message: str, damage: Damage) -> bool:
    """Return whether *message* is one line that names the damaged file, or its folder."""
    names = [Path(damage.file).name, *Path(damage.file).parent.parts, str(GIVEN["study"])]
    return "\n" not in message and any(name in message for name in names)
