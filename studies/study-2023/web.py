"""Run the chain of the 2023 study on alt-texts of the web in one command, from a list of URLs to the four models.

The list has the columns of LAION-400M.  Its images are stand-ins, from a host on 127.0.0.1 that this program starts.
The steps are Counterpoint's own: acquire (select, fetch), the authors' files, then the study of web.yaml.  The program
may be stopped at any time, and continues where it was.  ``--quick`` runs it on few texts that are made up.
"""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.acquire.acquisition import Acquisition
from counterpoint.acquire.export import ExportRules
from counterpoint.artifacts import write_parquet
from counterpoint.config import read_study
from counterpoint.config.acquire import AcquireConfig
from counterpoint.errors import CounterpointError
from counterpoint.on_progress import OnProgress
from counterpoint.progress import progress
from counterpoint.rules import AMBIGUOUS, NONE, KeywordRules, preset
from counterpoint.schema import Frame
from counterpoint.study import Study
from hosted.chain import Chain
from hosted.loopback import ADDRESS, Host, serving
from hosted.stand_ins import ANIMAL, PERSON, bodies, made_up_texts, missing_texts, pictures, web_texts

FILE = Path(__file__).with_name("web.yaml")
ROOT = FILE.parents[2]
RULE = "study-2023"
LIST = "list.parquet"
LAION = {
    "SAMPLE_ID": pl.Int64, "URL": pl.String, "TEXT": pl.String, "HEIGHT": pl.Int64, "WIDTH": pl.Int64,
    "LICENSE": pl.String, "NSFW": pl.String, "similarity": pl.Float64,
}  # fmt: skip
"""The columns of LAION-400M."""
QUICK: Mapping[str, Any] = {
    "study": "study-2023-web-quick",
    "contenders.paper-text-lstm.epochs": 2,
    "contenders.paper-image-cnn.epochs": 1,
    "contenders.paper-image-cnn.side_px": 16,
    "contenders.paper-lstm-cnn.epochs": 2,
    "contenders.paper-lstm-cnn.side_px": 16,
    "fit.engine": "inline",
}


def folder_of(runs: Path, *, is_quick: bool = False) -> Path:
    """Return the folder of the list, the acquired images, the authors' files and the record."""
    return runs / ("study-2023-web-chain-quick" if is_quick else "study-2023-web-chain")


def run(runs: Path, on_progress: OnProgress, *, is_quick: bool = False) -> Study | None:
    """Run each step that is not finished, and return the study, or None where the texts are missing.

    Parameters
    ----------
    runs
        *runs* is the folder of run folders.
    on_progress
        *on_progress* receives the progress.
    is_quick
        *is_quick* is True for few made-up texts, drawings of OpenMoji and few epochs.
    """
    if not is_quick and missing_texts():
        print(f"The study on web pairs is left out: there is no {missing_texts()[0]}.")
        return None
    folder = folder_of(runs, is_quick=is_quick)
    if not Chain.read(folder).is_run:
        make_chain(folder, on_progress, is_quick=is_quick)
    study = study_of(folder, runs, on_progress, is_quick=is_quick)
    study.report()
    return study


def study_of(folder: Path, runs: Path, on_progress: OnProgress, *, is_quick: bool) -> Study:
    """Return the study of web.yaml on the acquired images in *folder*."""
    changes = {"source.path": str((folder / "acquired").absolute()), **(QUICK if is_quick else {})}
    return Study(read_study(FILE, changes=changes), runs=runs, on_progress=on_progress, file=FILE)


# From the list to the authors' files.


def make_chain(folder: Path, on_progress: OnProgress, *, is_quick: bool = False) -> None:
    """Select the rows of a list, fetch their images, write the authors' files, and then the record of all steps.

    Parameters
    ----------
    folder
        *folder* is the folder of these files.  Finished parts are kept.
    on_progress, is_quick
        *on_progress* and *is_quick* are as for `run`.
    """
    acquisition = Acquisition(
        AcquireConfig.read(settings(folder)),
        on_account=lambda account: on_progress("fetching images", account.done + account.in_flight, account.n_rows),
    )
    texts = made_up_texts() if is_quick else web_texts()
    with serving(port_of(folder)) as host:
        write_list(folder, [text for each in texts.values() for text in each], host.server_port)
        acquisition.plan()
        name = fill(host, folder, is_drawn=is_quick)
        account = acquisition.run()
    exported = acquisition.export(
        RULE, folder / "files", rules=ExportRules(classes=[ANIMAL, PERSON]),
        on_count=lambda *done: on_progress("writing the authors' files", *done),
    )  # fmt: skip
    plan = acquisition.plan()
    Chain(
        pictures=name, n_read=plan.n_read, removed=plan.counts, selected=plan.labels,
        texts={name: len(each) for name, each in texts.items()}, selected_texts=counts_by_collection(folder, texts),
        **counts_by_words(pl.read_parquet(folder / LIST, columns=["TEXT"])),
        statuses=account.statuses, files=counts_of_files(folder / "files", exported["folders"].values()),
    ).write(folder)  # fmt: skip


def settings(folder: Path) -> dict[str, Any]:
    """Return the settings of the acquisition: their selection, and a guard that is open for one address."""
    return {
        "acquisition": "study-2023-web",
        "input": {"path": str(folder.absolute() / LIST), "preset": "laion-400m"},
        "output": str(folder.absolute() / "acquired"),
        "select": {"preset": RULE},
        "guard": {"allow_address": [f"{ADDRESS}/32"]},
        "keep": "original",
    }


def port_of(folder: Path) -> int:
    """Return the port in the URLs of an earlier list, so that an interrupted run can continue, or else 0."""
    if not (folder / LIST).is_file():
        return 0
    first = pl.scan_parquet(folder / LIST).select("URL").head(1).collect().item()
    return urlsplit(first).port or 0


def write_list(folder: Path, texts: Sequence[str | None], port: int) -> None:
    """Write *texts* as a list with the columns of LAION-400M, unless it is there.  Unknown values are null."""
    if (folder / LIST).is_file():
        return
    n = len(texts)
    rows = pl.DataFrame({
        "SAMPLE_ID": range(n), "URL": [f"http://{ADDRESS}:{port}/{row}.jpg" for row in range(n)], "TEXT": texts,
        "HEIGHT": None, "WIDTH": None, "LICENSE": None, "NSFW": None, "similarity": None,
    }, schema=LAION)  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(folder / LIST, rows)


def fill(host: Host, folder: Path, *, is_drawn: bool) -> str:
    """Give *host* the answer for each selected row, and return the name of the collection of pictures."""
    slots = planned(folder)
    name, found = pictures(Counter(slots["label"]), folder / "pictures", is_drawn=is_drawn)
    paths = [urlsplit(url).path for url in slots["url"]]
    host.bodies = dict(zip(paths, bodies(slots["label"].to_list(), found), strict=True))
    return name


def planned(folder: Path) -> Frame:
    """Return the selected rows, in their order, from the plan of the acquisition."""
    return pl.concat(map(pl.read_parquet, sorted((folder / "acquired" / "plan").glob("*.parquet"))))


# The record of the chain.


def counts_by_collection(folder: Path, texts: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the number of selected rows from each collection of *texts*, which stand one after the other in the list.

    Parameters
    ----------
    folder
        *folder* is the folder of the list.
    texts
        *texts* are the collections.
    """
    names = [name for name, each in texts.items() for _ in each]
    counts = Counter(names[int(row)] for row in planned(folder)["id"])
    return {name: counts[name] for name in texts}


def counts_by_words(texts: Frame) -> dict[str, Mapping[str, int]]:
    """Return the texts of each class by their rule, and by the same words as whole words in any case.

    >>> texts = pl.DataFrame({"TEXT": ["a man here", "A woman", "Dog, asleep", "a chair"]})
    >>> counts_by_words(texts)
    {'by_rule': {'person': 1}, 'by_word': {'animal': 1, 'person': 2}}
    """
    rule = preset(RULE)
    words = rule.model_copy(update={"match": "word", "ignore_case": True})
    return {"by_rule": _counts(texts, rule), "by_word": _counts(texts, words)}


def _counts(texts: Frame, rules: KeywordRules) -> dict[str, int]:
    labels = texts.select(label=rules.label(pl.col("TEXT")))["label"]
    counts = Counter(labels.filter(~labels.is_in([NONE, AMBIGUOUS])))
    return dict(sorted(counts.items()))


def counts_of_files(folder: Path, classes: Iterable[str]) -> dict[str, int]:
    """Return the number of images or rows in each folder and table of the authors' layout.

    Parameters
    ----------
    folder
        *folder* is the folder of the export.
    classes
        *classes* are the names of the folders of its classes.
    """
    images = {f"images/{name}": len(list((folder / "images" / name).iterdir())) for name in classes}
    tables = {path.name: pl.read_csv(path, columns=[0]).height for path in sorted(folder.glob("*.csv"))}
    return images | tables


def summary(study: Study, chain: Chain) -> Iterator[str]:
    """Yield the lines that the program prints at its end."""
    yield f"{chain.n_read:,} rows of the list, pictures of {chain.pictures}"
    for title, counts in (("removed", chain.removed), ("selected", chain.selected), ("images", chain.statuses)):
        yield f"{title}: " + ", ".join(f"{name} {n:,}" for name, n in counts.items())
    yield "files: " + ", ".join(f"{name} {n:,}" for name, n in chain.files.items())
    for row in study.scores().filter(part="test", metric="accuracy").iter_rows(named=True):
        interval = f"{numbers.score(row['low'])} to {numbers.score(row['high'])}"
        yield f"{row['contender']}: accuracy {numbers.score(row['value'])} ({interval}), n {row['n']:,}"


def main() -> None:
    """Run the chain, and print the rows at each step and the scores."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few made-up texts, drawings and few epochs")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="the folder of run folders")
    chosen, started = parser.parse_args(), perf_counter()
    try:
        with progress() as on_progress:
            study = run(chosen.runs, on_progress, is_quick=chosen.quick)
    except CounterpointError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped. Finished parts are kept, and the same command continues.") from None
    if study is not None:
        print(*summary(study, Chain.read(folder_of(chosen.runs, is_quick=chosen.quick))), sep="\n")
        print(f"Wrote {study.report()} ({numbers.duration(perf_counter() - started)})")


if __name__ == "__main__":
    main()
