"""A study: the order of its stages, each made once and then read from the run folder.  Start reading here."""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from counterpoint import stages
from counterpoint.artifacts import key_of
from counterpoint.check_inputs import inputs_of
from counterpoint.compare import REPEATED_RULE, RULE, choose_primary, compare
from counterpoint.config import StudyConfig
from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.contenders.plan import accelerators, encoder_fingerprints, models_of
from counterpoint.data.export import SplitExport
from counterpoint.diagnose import Inputs
from counterpoint.diagnose.verdict import Answer, answer
from counterpoint.features.bilinear import Resize
from counterpoint.fits import Fits, plan_fits
from counterpoint.formats.image_states import image_state
from counterpoint.kept_stages import KeptStages, Stage, Tables
from counterpoint.measures.encoded_pairs import installed_files
from counterpoint.measures.segments import SEGMENTS_RULE
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.outcome_files import has_fits, results_of, write_outcome
from counterpoint.redaction import redacted
from counterpoint.repeats import FOLDER, contrasts, fit_all
from counterpoint.runs.finished import is_finished
from counterpoint.runs.places import ENCODINGS, PAGE, cache_folder
from counterpoint.runs.primary import fixed_primary
from counterpoint.schema import Frame
from counterpoint.sizes import SIZES_RULE, size_tables
from counterpoint.study_resources import StudyResources

COMPARED = ("pairs", "dropped", "predictions", "history", "costs", "scores", "repeats", "differences")
"""Tables of a finished comparison."""
DESCRIBING = ("segments", "sizes", "map")
"""Stages after the findings, whose tables the page has in full."""


class Study:
    """A comparison of single-entity and multimodal models on one set of pairs.

    Every method returns its table from the run folder if the settings and inputs are still the same.  Otherwise it
    makes the table, and all tables before it.

    Parameters
    ----------
    config
        *config* are the settings of the study file.  A wrong metric or check raises ConfigError here.
    runs
        *runs* is the folder in which this study has its run folder.
    on_progress
        *on_progress* receives the progress of each stage.
    file
        *file* is the path of the study file.  A run folder belongs to this file, also after its settings change.
    records_of
        *records_of* is a study with the same source, images and rules of ``clean``.  This study uses its records and
        resized images.
    encodings
        *encodings* is the folder of the encoded texts and images (default: ``.encodings`` in *runs*, for all studies).

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> config = StudyConfig(study="tiny", source={"kind": "generated", "n": 60}, contenders=["majority"])
    >>> with TemporaryDirectory() as runs:
    ...     study = Study(config, runs=Path(runs))
    ...     len(study.pairs()) + len(study.dropped())
    60
    """

    def __init__(
        self,
        config: StudyConfig,
        *,
        runs: Path | str = "runs",
        on_progress: OnProgress = ignore_progress,
        file: Path | None = None,
        records_of: "Study | None" = None,
        encodings: Path | None = None,
    ) -> None:
        self.config, self.on_progress = config, on_progress
        self.root = Path(runs) / config.study
        self.encodings = encodings or Path(runs) / ENCODINGS
        self._records_of = records_of
        self.opened = StudyResources(config, self.root, file)

    # The journey of the data: one method for each table.

    def records(self) -> Frame:
        """Return the records of the source with a status of each image: schema.RECORDS and further columns."""
        return self.made("records")["records"]

    def pairs(self) -> Frame:
        """Return the rows that contenders are compared on: schema.PAIRS and further columns of the source."""
        return self.made("pairs")["pairs"]

    def dropped(self) -> Frame:
        """Return every row that left before the comparison, each once, with its reason: schema.DROPPED."""
        return self.made("pairs")["dropped"]

    def predictions(self) -> Frame:
        """Return the probabilities of every contender for every row: schema.PREDICTIONS."""
        return self.made("fits")["predictions"]

    def history(self) -> Frame:
        """Return the learning curves: schema.HISTORY."""
        return self.made("fits")["history"]

    def costs(self) -> Frame:
        """Return the trials, epochs, parameters and seconds of each fit: schema.COSTS."""
        return self.made("fits")["costs"]

    def scores(self) -> Frame:
        """Return every score with its interval: schema.SCORES."""
        return self.made("scores")["scores"]

    def repeats(self) -> Frame:
        """Return the primary contrast in each fold of each repeat: schema.REPEATS."""
        return self.made("repeats")["repeats"]

    def differences(self) -> Frame:
        """Return every paired difference on the test rows, the primary contrast first: schema.DIFFERENCES."""
        return self.made("differences")["differences"]

    def findings(self) -> Frame:
        """Return the findings of the stages and of the checks: schema.FINDINGS."""
        return self.made("findings")["findings"]

    def agreement(self) -> Frame:
        """Return the agreement of the text and the image of each encoded pair: schema.AGREEMENT.

        It has no rows where the encoders are not installed.
        """
        return self.made("findings")["agreement"]

    def segments(self) -> Frame:
        """Return the segments of rows in which reading both modalities helps more or less: schema.SEGMENTS."""
        return self.made("segments")["segments"]

    def sizes(self) -> Frame:
        """Return the scores of both sides of the primary contrast on fewer training rows: schema.SIZES."""
        return self.made("sizes")["sizes"]

    def pair_map(self) -> Frame:
        """Return the places of the test pairs in two dimensions, of at most 2,000 of them: schema.MAP."""
        return self.made("map")["map"]

    def tables(self) -> dict[str, Frame]:
        """Return every table that the page reads."""
        tables = {name: getattr(self, name)() for name in (*COMPARED, "findings", "agreement")}
        return tables | {name: table for stage in DESCRIBING for name, table in self.made(stage).items()}

    def answer(self) -> Answer:
        """Return the verdict with its headline, its reasons, the recommendation, and the codes of the alarms."""
        return answer(self.check_inputs, self.findings())

    def results(self) -> dict[str, Any]:
        """Return the content of results.json, without secrets of the settings and without folders of this machine."""
        return results_of(
            self.opened, self.tables(), answer=self.answer(), primary=self.primary(), modalities=self.modalities()
        )

    def report(self) -> Path:
        """Return the path of the page, after writing it, its figures and results.json where they are not up to date."""
        page, key = self.root / PAGE, key_of(self.key(tuple(STAGES)[-1]), self.config.page, Answer._fields)
        if not is_finished(self.root, key):
            tables = self.tables()
            self.on_progress("writing the page", 0, 0)
            write_outcome(self.opened, self.results(), tables, fits=self.fits, key=key)
        elif not has_fits(self.root):  # the page needs none, but a prediction does
            self.fits.make_missing()
        return page

    def compare(self, a: str, b: str, *, metric: str | None = None) -> Frame:
        """Return the paired difference *a* minus *b* on the test rows: one row of schema.DIFFERENCES.

        Parameters
        ----------
        a, b
            *a* and *b* are names of contenders.
        metric
            *metric* is the name of a metric (default: the primary one).
        """
        rules = self.config.evaluate
        return compare(
            self.predictions(), a, b, metric=metric or rules.primary, primary=rules.primary,
            confidence=rules.confidence,
        )  # fmt: skip

    def export_pairs(
        self, where: Path | str, *, classes: Sequence[str] | None = None, resize: Resize = "bilinear"
    ) -> dict[str, Any]:
        """Write the pairs with their split into a folder, in the layout of the 2023 study, and return the account.

        Parameters
        ----------
        where
            *where* is the folder to write.  A k-fold gives a folder in it for each test fold.
        classes
            *classes* are the class names in the order of their numbers from 0 (default: alphabetical).
        resize
            *resize* is "bilinear" as published, or "area".
        """
        pairs = self.pairs()
        folds = {fold: rows_by_part(pairs, fold) for fold in folds_to_test(pairs)}
        on_count = partial(self.on_progress, "exporting pairs")
        export = SplitExport(seed=self.config.split.seed, classes=classes, resize=resize, on_count=on_count)
        return export.write(folds, Path(where), key=self.key("pairs"))

    def test_evaluations(self) -> list[dict[str, Any]]:
        """Return each scoring of test rows in this run folder with settings that were new then."""
        return self.opened.evaluations.read()

    # How a table is made: `STAGES` below has the order, the inputs and the function of each stage.

    @cached_property
    def _kept(self) -> "KeptStages[Study]":
        """The tables of the stages.  A study with the records of another one reads its grouped pairs, if they agree."""
        other = self._records_of._kept if self._records_of else None
        return KeptStages(
            STAGES, self, lambda: self.opened.folder, other=other, shared=("source", "records"), reused=("grouped",)
        )

    def made(self, stage: str) -> Tables:
        """Return the tables of *stage*: from memory, from the run folder, or made now."""
        return self._kept.made(stage)

    def key(self, stage: str) -> str:
        """Return the hash of everything that the tables of *stage* are made from."""
        return self._kept.key(stage)

    def _make_fits(self) -> Tables:
        fit_all(self)
        return stages.collect_predictions(self.fits.made(), self.pairs(), self.config.predictions)

    def repeat(self, config: StudyConfig) -> "Study":
        """Return the study of *config* on the records of this one, in a folder of its own in this run folder."""
        places = {"runs": self.root / FOLDER, "encodings": self.encodings}
        return Study(config, on_progress=self.on_progress, records_of=self, **places)

    def _make_scores(self) -> Tables:
        self.primary()  # fixed before a test row is scored
        self.opened.evaluations.note(self.opened.config_hash, list(self.modalities()))
        return stages.score_contenders(self.predictions(), self.config.evaluate, self.on_progress)

    def _make_differences(self) -> Tables:
        contrast, over_repeats = self.primary(), self.made("repeats")["repeated"]
        return stages.compare_all(
            self.predictions(), self.config.evaluate, contrast, self.modalities(), over_repeats,
            on_progress=self.on_progress,
        )  # fmt: skip

    def primary(self) -> dict[str, Any] | None:
        """Return the primary contrast: chosen on validation rows by fold, and written before a test row is scored."""
        metric = self.config.evaluate.primary
        path, key = self.root / "primary.json", key_of(self.key("fits"), metric, RULE)
        return fixed_primary(path, key, lambda: choose_primary(self.predictions(), self.modalities(), metric))

    @cached_property
    def check_inputs(self) -> Inputs:
        """The inputs of the checks, which the answer shares."""
        tables = {name: getattr(self, name)() for name in COMPARED} | dict(self.made("repeats"))
        return inputs_of(
            tables, self.config, primary=self.primary(), modalities=self.modalities(),
            contenders=self.contenders, evaluations=self.opened.evaluations, fits=self.fits,
            encodings=self.encodings, on_progress=self.on_progress,
        )  # fmt: skip

    # The things that stages work with, each opened at its first use.

    @cached_property
    def image_state(self) -> str:
        """The hash of the state of all image files that the source refers to."""
        rows = self._kept.released("source")["source"]  # as large as the records, and rarely needed again
        return image_state(rows["image"], self.config.images, own=self.opened.folder.images)

    @cached_property
    def contenders(self) -> dict[str, Any]:
        """The unfitted contenders by name.  A wrong setting raises here."""
        stores = {"cache": self.cache, "encodings": self.encodings}
        return models_of(self.config.contenders, seed=self.config.fit.seeds[0], **stores)

    def modalities(self) -> dict[str, tuple[str, ...]]:
        """Return the modalities that each contender reads."""
        own = {name: model.modalities_in(self.contenders) for name, model in self.contenders.items()}
        return own | {outside.name: outside.modalities for outside in self.config.predictions}

    @cached_property
    def cache(self) -> Path:
        """The folder with stores of resized pixels.  Another state of the image files has another folder."""
        return self._records_of.cache if self._records_of else cache_folder(self.root, self.key("records"))

    @cached_property
    def fits(self) -> Fits:
        """Every fit of this study."""
        contenders = self.contenders  # a wrong setting raises before pairs are made
        return plan_fits(
            self.config, self.pairs(), contenders,
            folder=self.root, cache=self.cache, encodings=self.encodings, key=self.key("pairs"),
            n_records=len(self.pairs()) + len(self.dropped()), on_progress=self.on_progress,
        )  # fmt: skip


STAGES: Mapping[str, Stage[Study]] = {
    "source": Stage(
        lambda s: [redacted(s.config.source), s.opened.source.fingerprint()],
        lambda s: stages.read_source(s.opened.source, s.opened.folder.images, s.on_progress),
        makes_images=True,
    ),
    "records": Stage(
        lambda s: [s.image_state, s.config.clean],
        lambda s: stages.inspect(s.made("source"), s.config.clean, s.config.images, s.opened.workers, s.on_progress),
    ),
    "grouped": Stage(
        lambda s: [s.opened.rules, sorted(s.opened.edits.exclude), s.opened.edits.relabel],
        lambda s: stages.group_records(s.made("records"), s.opened.rules, s.opened.edits, s.on_progress),
    ),
    "pairs": Stage(
        lambda s: [s.config.split, s.config.faults],
        lambda s: stages.split_pairs(s.made("grouped"), s.config.split, s.config.faults),
    ),
    "fits": Stage(
        lambda s: [
            s.config.contenders,
            *stages.fit_inputs(s.config.fit, s.config.predictions, s.config.evaluate.repeats),
            *encoder_fingerprints(s.config.contenders).values(),
            *accelerators(s.config.contenders),
        ],
        Study._make_fits,
    ),
    "scores": Stage(lambda s: stages.scoring_inputs(s.config.evaluate), Study._make_scores),
    "repeats": Stage(lambda _: [RULE, REPEATED_RULE], contrasts),
    "differences": Stage(lambda _: RULE, Study._make_differences),
    "findings": Stage(
        lambda s: [s.config.checks, s.opened.evaluations.lost(), installed_files()],
        lambda s: stages.collect_findings(s.made("pairs"), s.check_inputs, s.config.fit.threads, s.config.checks.extra),
    ),
    "segments": Stage(
        lambda _: SEGMENTS_RULE,
        lambda s: stages.collect_segments(s.check_inputs, s.contenders, s.encodings, s.on_progress),
    ),
    "sizes": Stage(lambda s: [s.config.evaluate.sizes, SIZES_RULE], size_tables),
    "map": Stage(
        lambda s: s.config.fit.threads,
        lambda s: stages.place_pairs(s.pairs(), s.contenders, s.encodings, s.config.fit.threads),
    ),
}
"""The stages in their order: each is made from the tables of the stages before it."""
