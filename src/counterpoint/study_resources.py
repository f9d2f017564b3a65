"""The things that a study works with, each opened at its first use: run folder, source, rules, test evaluations."""

from functools import cached_property
from pathlib import Path

from counterpoint.artifacts import key_of
from counterpoint.config import StudyConfig
from counterpoint.data.label import read_ids, read_labels
from counterpoint.data.prepare import Edits, PairRules
from counterpoint.data.sources import open_source
from counterpoint.data.sources.base import Source
from counterpoint.diagnose import all_checks
from counterpoint.errors import ConfigError
from counterpoint.fits import workers_of
from counterpoint.metrics import find_metric
from counterpoint.report.sharing import Folders
from counterpoint.runs.evaluations import Evaluations
from counterpoint.runs.folder import RunFolder


class StudyResources:
    """The run folder, the source and the rules of one study.

    Parameters
    ----------
    config
        *config* are the settings of the study.
    root
        *root* is its run folder.
    file
        *file* is the study file (default: none).

    Raises
    ------
    ConfigError
        When a metric or a check cannot be loaded, or less is better in the primary metric.

    Examples
    --------
    >>> config = StudyConfig(study="tiny", source={"kind": "generated", "n": 60}, exclude=["a"])
    >>> StudyResources(config, Path("runs/tiny")).edits
    Edits(exclude={'a'}, relabel={})
    """

    def __init__(self, config: StudyConfig, root: Path, file: Path | None = None) -> None:
        # Whatever cannot be loaded raises before anything is fitted.
        metrics = {name: find_metric(name) for name in config.evaluate.metrics}
        if not metrics[config.evaluate.primary].higher_is_better:
            raise ConfigError(f"In evaluate.primary more must be better. In {config.evaluate.primary} less is better.")
        if config.checks.extra:
            all_checks(config.checks.extra)
        self.config, self.root, self.file = config, root, file

    @cached_property
    def folder(self) -> RunFolder:
        """The run folder, which belongs to this study or to no study yet."""
        return RunFolder(self.root, study=self.config.study, source=self.config.source, file=self.file)

    @cached_property
    def source(self) -> Source:
        """The opened source of the records."""
        return open_source(self.config.source)

    @cached_property
    def rules(self) -> PairRules:
        """The settings that make pairs of records."""
        return PairRules(*(getattr(self.config, section) for section in PairRules._fields))

    @cached_property
    def edits(self) -> Edits:
        """The ids that the study leaves out, and the labels that it sets by id."""
        exclude, relabel = self.config.exclude, self.config.relabel
        return Edits(
            read_ids(exclude) if isinstance(exclude, Path) else set(exclude),
            read_labels(relabel) if isinstance(relabel, Path) else dict(relabel),
        )

    @property
    def workers(self) -> int:
        """The number of processes that work at once."""
        return workers_of(self.config.fit)

    @cached_property
    def evaluations(self) -> Evaluations:
        """The record of the test evaluations in the run folder."""
        was_scored = self.folder.holds_stages("scores", "differences", "findings")
        return Evaluations(self.root / "test_evaluations.json", is_expected=was_scored)

    @cached_property
    def config_hash(self) -> str:
        """The hash of the settings that differ from their defaults: a setting that is new in a version changes none."""
        return key_of(self.config.model_dump(mode="json", exclude_defaults=True))

    @cached_property
    def local_folders(self) -> Folders:
        """The folders of this machine, which shared files do not name."""
        return Folders(self.config.model_dump(mode="json"), [self.root, *([self.file.parent] if self.file else [])])
