"""How each stage of a study makes its tables from those of the stage before, and which settings decide them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from counterpoint.compare import differences
from counterpoint.contenders.fit import fit, gather
from counterpoint.contenders.fit_task import FitTask
from counterpoint.data.align import align
from counterpoint.data.clean import check_dropped, clean
from counterpoint.data.given_split import split_findings
from counterpoint.data.group import group
from counterpoint.data.label import check_ids, label, label_lost
from counterpoint.data.look_alikes import look_alike_findings
from counterpoint.data.plant import fault_findings, plant
from counterpoint.data.sources.predictions import read_predictions
from counterpoint.data.split import split, straddling_groups
from counterpoint.diagnose import run_checks
from counterpoint.engines import engine
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.features.pixels import build
from counterpoint.metrics import scores
from counterpoint.redaction import redacted
from counterpoint.schema import DROPPED, FINDINGS, RECORDS, Frame, empty, finding

if TYPE_CHECKING:
    from counterpoint.config import OutsidePredictions
    from counterpoint.study import Listener, Study


_log = logging.getLogger(__name__)


class Stage(NamedTuple):
    """One stage: what it comes after, what of a study decides its tables, and how they are made."""

    after: str | None
    reads: Callable[[Study], Any] | None
    make: Callable[[Study], dict[str, Frame]]


def _source(study: Study) -> dict[str, Frame]:
    if study.beside is not None:
        return dict(study.beside.made("source"))
    batches, dropped = [empty(RECORDS)], [empty(DROPPED)]
    for records, left_out in study.source.read(study.folder.images):
        batches.append(records)
        dropped.append(left_out)
        study.listen("reading records", sum(map(len, batches)), 0)
    found = pl.DataFrame(study.source.findings(), dict(FINDINGS))
    return {
        "source": pl.concat(batches, how="diagonal"),
        "source_dropped": pl.concat(dropped),
        "source_findings": found,
    }


def _records(study: Study) -> dict[str, Frame]:
    if study.beside is not None:
        return dict(study.beside.made("records"))
    found, rules = study.made("source"), study.config.clean
    limits = Limits(rules.min_side_px, rules.max_side_px, rules.max_pixels, rules.max_aspect, rules.max_decode_s)
    inspected = inspect_images(
        found["source"], limits, workers=study.workers, on_count=partial(study.listen, "looking at images")
    )
    findings = pl.concat([found["source_findings"], pl.DataFrame(_uncompared(study), dict(FINDINGS))])
    return {"records": inspected, "records_dropped": found["source_dropped"], "records_findings": findings}


def _uncompared(study: Study) -> list[dict[str, str]]:
    if study.config.images != "ignore":
        return []
    explanation = "Image files that were replaced since they were read are not noticed: images is set to ignore."
    return [finding("CP000", "info", "images", explanation)]


def _grouped(study: Study) -> dict[str, Frame]:
    config, records = study.config, study.records()
    study.listen("cleaning, labelling, grouping", 0, 0)
    cleaned, unclean = clean(records, config.clean)
    labelled, unlabelled = label(cleaned, config.label, exclude=study.exclude, relabel=study.relabel)
    aligned, unaligned = align(labelled, config.align, config.text)
    unread = pl.concat([study.made("records")["records_dropped"], unclean])
    dropped = pl.concat([label_lost(unread, config.label), unlabelled, unaligned])
    check_dropped(len(aligned) + len(dropped), dropped, config.clean.max_dropped_share)
    grouped, findings = group(aligned, config.group)
    findings = study.made("records")["records_findings"].to_dicts() + findings
    findings += check_ids(records, exclude=study.exclude, relabel=study.relabel) + look_alike_findings(grouped["label"])
    return {"grouped": grouped, "grouped_dropped": dropped, "grouped_findings": pl.DataFrame(findings, dict(FINDINGS))}


def _pairs(study: Study) -> dict[str, Frame]:
    grouped = study.made("grouped")
    pairs, left_out = split(grouped["grouped"], study.config.split)
    kept = split_findings(grouped["grouped"], pairs, study.config.split)
    for note in kept:
        _log.info("%s", note["explanation"])
    found = kept + straddling_groups(pairs) + fault_findings(study.config.faults)
    findings = pl.concat([grouped["grouped_findings"], pl.DataFrame(found, dict(FINDINGS))])
    dropped = pl.concat([grouped["grouped_dropped"], left_out]).sort("row")
    return {"pairs": plant(pairs, study.config.faults), "dropped": dropped, "pairs_findings": findings}


def _fits(study: Study) -> dict[str, Frame]:
    fit_all([study], study.listen)
    tables = gather(study.tasks())
    outside = [read_predictions(entry, study.pairs()) for entry in study.config.predictions]
    return tables | {"predictions": pl.concat([tables["predictions"], *outside])}


def fit_all(studies: Sequence[Study], listen: Listener) -> None:
    """Make every fit of *studies* that is not there yet, all in one pool, which is as the first of them says."""
    waiting = [task for study in studies for task in _waiting(study)]
    first = studies[0]
    rules = first.config.fit
    total_s, done_s = sum(task.estimate_s for task in waiting) / first.workers, 0.0
    listen("fitting", done_s, total_s)
    where = {"workers": rules.workers, "threads": rules.threads, "address": rules.address}
    for task, _ in engine(rules.engine)(waiting, fit, **where):
        done_s += task.estimate_s / first.workers
        listen("fitting", done_s, total_s)


def _waiting(study: Study) -> list[FitTask]:
    """Return the fits of *study* that are not there yet, once they have all that they read."""
    waiting = [task for task in study.tasks() if not task.is_done]
    if waiting:
        _build_stores(study, study.pairs())
    return waiting


def _build_stores(study: Study, pairs: Frame) -> None:
    """Decode and resize each image once for each size that a contender reads."""
    settings = [model.pixel_settings() for model in study.contenders.values()]
    refs, on_count = pairs["image"].to_list(), partial(study.listen, "resizing images")
    store = partial(build, refs, cache=study.cache, workers=study.workers, on_count=on_count)
    for wanted in {tuple(sorted(each.items())): each for each in settings if each}.values():
        store(**wanted, max_decode_s=study.config.clean.max_decode_s)


def _scores(study: Study) -> dict[str, Frame]:
    study.primary()  # is fixed before a test row is scored
    study.evaluations.note(study.config_hash, list(study.modalities()))
    study.listen("scoring", 0, 0)
    return {"scores": scores(study.predictions(), study.config.evaluate)}


def _differences(study: Study) -> dict[str, Frame]:
    study.listen("comparing", 0, 0)
    rules, primary = study.config.evaluate, study.primary()
    return {"differences": differences(study.predictions(), rules, primary, study.modalities())}


def _findings(study: Study) -> dict[str, Frame]:
    return {"findings": pl.concat([study.made("pairs")["pairs_findings"], run_checks(study.case())])}


def _stamp(outside: OutsidePredictions) -> list[Any]:
    """Return what tells one state of an outside file from another."""
    try:
        found = outside.path.stat()
    except OSError:  # reading it says why
        return [outside, None]
    return [outside, (found.st_size, found.st_mtime_ns)]


STAGES = {
    "source": Stage(None, lambda s: [redacted(s.config.source), s.source.fingerprint()], _source),
    "records": Stage("source", lambda s: [s.image_state, s.config.clean], _records),
    "grouped": Stage(
        "records",
        lambda s: [s.config.label, s.config.align, s.config.text, s.config.group, sorted(s.exclude), s.relabel],
        _grouped,
    ),
    "pairs": Stage("grouped", lambda s: [s.config.split, *s.config.faults], _pairs),
    "fits": Stage(
        "pairs",
        lambda s: [s.config.contenders, s.config.fit.seeds, s.config.fit.threads, *map(_stamp, s.config.predictions)],
        _fits,
    ),
    "scores": Stage("fits", lambda s: s.config.evaluate, _scores),
    "differences": Stage("scores", None, _differences),
    "findings": Stage("differences", lambda s: [s.config.checks, s.evaluations.lost()], _findings),
}
