"""Try each candidate of inquest.yaml, and write the curves of all runs into the run folder.

    python studies/study-2023/inquest.py [--quick | --kept]

It may be stopped at any time, and continues with the first unfinished training.  ``--kept`` keeps finished trainings in
``results/``, so that a later run with it continues there, also on another machine.  They have numbers only.
"""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from candidates.config import InquestConfig, read_inquest
from candidates.fits import Training, shared_settings, timed_curves
from counterpoint import __version__
from counterpoint import number_formats as numbers
from counterpoint.artifacts import key_of, read_json, replacing, write_json
from counterpoint.config import read_study
from counterpoint.engines import engine
from counterpoint.errors import CounterpointError
from counterpoint.on_progress import OnProgress
from counterpoint.progress import progress
from counterpoint.schema import Frame
from counterpoint.study import Study

FOLDER = Path(__file__).parent
FILE = FOLDER / "inquest.yaml"
RESULTS = "inquest.json"
KEPT = FOLDER / "results" / "inquest"
"""The folder of finished trainings of the whole inquest."""
OUTLINE = "outline.json"
"""The file of that folder with the key of every training, and the numbers of rows."""


def run(
    config: InquestConfig,
    runs: Path,
    on_progress: OnProgress,
    *,
    kept: Path | None = None,
    workers: int | None = None,
) -> Path:
    """Make every training that is not finished, and return the path of the results.

    Parameters
    ----------
    config
        *config* is a file such as inquest.yaml.
    runs
        *runs* is the folder of run folders.
    on_progress
        *on_progress* receives the progress.
    kept
        *kept* is the folder of finished trainings (default: one in the run folder).
    workers
        *workers* is the number of trainings at once (default: one for each core).
    """
    path, folder = runs / config.inquest / RESULTS, kept or runs / config.inquest / "trainings"
    trainings = plan(config, {name: _pairs(config, name, runs) for name in config.data})
    waiting = [training for training in trainings if made(folder, training) is None]
    outline = outlined(trainings)
    on_progress("inquest: trainings", len(trainings) - len(waiting), len(trainings))
    write_json(folder / OUTLINE, outline | {"key": settings_key(config)})
    write_json(path, results(folder, outline))
    for training, (rows, took_s) in engine("local")(waiting, timed_curves, workers=workers):
        keep(_path(folder, training.name), {"key": key(training), "took_s": took_s, "rows": rows})
        write_json(path, found := results(folder, outline))
        on_progress("inquest: trainings", found["n_finished"], len(trainings))
    return path


def restore(config: InquestConfig, runs: Path, kept: Path = KEPT) -> bool:
    """Write the results of the trainings in *kept*, without their data, and report whether it did.

    It does not where there are results, or where *kept* has no trainings of this version and these settings.

    Parameters
    ----------
    config
        *config* is a file such as inquest.yaml.
    runs
        *runs* is the folder of run folders.
    kept
        *kept* is the folder of finished trainings.
    """
    path, outline = runs / config.inquest / RESULTS, read_json(kept / OUTLINE)
    is_wanted = not path.exists() and outline is not None and outline["key"] == settings_key(config)
    if is_wanted:
        write_json(path, results(kept, outline))
    return is_wanted


def settings_key(config: InquestConfig) -> str:
    """Return the key of the settings, the same in every folder: of the study files it has the names alone."""
    data = {name: one.model_copy(update={"study": Path(one.study.name)}) for name, one in config.data.items()}
    return key_of(__version__, config.model_copy(update={"data": data}))


def plan(config: InquestConfig, tables: Mapping[str, tuple[Frame, Path]]) -> list[Training]:
    """Return the trainings: those of the published settings, and then the others of one seed after another.

    Parameters
    ----------
    config
        *config* is a file such as inquest.yaml.
    tables
        *tables* are the pairs, and the folder of their pixels, by the name of the data.
    """
    shared = {data: shared_settings(config.candidates_on(data)) for data in config.data}
    numbered = [
        (number > 0, seed, number, data)
        for data, of in shared.items()
        for number in range(len(of))
        for seed in config.seeds
    ]
    return [
        Training(
            name=f"{data}-{number}-{seed}",
            data=data,
            contender=config.data[data].contender,
            settings={**_settings(config, data, tables[data][1]), **shared[data][number][0], "seed": seed},
            pairs=tables[data][0],
            candidates={title: config.candidates[title] for title in shared[data][number][1]},
            draws=config.draws,
        )
        for _, seed, number, data in sorted(numbered)
    ]


def _settings(config: InquestConfig, data: str, cache: Path) -> dict[str, Any]:
    one = config.data[data]
    own = {**one.settings, "epochs": config.epochs}
    return own if one.contender == "paper-text-lstm" else {**own, "cache": str(cache)}


def outlined(trainings: Sequence[Training]) -> dict[str, Any]:
    """Return the name and key of each training, and the numbers of rows of each part of the data."""
    return {
        "trainings": [
            {"name": each.name, "data": each.data, "seed": each.settings["seed"], "key": key(each)}
            for each in trainings
        ],
        "data": {training.data: _sizes(training.pairs) for training in trainings},
    }


def results(folder: Path, outline: Mapping[str, Any]) -> dict[str, Any]:
    """Return the curves of all runs of the finished trainings in *folder*, and the numbers of rows.

    Parameters
    ----------
    folder
        *folder* is the folder of finished trainings.
    outline
        *outline* is the result of `outlined`.
    """
    trainings = outline["trainings"]
    finished = [(each, found) for each in trainings if (found := _found(folder, each["name"], each["key"]))]
    return {
        "version": __version__,
        "n_trainings": len(trainings),
        "n_finished": len(finished),
        "took_s": sum(found["took_s"] for _, found in finished),
        "data": outline["data"],
        "runs": [
            {"data": each["data"], "seed": each["seed"], **row} for each, found in finished for row in found["rows"]
        ],
    }


def _sizes(pairs: Frame) -> dict[str, Any]:
    parts = dict(pairs["fold"].value_counts().iter_rows())
    classes = dict(pairs["label"].value_counts().sort("label").iter_rows())
    return {"n": len(pairs), "parts": parts, "classes": classes}


def _pairs(config: InquestConfig, data: str, runs: Path) -> tuple[Frame, Path]:
    one = config.data[data]
    changes = {**one.changes, "study": f"{config.inquest}-{data}"}
    study = Study(read_study(one.study, changes=changes), runs=runs)
    return study.pairs().select("id", "text", "image", "label", "fold"), study.cache


def key(training: Training) -> str:
    """Return the key of a training: another version, setting, candidate or row gives another."""
    settings = {name: value for name, value in training.settings.items() if name != "cache"}
    candidates = {title: candidate.model_dump() for title, candidate in training.candidates.items()}
    rows = training.pairs.select("id", "text", "label", "fold").hash_rows(seed=0).sum()
    return key_of(__version__, training.contender, settings, candidates, training.draws, rows)


def made(folder: Path, training: Training) -> dict[str, Any] | None:
    """Return the curves of a *training* in *folder*, or None where it is not finished."""
    return _found(folder, training.name, key(training))


def _found(folder: Path, name: str, wanted: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = read_json(_path(folder, name))
    return found if found and found["key"] == wanted else None


def keep(path: Path, training: Mapping[str, Any]) -> None:
    """Write the curves of a *training* to *path*, in one line."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(training, separators=(",", ":")) + "\n", encoding="utf-8")


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def main() -> None:
    """Run the inquest, or with ``--quick`` its short form."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, epochs and draws, to see that everything runs")
    parser.add_argument("--kept", action="store_true", help="go on from results/, and keep finished trainings there")
    parser.add_argument("--runs", type=Path, default=FOLDER.parents[1] / "runs", help="the folder of run folders")
    parser.add_argument("--workers", type=int, default=None, help="the number of trainings at once")
    chosen, started = parser.parse_args(), perf_counter()
    config = read_inquest(FILE)
    try:
        with progress() as on_progress:
            if chosen.quick:
                path = run(config.shortened(), chosen.runs, on_progress, workers=chosen.workers)
            else:
                kept = KEPT if chosen.kept else None
                path = run(config, chosen.runs, on_progress, kept=kept, workers=chosen.workers)
    except CounterpointError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped. Finished trainings are kept, and the same command continues.") from None
    print(f"Wrote {path} ({numbers.duration(perf_counter() - started)})")


if __name__ == "__main__":
    main()
