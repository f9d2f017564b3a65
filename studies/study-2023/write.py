"""Run the studies and sweeps of this folder, and write docs/study-2023.md and the table of the README.

``make study-2023`` runs this program.  It may be stopped at any time, and continues with the first unfinished study.
``write.py --kept --only-read`` runs nothing: it computes scores, differences and figures from kept predictions again.
"""

import re
import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import counterpoint
import inquest
import kept
import renewed
import web
from candidates.config import read_inquest
from counterpoint import number_formats as numbers
from counterpoint.artifacts import replacing
from counterpoint.errors import CounterpointError
from counterpoint.formats.images import ImageReader
from counterpoint.on_progress import OnProgress
from counterpoint.opening import open_study
from counterpoint.progress import progress
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.pairs.rows import examples_section
from counterpoint.study import Study
from counterpoint.sweep import Sweep, open_sweep, points
from hosted.chain import Chain
from page.figures import Figures
from page.inquest_results import InquestResults, listed
from page.layers import layers
from page.results import FolderResults, is_sweep
from page.study_results import n_shared
from page.their_figures import CNN_25, CNN_50, FUSION, read_their_figures
from page.values import NOT_RUN, apart, best, rise, worst

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
DEMO = Path(counterpoint.__file__).with_name("demo.yaml")
"""The study whose images may be shown.  Only its pairs are made."""
STEMS = (
    "published", "published-text-svm", "published-variants", "labels", "autopsy", "cnn", "noise", "noise-large",
    "pairs", "sides", "sides-large", "repaired", "aspect", "web",
)  # fmt: skip
"""The files of this folder that are run, in the order of the page.  Sweeps start from the others."""
GLOBALS: Mapping[str, Any] = {
    "not_run": NOT_RUN,
    "FUSION": FUSION,
    "CNN_50": CNN_50,
    "CNN_25": CNN_25,
    "theirs": read_their_figures(),
    "version": counterpoint.__version__,
    **{function.__name__: function for function in (apart, best, layers, listed, n_shared, rise, worst)},
}
"""Names in the templates that do not depend on a run."""
BEGIN, END = "<!-- the table of study-2023 -->", "<!-- end of the table of study-2023 -->"
WIDTH = 120
_NO_PARAGRAPH = ("|", "#", "`", "!", "<", ":::", "$")


def files(folder: Path = FOLDER) -> list[Path]:
    """Return the files that are run, in order."""
    return [*(folder / f"{stem}.yaml" for stem in STEMS), DEMO]


def run_folders(path: Path, runs: Path) -> list[Path]:
    """Return the folders in *runs* of the study or sweep of the file at *path*.  The chain of web.py has two."""
    own = FolderResults(FOLDER, runs).at(path).root
    return [own, web.folder_of(runs)] if path == web.FILE else [own]


def restore(paths: Sequence[Path], runs: Path, on_progress: OnProgress, *, archives: Path = kept.FOLDER) -> None:
    """Start from the archives, and renew the scores and differences of each run that has its predictions.

    Parameters
    ----------
    paths
        *paths* are study and sweep files.
    runs
        *runs* is the folder of run folders.
    on_progress
        *on_progress* receives the progress.
    archives
        *archives* is the folder of the archives.
    """
    for done, path in enumerate(paths):
        on_progress("reading kept runs", done, len(paths))
        for folder in run_folders(path, runs):
            kept.restore(path, folder, archives)
        if path != DEMO and is_restored(path, runs):
            renewed.renew(path, runs)


def is_restored(path: Path, runs: Path) -> bool:
    """Report whether the run folders of the file at *path* came from archives of the file as it is today."""
    return all(kept.is_restored(path, folder) for folder in run_folders(path, runs))


def run(paths: Sequence[Path], runs: Path, on_progress: OnProgress, *, are_kept: bool = False) -> None:
    """Run every study and sweep that is not finished.

    Parameters
    ----------
    paths
        *paths* are study and sweep files.
    runs
        *runs* is the folder of run folders.
    on_progress
        *on_progress* receives the progress.
    are_kept
        *are_kept* leaves out runs that came from an archive, and keeps each other one in ``results/``.
    """
    for path in paths:
        named = with_name(path.stem, on_progress)
        if are_kept and is_restored(path, runs):
            continue
        if path == web.FILE:
            web.run(runs, named)
        elif path == DEMO:
            draw_examples(open_study(path, runs=runs, on_progress=named))
        elif is_sweep(path):
            run_sweep(open_sweep(path, runs=runs, on_progress=named))
        else:
            open_study(path, runs=runs, on_progress=named).report()
        for folder in run_folders(path, runs) if are_kept else ():
            kept.keep(folder, path)


def run_sweep(sweep: Sweep) -> None:
    """Run a sweep, and compare the contenders within each variant."""
    sweep.run()
    for point in points(sweep.config):
        if point.choice is None:
            sweep.study(point).differences()


def draw_examples(study: Study) -> None:
    """Draw a pair of each class into the figures of a study, without a fit."""
    with drawing(), ImageReader() as reader:
        examples_section(study.pairs(), reader, Gallery(study.root / "figures"))


def with_name(stem: str, on_progress: OnProgress) -> OnProgress:
    """Return *on_progress* with the name of a file before the name of each step."""
    return lambda step, done, total: on_progress(f"{stem}: {step}", done, total)


def environment(found: FolderResults, figures: Figures) -> Environment:
    """Return the environment of the templates."""
    jinja = Environment(
        loader=FileSystemLoader(FOLDER / "page"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    results = InquestResults(read_inquest(inquest.FILE), found.runs, figures.theirs)
    ran = [(path, found.at(path)) for path in files(found.folder) if path != DEMO]
    runs: list[tuple[Path, Any]] = [*ran, (inquest.FILE, results)]
    jinja.globals |= {
        "study": found.study,
        "sweep": found.sweep,
        "demo": found.at(DEMO),
        "chain": Chain.read(web.folder_of(found.runs)),
        "figures": figures,
        "inquest": results,
        **GLOBALS,
        "all_runs": runs,
        "kept_in": {path: kept_in(path, found.runs) for path, _ in runs},
        "earlier": [path for path, run in ran if run.lacks_predictions],
        "n_waiting": sum(not run.is_run for _, run in runs),
        "total_s": sum(run.fitting_s() for _, run in runs),
        "commit": commit(),
    }
    jinja.tests |= {
        "sweep_file": lambda stem: is_sweep(FOLDER / f"{stem}.yaml"),
    }
    jinja.filters |= {name: or_not_run(getattr(numbers, name)) for name in ("count", "share", "score", "duration")}
    return jinja


def commit() -> str:
    """Return a sentence with the commit of the program that writes the page, or nothing outside of a repository."""
    found = kept.git("rev-parse", "--short", "HEAD")
    return f"This page was written at commit `{found}`." if found else ""


def kept_in(path: Path, runs: Path) -> str:
    """Return the commit of the archive that a run came from, or nothing where the run was made here."""
    if path == inquest.FILE:
        return kept.commit_of(inquest.KEPT / "*-*.json")  # without the outline
    own = run_folders(path, runs)[0]
    return kept.commit_of(kept.FOLDER / f"{own.name}.zip") if kept.is_restored(path, own) else ""


def or_not_run(write: Callable[[float | None], str]) -> Callable[[float | None], str]:
    """Return *write* with "not run yet" for a missing number.

    >>> or_not_run(numbers.count)(None)
    '*not run yet*'
    """
    return lambda value: NOT_RUN if value is None else write(value)


def write(found: FolderResults, *, page: Path, readme: Path) -> None:
    """Write the page with its figures, and the table of the README.

    Parameters
    ----------
    found
        *found* are the results of the files.
    page, readme
        *page* and *readme* are the files to write.
    """
    figures = Figures(page.parent / "images" / page.stem, read_their_figures())
    jinja = environment(found, figures)
    text = wrapped(jinja.get_template("study-2023.md.j2").render())
    table = wrapped(jinja.get_template("readme-table.md.j2").render())
    figures.remove_others()
    _replace(page, text)
    _replace(readme, between(readme.read_text(encoding="utf-8"), table))


def between(text: str, table: str) -> str:
    """Return *text* with *table* between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"no {BEGIN} in the README"
    assert end, f"no {END} in the README"
    return f"{before}{BEGIN}\n{table.strip()}\n{END}{after}"


def wrapped(text: str) -> str:
    """Return *text* with its paragraphs wrapped, and one empty line between blocks."""
    blocks = [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]
    return "\n\n".join(map(_wrapped_block, blocks)) + "\n"


def _wrapped_block(block: str) -> str:
    if block.startswith(_NO_PARAGRAPH):
        return block
    items = re.split(r"\n(?=- )", block)
    return "\n".join(
        textwrap.fill(
            " ".join(item.split()), WIDTH, break_long_words=False, break_on_hyphens=False,
            subsequent_indent="  " if item.startswith("- ") else "",
        )
        for item in items
    )  # fmt: skip


def _replace(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def options() -> Namespace:
    """Return the options of the command line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only-read", action="store_true", help="run nothing, and mark studies that have not been run")
    parser.add_argument("--kept", action="store_true", help="start from results/, and keep each further run there")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="the folder of run folders")
    return parser.parse_args()


def main() -> None:
    """Run all files that are not finished, and write the page."""
    chosen, started = options(), perf_counter()
    try:
        with progress() as on_progress:
            if chosen.kept:
                restore(files(), chosen.runs, on_progress)
                inquest.restore(read_inquest(inquest.FILE), chosen.runs)
            if not chosen.only_read:
                run(files(), chosen.runs, on_progress, are_kept=chosen.kept)
                kept_trainings = inquest.KEPT if chosen.kept else None
                inquest.run(read_inquest(inquest.FILE), chosen.runs, on_progress, kept=kept_trainings)
        write(FolderResults(FOLDER, chosen.runs), page=ROOT / "docs" / "study-2023.md", readme=ROOT / "README.md")
    except CounterpointError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped. Finished parts are kept, and the same command continues.") from None
    print(f"Wrote docs/study-2023.md and the README's table ({numbers.duration(perf_counter() - started)})")


if __name__ == "__main__":
    main()
