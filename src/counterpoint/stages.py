"""The stages of a study as functions from tables and settings to tables.  `counterpoint.study` puts them in order."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from threadpoolctl import threadpool_limits

from counterpoint.compare import differences
from counterpoint.config import Clean, Evaluate, Fault, Fit, OutsidePredictions, Split
from counterpoint.contenders.fit import gather
from counterpoint.contenders.fit_task import FitTask
from counterpoint.data.given_split import split_findings
from counterpoint.data.plant import fault_findings, plant
from counterpoint.data.prepare import Edits, PairRules, inspect_records, prepare_pairs
from counterpoint.data.sources.base import Source
from counterpoint.data.sources.predictions import read_predictions
from counterpoint.data.split import split, straddling_groups
from counterpoint.diagnose import Inputs, run_checks
from counterpoint.formats.image_states import States
from counterpoint.kept_stages import Tables
from counterpoint.measures.clusters import clusters_of, with_clusters
from counterpoint.measures.pair_map import pair_map
from counterpoint.measures.segments import find_segments
from counterpoint.metrics import scores
from counterpoint.on_progress import OnProgress
from counterpoint.schema import COSTS, DROPPED, FINDINGS, NOTE, RECORDS, Frame, empty, finding

log = logging.getLogger(__name__)


def read_source(source: Source, images: Path, on_progress: OnProgress) -> Tables:
    """Return ``source``, ``source_dropped`` and ``source_findings``: all records, and the rows that were not readable.

    Parameters
    ----------
    source
        *source* is the opened source.
    images
        *images* is the folder for images that the source makes.
    on_progress
        *on_progress* receives the number of records.
    """
    batches, dropped = [empty(RECORDS)], [empty(DROPPED)]
    for records, left_out in source.read(images):
        batches.append(records)
        dropped.append(left_out)
        on_progress("reading records", sum(map(len, batches)), 0)
    return {
        "source": pl.concat(batches, how="diagonal"),
        "source_dropped": pl.concat(dropped),
        "source_findings": _findings(source.findings()),
    }


def inspect(found: Tables, rules: Clean, compared: States, workers: int, on_progress: OnProgress) -> Tables:
    """Return ``records``, ``records_dropped`` and ``records_findings``: the records with a status of each image.

    Parameters
    ----------
    found
        *found* are the tables of `read_source`.
    rules
        *rules* is the section ``clean``.
    compared
        *compared* is the setting ``images``: how a replaced image file is noticed.
    workers
        *workers* is the number of processes that decode images.
    on_progress
        *on_progress* receives the number of inspected images.
    """
    on_count = partial(on_progress, "looking at images")
    explanation = "Image files that were replaced since they were read are not noticed: images is set to ignore."
    notes = [finding(NOTE, "info", "images", explanation)] if compared == "ignore" else []
    return {
        "records": inspect_records(found["source"], rules, workers=workers, on_count=on_count),
        "records_dropped": found["source_dropped"],
        "records_findings": pl.concat([found["source_findings"], _findings(notes)]),
    }


def group_records(inspected: Tables, rules: PairRules, edits: Edits, on_progress: OnProgress) -> Tables:
    """Return ``grouped``, ``grouped_dropped`` and ``grouped_findings``: pairs with a label and a group, without folds.

    Parameters
    ----------
    inspected
        *inspected* are the tables of `inspect`.
    rules
        *rules* are the sections ``clean``, ``label``, ``align``, ``text`` and ``group``.
    edits
        *edits* are ``exclude`` and ``relabel``.
    on_progress
        *on_progress* receives the name of this stage.
    """
    on_progress("cleaning, labelling, grouping", 0, 0)
    made = prepare_pairs(inspected["records"], inspected["records_dropped"], rules, edits)
    findings = pl.concat([inspected["records_findings"], _findings(made.findings)])
    return {"grouped": made.pairs, "grouped_dropped": made.dropped, "grouped_findings": findings}


def split_pairs(grouped: Tables, rules: Split, faults: Sequence[Fault]) -> Tables:
    """Return ``pairs``, ``dropped`` and ``pairs_findings``: the pairs with their folds, and the ledger of all others.

    Parameters
    ----------
    grouped
        *grouped* are the tables of `group_records`.
    rules
        *rules* is the section ``split``.
    faults
        *faults* are planted in the pairs after the split.
    """
    pairs, left_out = split(grouped["grouped"], rules)
    notes = split_findings(grouped["grouped"], pairs, rules)
    for note in notes:
        log.info("%s", note["explanation"])
    found = notes + straddling_groups(pairs) + fault_findings(faults)
    return {
        "pairs": plant(pairs, faults),
        "dropped": pl.concat([grouped["grouped_dropped"], left_out]).sort("row"),
        "pairs_findings": pl.concat([grouped["grouped_findings"], _findings(found)]),
    }


def collect_predictions(tasks: Sequence[FitTask], pairs: Frame, outside: Sequence[OutsidePredictions]) -> Tables:
    """Return ``predictions``, ``history`` and ``costs`` of finished fits and of outside models.

    Parameters
    ----------
    tasks
        *tasks* are the finished fits.
    pairs
        *pairs* is schema.PAIRS.
    outside
        *outside* are the files of outside models.
    """
    tables = gather(list(tasks))
    others = [read_predictions(entry, pairs) for entry in outside]
    return tables | {"predictions": pl.concat([tables["predictions"], *others])}


def score_contenders(predictions: Frame, rules: Evaluate, on_progress: OnProgress) -> Tables:
    """Return ``scores``: every score with its interval.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    rules
        *rules* is the section ``evaluate``.
    on_progress
        *on_progress* receives the name of this stage.
    """
    on_progress("scoring", 0, 0)
    return {"scores": scores(predictions, rules)}


def compare_all(
    predictions: Frame,
    rules: Evaluate,
    primary: Mapping[str, Any] | None,
    modalities: Mapping[str, Sequence[str]],
    over_repeats: Frame,
    *,
    on_progress: OnProgress,
) -> Tables:
    """Return ``differences``: every paired difference on the test rows.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    rules
        *rules* is the section ``evaluate``.
    primary
        *primary* is the primary contrast, or None.
    modalities
        *modalities* are the modalities that each contender reads.
    over_repeats
        *over_repeats* is schema.REPEATED.
    on_progress
        *on_progress* receives the name of this stage.
    """
    on_progress("comparing", 0, 0)
    return {"differences": differences(predictions, rules, primary, modalities, over_repeats)}


def collect_findings(prepared: Tables, inputs: Inputs, threads: int, extra: Sequence[str] = ()) -> Tables:
    """Return ``findings``: those of the stages, then those of the checks.  And ``agreement``, which CP004 uses.

    Parameters
    ----------
    prepared
        *prepared* are the tables of `split_pairs`.
    inputs
        *inputs* are the inputs of the checks.
    threads
        *threads* caps the numeric libraries.  Rounding depends on it, and more threads are slower on small arrays.
    extra
        *extra* are the paths of checks from outside.
    """
    with threadpool_limits(threads):
        found = run_checks(inputs, extra)
        agreement = inputs["agreement"]
    return {"findings": pl.concat([prepared["pairs_findings"], found]), "agreement": agreement}


def collect_segments(inputs: Inputs, contenders: Mapping[str, Any], encodings: Path, on_progress: OnProgress) -> Tables:
    """Return ``segments``: the rows in which the primary contrast differs.  And ``segment_searches`` and ``clusters``.

    Parameters
    ----------
    inputs
        *inputs* are the inputs of the checks.
    contenders, encodings
        *contenders* and *encodings* are as in `place_pairs`.
    on_progress
        *on_progress* receives the name of this stage.
    """
    on_progress("looking for segments", 0, 0)
    pairs = inputs["pairs"]
    clusters = clusters_of(pairs, contenders, encodings=encodings)
    found = find_segments(
        with_clusters(pairs, clusters), inputs["predictions"], inputs["primary"],
        metric=inputs["metric"], confidence=inputs["confidence"],
    )  # fmt: skip
    return {"segments": found.segments, "segment_searches": found.searches, "clusters": clusters}


def place_pairs(pairs: Frame, contenders: Mapping[str, Any], encodings: Path, threads: int) -> Tables:
    """Return ``map``: the places of the test pairs in two dimensions.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS.
    contenders
        *contenders* are the unfitted contenders by name, whose stored vectors are used.
    encodings
        *encodings* is the folder of the encoded texts and images.
    threads
        *threads* caps the numeric libraries, as in `collect_findings`.
    """
    with threadpool_limits(threads):
        return {"map": pair_map(pairs, contenders, encodings=encodings)}


def fit_inputs(rules: Fit, outside: Sequence[OutsidePredictions], repeats: int = 1) -> list[Any]:
    """Return what the tables of fits depend on: settings, the costs that are kept, and the state of each outside file.

    Parameters
    ----------
    rules, outside
        *rules* is the section ``fit``, and *outside* are the predictions of outside models.
    repeats
        *repeats* is ``evaluate.repeats``.  The fits of several repeats are made together, so their number counts too.
    """
    return [list(COSTS), rules.seeds, rules.threads, *map(_file_state, outside), *([repeats] if repeats > 1 else [])]


def scoring_inputs(rules: Evaluate) -> dict[str, Any]:
    """Return the settings of *rules* that scores and differences depend on.

    >>> "sizes" in scoring_inputs(Evaluate())
    False
    """
    return rules.model_dump(mode="json", exclude={"sizes"})


def _file_state(outside: OutsidePredictions) -> list[Any]:
    try:
        found = outside.path.stat()
    except OSError:  # `read_predictions` raises with the reason
        return [outside, None]
    return [outside, (found.st_size, found.st_mtime_ns)]


def _findings(rows: Sequence[Mapping[str, str]]) -> Frame:
    return pl.DataFrame(rows, dict(FINDINGS))
