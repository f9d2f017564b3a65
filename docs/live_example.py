"""The live example on the first page of the documentation: the page of a small study, made with the documentation.

No page is kept in the repository, so it is never older than the code. The fits are kept in docs/_build/example. So the
first build takes about half a minute on two cores, and a later one writes only the page.
"""

from pathlib import Path
from shutil import copyfile

from counterpoint import open_study

STUDY = Path(__file__).with_name("example.yaml")
RUNS = Path(__file__).with_name("_build") / "example"


def write_example(folder: Path, *, runs: Path = RUNS) -> Path:
    """Write the page of the example into *folder*, and return its path. *runs* keeps the fits of the study."""
    study = open_study(STUDY, runs=runs)
    (study.root / "report.html").unlink(missing_ok=True)  # the templates may have changed
    page = folder / "example.html"
    folder.mkdir(parents=True, exist_ok=True)
    copyfile(study.report(), page)
    return page
