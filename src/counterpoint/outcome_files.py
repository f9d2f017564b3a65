"""The files of a finished study: results.json, the page with its figures, and the record of the fits they rest on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterpoint import __version__
from counterpoint.artifacts import write_json
from counterpoint.contenders.fit_task import is_done
from counterpoint.contenders.plan import encoder_fingerprints
from counterpoint.contenders.readings import encoder_versions
from counterpoint.diagnose import all_checks
from counterpoint.diagnose.queues import queues_of
from counterpoint.diagnose.verdict import Answer
from counterpoint.fits import Fits
from counterpoint.report import write_page
from counterpoint.report.results import environment, rows_account, rows_of
from counterpoint.report.sharing import as_yaml, shared_settings
from counterpoint.runs.finished import read_finished, write_finished
from counterpoint.runs.places import RESULTS, fits_folder
from counterpoint.runs.queue_files import write_queues
from counterpoint.schema import Frame
from counterpoint.study_resources import StudyResources

LISTED = ("scores", "repeats", "differences", "sizes", "size_curves", "costs", "findings", "segments")
"""Tables of which results.json has every row."""


def results_of(
    opened: StudyResources,
    tables: Mapping[str, Frame],
    *,
    answer: Answer,
    primary: Mapping[str, Any] | None,
    modalities: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Return the content of results.json, without secrets of the settings and without folders of this machine.

    Parameters
    ----------
    opened
        *opened* has the settings of the study, its run folder and its source.
    tables
        *tables* are the tables that the page reads, by name.
    answer, primary, modalities
        *answer* is the answer, *primary* the primary contrast, *modalities* the modalities that each contender reads.
    """
    config, pairs = opened.config, tables["pairs"]
    results = {
        "study": config.study,
        "version": __version__,
        "config_hash": opened.config_hash,
        "rows": rows_account(pairs, tables["dropped"]),
        "classes": sorted(pairs["label"].unique()),
        "modalities": modalities,
        "primary": primary,
        **{name: rows_of(tables[name]) for name in LISTED},
        "titles": {check.code: check.title for check in all_checks(config.checks.extra)},
        "advice": {check.code: check.advice for check in all_checks(config.checks.extra)},
        "answer": answer._asdict(),
        "test_evaluations": opened.evaluations.read(),
        "seconds": opened.folder.took_s(),
        "attribution": opened.source.attribution,
        "config": as_yaml(shared_settings(config.model_dump(mode="json"), opened.file)),
        "environment": environment(),
        "encoders": encoder_versions(encoder_fingerprints(config.contenders)),
    }
    return dict(opened.local_folders.hidden_in(results))


def write_outcome(
    opened: StudyResources, results: Mapping[str, Any], tables: Mapping[str, Frame], *, fits: Fits, key: str
) -> None:
    """Write the page, its figures, results.json and the queues, then the record that they are whole.

    Parameters
    ----------
    opened
        *opened* has the run folder, and the names of folders that the page does not show.
    results, tables
        *results* is the content of results.json, and *tables* are the tables that the page reads.
    fits
        *fits* are the fits of the study.  The page shows the first of each contender.
    key
        *key* is the hash of everything that the page is made from.
    """
    hidden = {name: opened.local_folders.hidden_in_table(tables[name]) for name in ("findings", "segments")}
    shared = {**tables, **hidden}
    # The page shows nothing of a model without modalities, and reading boosted trees imports all of scikit-learn.
    readers = [contender for contender, modalities in results["modalities"].items() if modalities]
    write_page(opened.root, results, shared, models=fits.first_models(readers))
    write_json(opened.root / RESULTS, results)
    write_queues(opened.root, dict(queues_of(tables["findings"])))
    write_finished(opened.root, key, fits.keys())


def has_fits(root: Path) -> bool:
    """Report whether each fit behind the finished page in folder *root* is kept."""
    keys = read_finished(root).fits.values()
    return all(is_done(fits_folder(root) / name, key) for fits in keys for name, key in fits.items())
