"""A script needs no main guard, and is run once, however it is started."""

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from counterpoint.engines.local import ALONE
from journey_material import articles, save

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDY = """
study: small
source: {kind: generated, n: 90}
contenders: [majority, {name: other, kind: KIND}]
"""
SCRIPT = """
import os
import counterpoint as cp
from counterpoint.contenders.majority import Majority

class Mine(Majority):
    def _fit(self, train, validation, fits):
        super()._fit(train, validation, fits)
        with open("fitted_in", "a") as file:
            print(os.getpid(), file=file)

with open("started", "a") as file:
    print(os.getpid(), file=file)
scores = cp.open_study("study.yaml").scores()
print(sorted(set(scores["contender"])))
"""
GUARDED = """
import counterpoint as cp
open("started", "a").write("once\\n")
if __name__ == "__main__":
    print(sorted(set(cp.open_study("study.yaml").scores()["contender"])))
"""


def run(folder: Path, *command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=folder, input=stdin, capture_output=True, text=True, timeout=240,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip


def study(folder: Path, kind: str = "keyword-rule") -> Path:
    (folder / "study.yaml").write_text(STUDY.replace("KIND", f'"{kind}"'))
    return folder


@pytest.mark.parametrize("how", ["file", "stdin", "guarded"])
def test_a_script_is_run_once_and_its_study_on_other_processes(how, tmp_path):
    (study(tmp_path) / "script.py").write_text(GUARDED if how == "guarded" else SCRIPT)
    done = run(tmp_path, *(["-"] if how == "stdin" else ["script.py"]), stdin=SCRIPT if how == "stdin" else None)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "['majority', 'other']\n")
    assert len((tmp_path / "started").read_text().splitlines()) == 1


@pytest.mark.parametrize("how", ["file", "stdin"])
def test_a_contender_of_the_script_itself_is_fitted_in_its_own_process_and_that_is_logged_once(how, tmp_path):
    (study(tmp_path, "__main__:Mine") / "script.py").write_text(SCRIPT)
    done = run(tmp_path, *(["-"] if how == "stdin" else ["script.py"]), stdin=SCRIPT if how == "stdin" else None)
    assert (done.returncode, done.stdout) == (0, "['majority', 'other']\n")
    assert done.stderr == f"{ALONE}\n"
    assert set((tmp_path / "fitted_in").read_text().split()) == set((tmp_path / "started").read_text().split())


SHOP = """
study: study
source: {kind: table, path: captions.csv, image: file, text: caption, label: class}
contenders:
  - text-svm
  - kind: text-lstm
    epochs: 1
  - kind: image-cnn
    side_px: 8
    width: 4
    epochs: 1
  - kind: lstm-cnn
    epochs: 1
fit: {seeds: [0]}
"""


def test_the_example_of_the_first_page_works_as_a_script(tmp_path):
    (example,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    tiny = 'text=("text-svm",), branches={"image-cnn": {"epochs": 1, "side_px": 8}}'
    small = example.replace('"late-fusion", seed=0', f'"late-fusion", seed=0, {tiny}')
    assert small != example
    (tmp_path / "script.py").write_text(f"{small}\nprint(len(train) + len(test), model.classes_)")
    (tmp_path / "study.yaml").write_text(SHOP)
    shop = articles(60)
    files = [str(path.relative_to(tmp_path)) for path in save(shop, tmp_path / "photos")]
    rows = {"file": files, "caption": [item.caption for item in shop], "class": [item.kind for item in shop]}
    pl.DataFrame(rows).write_csv(tmp_path / "captions.csv")
    done = run(tmp_path, "script.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "60 ['lamps' 'mugs' 'shirts']\n"
