"""The promise of the guide: one file and no line outside, one file and one line inside, for each kind of extension."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
import yaml

import check_contract
import contender_contract
import counterpoint
import engine_contract
import metric_contract
import source_contract

ROOT = Path(__file__).parents[2]
PACKAGE = Path(counterpoint.__file__).parent
BIN = Path(sys.executable).parent
GUIDES = ("CONTRIBUTING.md", "docs/extend.md")
FILES = {
    "bayes": "class CharBayes",
    "lexicon": "class Lexicon",
    "diary": "class Diary",
    "brier": "BRIER =",
    "few_pairs": "class FewPairs",
    "threads": "ThreadPoolExecutor(",
}
"""The modules of the package, by a line of their example."""
INSIDE = {
    "bayes": ("contenders/char_bayes.py", "contenders/__init__.py", "MODELS", "char-bayes", "CharBayes"),
    "diary": ("data/sources/diary.py", "data/sources/__init__.py", "SOURCES", "diary", "Diary"),
    "brier": ("metrics/brier.py", "metrics/table.py", "METRICS", "brier", "BRIER"),
    "few_pairs": ("diagnose/lab001_few_pairs.py", "diagnose/__init__.py", "CHECKS", "LAB001", "FewPairs"),
    "threads": ("engines/threads.py", "engines/__init__.py", "ENGINES", "threads", "run"),
}
"""Where the file of each kind goes in this package, and the entry that it gets in which table."""


def examples() -> dict[str, str]:
    """Return the Python block of the guides that is each module."""
    blocks = [
        block
        for guide in GUIDES
        for block in re.findall(r"^```python\n(.*?)^```", (ROOT / guide).read_text(encoding="utf-8"), re.M | re.S)
    ]
    found = {module: [block for block in blocks if line in block] for module, line in FILES.items()}
    assert {module: len(of) for module, of in found.items()} == dict.fromkeys(FILES, 1)
    return {module: of[0] for module, of in found.items()}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Return a folder with the package ``my_lab``: each example of the guides is one file of it."""
    folder = tmp_path_factory.mktemp("outside")
    package = folder / "my_lab"
    package.mkdir()
    (package / "__init__.py").write_text('"""Extensions of a laboratory."""\n', encoding="utf-8")
    for module, code in examples().items():
        (package / f"{module}.py").write_text(code, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
            patch.delitem(sys.modules, name)  # of another test
        patch.syspath_prepend(folder)
        yield folder
        for name in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
            del sys.modules[name]


def named(lab: Path, path: str):
    module, _, name = path.partition(":")
    return getattr(import_module(f"my_lab.{module}"), name)


@pytest.mark.parametrize("path", ["bayes:CharBayes", "lexicon:Lexicon"])
@pytest.mark.parametrize("claim", contender_contract.CONTRACT, ids=lambda claim: claim.__name__)
def test_a_contender_of_the_guide_keeps_the_contract(lab, path, claim):
    claim(named(lab, path))


@pytest.mark.parametrize("rule", source_contract.SOURCE_CONTRACT, ids=lambda rule: rule.__name__)
def test_the_source_of_the_guide_keeps_the_contract(lab, rule, tmp_path):
    rule(named(lab, "diary:Diary"), tmp_path)


@pytest.mark.parametrize("part", metric_contract.CONTRACT, ids=lambda part: part.__name__)
def test_the_metric_of_the_guide_keeps_the_contract(lab, part):
    part(named(lab, "brier:BRIER"))


@pytest.mark.parametrize("rule", check_contract.CHECK_CONTRACT, ids=lambda rule: rule.__name__)
def test_the_check_of_the_guide_keeps_the_contract(lab, rule):
    rule(named(lab, "few_pairs:FewPairs"))


@pytest.mark.parametrize("part", engine_contract.ALWAYS, ids=lambda part: part.__name__)
def test_the_engine_of_the_guide_keeps_the_contract(lab, part):
    part(named(lab, "threads:run"))


@pytest.mark.slow
@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_examples_of_the_guide_meet_our_style_and_types(lab, command):
    tool, *options = command
    config = "--config-file" if tool == "mypy" else "--config"
    run = subprocess.run(
        [BIN / tool, *options, config, ROOT / "pyproject.toml", lab / "my_lab"],
        cwd=ROOT, env=os.environ | {"MYPYPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout[-2000:] if run.returncode else "") == (0, "")


def diary(folder: Path, n: int = 60) -> Path:
    """Write pages and photos of two kinds of weather."""
    from PIL import Image  # noqa: PLC0415 - this test's own

    folder.mkdir()
    for i in range(n):
        kind = ("rain", "sun")[i % 2]
        (folder / f"day{i:02}.txt").write_text(f"Much {kind} on the {i}th of the days that we counted.")
        Image.new("RGB", (32, 32), (4 * i, 255 * (i % 2), 250 - 4 * i)).save(folder / f"day{i:02}.jpg")
    return folder


def run_study(folder: Path, names: dict[str, str], path: Path) -> Path:
    """Run a study on a diary with every kind of extension from the command line; return its run folder."""
    study = {
        "study": "extended",
        "source": {"kind": names["diary"], "path": str(diary(folder / "diary"))},
        "label": {"keywords": {"match": "word", "classes": {"rain": ["rain"], "sun": ["sun"]}}},
        "contenders": ["majority", names["bayes"], {"kind": "text-svm", "name": "text-svm"}],
        "fit": {"engine": names["threads"], "workers": 1},
        "evaluate": {"metrics": ["balanced_accuracy", names["brier"]]},
        "checks": {"extra": [names["few_pairs"]]} if ":" in names["few_pairs"] else {},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "counterpoint", "run", "study.yaml"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(path)}, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr[-2000:] if done.returncode else "") == (0, "")
    return folder / "runs" / "extended"


def assert_all_took_part(run: Path, names: dict[str, str]) -> None:
    tables = {name: pl.read_parquet(run / "tables" / f"{name}.parquet") for name in ("pairs", "scores", "findings")}
    assert len(tables["pairs"]) == 60
    scores = tables["scores"].filter(part="test", metric=names["brier"]).drop_nulls("value")
    assert len(scores) == 3
    assert scores["value"].is_between(0, 2).all()
    assert tables["findings"].filter(code="LAB001").select("severity", "explanation").rows() == [
        ("warn", "60 pairs are compared.")
    ]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Brier score" in page
    assert "Few pairs" in page


@pytest.mark.slow
def test_a_study_file_uses_every_kind_from_outside_with_no_line_of_ours(lab, tmp_path):
    names = {
        "bayes": "my_lab.bayes:CharBayes", "diary": "my_lab.diary:Diary", "brier": "my_lab.brier:BRIER",
        "few_pairs": "my_lab.few_pairs:FewPairs", "threads": "my_lab.threads:run",
    }  # fmt: skip
    assert_all_took_part(run_study(tmp_path, names, lab), names)


@pytest.mark.slow
def test_each_kind_is_added_inside_by_one_file_and_one_line(tmp_path):
    inside = tmp_path / "src" / "counterpoint"
    shutil.copytree(PACKAGE, inside, ignore=shutil.ignore_patterns("__pycache__"))
    for module, (file, table, name, key, entry) in INSIDE.items():
        (inside / file).write_text(examples()[module], encoding="utf-8")
        path = f"counterpoint.{file.removesuffix('.py').replace('/', '.')}:{entry}"
        text = (inside / table).read_text(encoding="utf-8")
        with_line = re.sub(rf"^({name}\b[^\n]*\{{)$", rf'\1\n    "{key}": "{path}",', text, flags=re.MULTILINE)
        assert len(with_line.splitlines()) == len(text.splitlines()) + 1
        (inside / table).write_text(with_line, encoding="utf-8")
    names = {module: key for module, (_, _, _, key, _) in INSIDE.items()}
    assert_all_took_part(run_study(tmp_path, names, inside.parent), names)
