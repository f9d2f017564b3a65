"""A study: each stage one line, made once and then read from the run folder.  Start reading here."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from counterpoint import __version__
from counterpoint.artifacts import key_of, read_sealed, write_json, write_sealed
from counterpoint.compare import choose_primary, compare
from counterpoint.config import StudyConfig, read_study
from counterpoint.contenders.fit import fit_again
from counterpoint.contenders.fit_task import FitTask
from counterpoint.contenders.folds import folds_to_test, parts_of
from counterpoint.contenders.kept.files import load
from counterpoint.contenders.plan import models_of, plan
from counterpoint.data.export import SplitExport
from counterpoint.data.label import read_ids, read_labels
from counterpoint.data.sources import open_source
from counterpoint.data.sources.base import Source
from counterpoint.diagnose import Case, Fitted
from counterpoint.diagnose.verdict import Answer, answer
from counterpoint.errors import ConfigError, UnreadableFitError
from counterpoint.evaluations import Evaluations
from counterpoint.features.bilinear import Resize
from counterpoint.finished import PAGE, RESULTS, is_finished, write_finished
from counterpoint.formats.image_states import image_state
from counterpoint.metrics import find_metric
from counterpoint.report import write_page
from counterpoint.report.results import environment, rows_account, rows_of
from counterpoint.report.sharing import Folders, as_yaml, shared_settings
from counterpoint.run_folder import RunFolder
from counterpoint.schema import Frame
from counterpoint.stages import STAGES, fit_all

log = logging.getLogger(__name__)
Listener = Callable[[str, float, float], None]
"""Is told of progress as (what, done, in all); what a study prints is its listener's business."""


def silent(what: str, done: float, total: float) -> None:
    """Listen to nothing."""


class Study:
    """A comparison of single-entity and multimodal models on one set of pairs.

    Every method makes what it returns, and all that this needs, unless the run folder already has it for the same
    settings and inputs.

    Parameters
    ----------
    config
        *config* is the study file.
    runs
        *runs* is the folder in which this study has its run folder.
    listener
        *listener* is told of progress.
    file
        *file* is where the study file is: a run folder belongs to it, whatever is changed in it.
    beside
        *beside* are studies; the records of the first that has the same source, and its pictures at each size, are
        this one's too.

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
        listener: Listener = silent,
        file: Path | None = None,
        beside: "Sequence[Study]" = (),
    ) -> None:
        self.config: StudyConfig = config
        self.listen: Listener = listener
        if not find_metric(config.evaluate.primary).higher_is_better:
            raise ConfigError(
                f"evaluate.primary must be a metric of which more is better; {config.evaluate.primary} is not."
            )
        self.root = Path(runs) / config.study
        self.file = file
        self._others = beside
        self._tables: dict[str, Mapping[str, Frame]] = {}
        self._fitted_again: dict[str, Any] = {}
        self._keys: dict[str, str] = {}

    # The journey of the data, one stage a method.

    def records(self) -> Frame:
        """Return what the source yields, its images looked at."""
        return self.made("records")["records"]

    def pairs(self) -> Frame:
        """Return the rows that are compared on: schema.PAIRS and what the source knows beside."""
        return self.made("pairs")["pairs"]

    def dropped(self) -> Frame:
        """Return every row that left before the comparison, each once, with its reason: schema.DROPPED."""
        return self.made("pairs")["dropped"]

    def predictions(self) -> Frame:
        """Return what every contender says of every row: schema.PREDICTIONS."""
        return self.made("fits")["predictions"]

    def history(self) -> Frame:
        """Return the learning curves: schema.HISTORY."""
        return self.made("fits")["history"]

    def costs(self) -> Frame:
        """Return what each fit took: schema.COSTS."""
        return self.made("fits")["costs"]

    def scores(self) -> Frame:
        """Return every score with its interval: schema.SCORES."""
        return self.made("scores")["scores"]

    def differences(self) -> Frame:
        """Return every paired difference on the test rows, the primary contrast first: schema.DIFFERENCES."""
        return self.made("differences")["differences"]

    def findings(self) -> Frame:
        """Return what the stages and the checks found: schema.FINDINGS."""
        return self.made("findings")["findings"]

    def compare(self, a: str, b: str, *, metric: str | None = None) -> Frame:
        """Return the paired difference *a* minus *b* on the test rows: one row of schema.DIFFERENCES."""
        rules = self.config.evaluate
        return compare(
            self.predictions(), a, b, metric=metric or rules.primary,
            bootstrap=rules.bootstrap, confidence=rules.confidence, seed=rules.seed,
        )  # fmt: skip

    def answer(self) -> Answer:
        """Return the verdict, its headline, its reasons, the recommendation, and the codes of the alarms."""
        return answer(self.case(), self.findings(), self.config.evaluate.primary)

    def results(self) -> dict[str, Any]:
        """Return the content of results.json: no secret of the settings is in it, and no folder of this machine."""
        found = {
            "study": self.config.study,
            "version": __version__,
            "config_hash": self.config_hash,
            "rows": rows_account(self.pairs(), self.dropped()),
            "classes": sorted(self.pairs()["label"].unique()),
            "modalities": self.modalities(),
            "scores": rows_of(self.scores()),
            "primary": self.primary(),
            "differences": rows_of(self.differences()),
            "costs": rows_of(self.costs()),
            "findings": rows_of(self.findings()),
            "answer": self.answer()._asdict(),
            "test_evaluations": self.test_evaluations(),
            "seconds": self.folder.took_s(),
            "attribution": self.source.attribution,
            "config": as_yaml(shared_settings(self.config.model_dump(mode="json"), self.file)),
            "environment": environment(),
        }
        return dict(self._folders.hidden_in(found))

    def report(self) -> Path:
        """Write the page, its figures and results.json, unless they are of these very results; return the page."""
        page, key = self.root / PAGE, key_of(self.key("findings"), self.config.page)
        if is_finished(self.root, key):
            if not all(task.is_done for task in self.tasks()):  # the page needs none of them, a prediction does
                fit_all([self], self.listen)
            return page
        self.findings()
        self.listen("writing the page", 0, 0)
        results = self.results()
        shared = {"findings": self._folders.hidden_in_table(self.findings())}
        write_page(self.root, results, self.tables() | shared, models=self.models())
        write_json(self.root / RESULTS, results)
        fits: dict[str, dict[str, str]] = {}
        for task in self.tasks():
            fits.setdefault(task.contender, {})[task.fit] = task.key
        write_finished(self.root, key, fits)
        return page

    def export_pairs(
        self, where: Path | str, *, classes: Sequence[str] | None = None, resize: Resize = "bilinear"
    ) -> dict[str, Any]:
        """Write the pairs with their split into folder *where*, as the 2023 study saved them; return the account.

        A hold-out gives ``train_updated.csv``, ``validation_updated.csv`` and ``test_updated.csv``, a k-fold a folder
        of these for each test fold.  *classes* names the classes from 0 on (default: alphabetical); *resize* is
        "bilinear" as published, or "area".
        """
        pairs = self.pairs()
        folds = {fold: parts_of(pairs, fold) for fold in folds_to_test(pairs)}
        listen = partial(self.listen, "exporting pairs")
        export = SplitExport(seed=self.config.split.seed, classes=classes, resize=resize, listen=listen)
        return export.write(folds, Path(where), key=self.key("pairs"))

    def tables(self) -> dict[str, Frame]:
        """Return every table that the page reads."""
        names = ("pairs", "dropped", "predictions", "history", "costs", "scores", "differences", "findings")
        return {name: getattr(self, name)() for name in names}

    def models(self) -> dict[str, Any]:
        """Return the first fit of each contender, as it was kept."""
        first: dict[str, FitTask] = {}
        for task in sorted(self.tasks(), key=lambda task: (task.fold, task.seed)):
            first.setdefault(task.contender, task)
        return {name: self._model(task) for name, task in first.items()}

    # How it is made.

    def made(self, stage: str) -> Mapping[str, Frame]:
        """Return the tables of *stage*, from memory, the run folder, or made now."""
        if stage not in self._tables:
            make, has_images = partial(STAGES[stage].make, self), stage == "source"
            self._tables[stage] = self.folder.keep_or_make(stage, self.key(stage), make, makes_images=has_images)
        return self._tables[stage]

    def key(self, stage: str) -> str:
        """Return the hash of all that the tables of *stage* are made from."""
        if stage not in self._keys:
            after, reads, _ = STAGES[stage]
            before = self.key(after) if after else ""
            self._keys[stage] = key_of(stage, __version__, before, reads(self) if reads else None)
        return self._keys[stage]

    @cached_property
    def folder(self) -> RunFolder:
        """The run folder, which is this study's or nobody's."""
        return RunFolder(self.root, study=self.config.study, source=self.config.source, file=self.file)

    @cached_property
    def source(self) -> Source:
        """The opened source of the records."""
        return open_source(self.config.source)

    @cached_property
    def beside(self) -> "Study | None":
        """The study whose records are this one's too."""
        own = (self.key("source"), self.config.images, self.config.clean)
        others = (each for each in self._others if (each.key("source"), each.config.images, each.config.clean) == own)
        return next(others, None)

    @cached_property
    def image_state(self) -> str:
        """The hash of the state of all image files that the source refers to."""
        if self.beside is not None:
            return self.beside.image_state
        self.made("source")
        rows = self._tables.pop("source")["source"]  # as large as the records, and seldom asked for again
        return image_state(rows["image"], self.config.images, own=self.folder.images)

    @cached_property
    def evaluations(self) -> Evaluations:
        """The record of the test evaluations of this run folder."""
        was_scored = self.folder.holds_stages("scores", "differences", "findings")
        return Evaluations(self.root / "test_evaluations.json", is_expected=was_scored)

    @cached_property
    def contenders(self) -> dict[str, Any]:
        """The unfitted contenders by name; a wrong setting raises here."""
        return models_of(self.config.contenders, seed=self.config.fit.seeds[0], cache=self.cache)

    @cached_property
    def cache(self) -> Path:
        """Where stores of resized pixels are: another state of the source's files has another folder."""
        return self.beside.cache if self.beside is not None else self.root / "cache" / self.key("records")

    def modalities(self) -> dict[str, tuple[str, ...]]:
        """Return which modalities each contender reads."""
        ours = {name: tuple(model.modalities) for name, model in self.contenders.items()}
        return ours | {outside.name: outside.modalities for outside in self.config.predictions}

    def tasks(self) -> list[FitTask]:
        """Return every fit of this study, in the order in which they start."""
        key = self.key("pairs")
        where = {"folder": self.root, "cache": self.cache}
        return plan(self.config.contenders, self.config.fit, self.pairs(), key=key, **where)

    def primary(self) -> dict[str, Any] | None:
        """Return the primary contrast, fixed on validation rows and written down before a test row is scored."""
        path, metric = self.root / "primary.json", self.config.evaluate.primary
        kept, key = read_sealed(path, {"primary": dict | None}), key_of(self.key("fits"), metric)
        if kept is None or kept.get("key") != key:
            kept = {"key": key, "primary": choose_primary(self.predictions(), self.modalities(), metric)}
            write_sealed(path, kept)
        found: dict[str, Any] | None = kept["primary"]
        return found

    def test_evaluations(self) -> list[dict[str, Any]]:
        """Return each time that test rows of this run folder were scored, with what settings."""
        return self.evaluations.read()

    def case(self) -> Case:
        """Return what the checks look at."""
        models = self.contenders
        return Case(
            pairs=self.pairs(),
            scores=self.scores(),
            differences=self.differences(),
            primary=self.primary(),
            modalities=self.modalities(),
            additive=tuple(name for name, model in models.items() if getattr(model, "is_additive", False)),
            n_fits=self._n_fits(),
            test_looks=len(self.test_evaluations()),
            is_record_of_looks_lost=bool(self.evaluations.lost()),
            metric=self.config.evaluate.primary,
            dropped=self.dropped(),
            predictions=self.predictions(),
            history=self.history(),
            costs=self.costs(),
            fit_of=self._fitted,
            depth=self.config.checks.depth,
        )

    def _n_fits(self) -> int:
        """Return how many fits the primary contrast rests on; of an outside model as many as its predictions are of."""
        own, primary = len(self.config.fit.seeds) * len(folds_to_test(self.pairs())), self.primary() or {}
        outside = {entry.name for entry in self.config.predictions} & {primary.get("a"), primary.get("b")}
        told = (self.predictions().filter(contender=name).select("seed", "fold") for name in outside)
        return min([own, *(fits.n_unique() for fits in told)])

    def _fitted(self, name: str) -> Fitted | None:
        """Return the first fit of contender *name*, with the pairs that it saw on each side."""
        tasks = [task for task in self.tasks() if task.contender == name]
        if not tasks:
            return None
        first = min(tasks, key=lambda task: (task.fold, task.seed))
        return Fitted(self._model(first), **parts_of(self.pairs(), first.fold))

    def _model(self, task: FitTask) -> Any:
        """Return a fitted contender as it was kept; one that was not, or cannot be read, is fitted again, once."""
        if not task.is_done:
            fit_all([self], self.listen)
        if task.fit not in self._fitted_again:
            try:
                return load(task.folder, trusted=task.trusted, cache=task.cache)
            except UnreadableFitError as error:
                self.listen(f"fitting {task.contender} again", 0, 0)
                log.info("fitting %s again: %s", task.name, error)
                self._fitted_again[task.fit] = fit_again(task)
        return self._fitted_again[task.fit]

    @cached_property
    def exclude(self) -> set[str]:
        """The ids that the study leaves out."""
        exclude = self.config.exclude
        return read_ids(exclude) if isinstance(exclude, Path) else set(exclude)

    @cached_property
    def relabel(self) -> dict[str, str]:
        """The labels that the study sets by hand, by id."""
        relabel = self.config.relabel
        return read_labels(relabel) if isinstance(relabel, Path) else dict(relabel)

    @property
    def workers(self) -> int:
        """How many processes work at once."""
        return self.config.fit.workers or max(1, (os.cpu_count() or 1) // self.config.fit.threads)

    @property
    def _folders(self) -> Folders:
        """The folders of this machine, which what is shared does not name."""
        return Folders(self.config.model_dump(mode="json"), [self.root, *([self.file.parent] if self.file else [])])

    @property
    def config_hash(self) -> str:
        """The hash of the whole study file."""
        return key_of(self.config.model_dump(mode="json"))


def open_study(
    path: Path | str, *, runs: Path | str = "runs", overrides: tuple[str, ...] = (), listener: Listener = silent
) -> Study:
    """Return the study that the file at *path* describes; nothing runs yet.

    Parameters
    ----------
    path
        *path* is a study file (docs/study-file.md).
    runs
        *runs* is the folder in which the study has its run folder.
    overrides
        *overrides* change settings of the file, as in ``("split.seed=1",)``.
    listener
        *listener* is told of progress.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has an unknown key or a value that is not allowed.
    """
    return Study(read_study(Path(path), overrides), runs=runs, listener=listener, file=Path(path))
