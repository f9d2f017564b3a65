"""A finished study, as its run folder holds it: its settings, its pairs, and the contender to save."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from counterpoint.config import StudyConfig
from counterpoint.contenders.fit_task import is_done
from counterpoint.errors import ConfigError, RunFolderError, did_you_mean
from counterpoint.runs.finished import AGAIN, read_finished, settings_of_run
from counterpoint.runs.kept_tables import read_kept_table, stage_key
from counterpoint.runs.places import fits_folder
from counterpoint.schema import TEST_PARTS, Frame


class FinishedRun:
    """The run folder of a finished study.  It may come from a stranger.

    Raises
    ------
    RunFolderError
        When the study is not finished, or its record, results or pairs are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results, self.fits = read_finished(folder)

    @cached_property
    def config(self) -> StudyConfig:
        """The settings of the study, as far as they are shared."""
        settings = settings_of_run(self.results.get("config"), self.folder)
        return StudyConfig.read(settings, where=str(self.folder))

    def pairs(self) -> Frame:
        """Return the pairs, schema.PAIRS, as the study compared on."""
        return read_kept_table(self.folder, "pairs", "pairs")

    def n_records(self) -> int:
        """Return the number of records: the pairs, and the rows that left before."""
        return len(self.pairs()) + len(read_kept_table(self.folder, "pairs", "dropped"))

    def key(self, stage: str) -> str:
        """Return the hash of everything that the tables of *stage* were made from."""
        return stage_key(self.folder, stage) or ""

    def recommended(self) -> tuple[str, str]:
        """Return the contender that the answer recommends, and the reason in one sentence.

        Raises
        ------
        ConfigError
            When it recommends none.
        """
        answer, names = self.results["answer"], f"Name a --contender: {', '.join(self.fits)}."
        if "to_use" not in answer:
            raise ConfigError(f"The answer of {self.folder} is of an earlier version. {AGAIN}. {names}")
        name = answer["to_use"]
        if not name:
            raise ConfigError(f"The answer of {self.folder} recommends no contender. {names}")
        return str(name), "the answer of the study recommends it"

    def fit_folder(self, contender: str, fit: str) -> Path:
        """Return the folder of one *fit* of *contender*, such as ``seed-0.fold-2``.

        Raises
        ------
        ConfigError
            When the study has no such fit.
        RunFolderError
            When it is damaged.
        """
        keys = self.fits_of(contender)
        name = fit if fit in keys else f"{contender}.{fit}"
        if name not in keys:
            known = [each.removeprefix(f"{contender}.") for each in keys]
            raise ConfigError(f"{contender} has no fit {fit!r}.{did_you_mean(fit, known)}")
        folder = fits_folder(self.folder) / name
        if not is_done(folder, keys[name]):
            raise RunFolderError(f"{folder} is damaged. {AGAIN}.")
        return folder

    def fits_of(self, contender: str) -> Mapping[str, str]:
        """Return the key of each fit of *contender* by its name, or raise ConfigError where the study has none."""
        if contender not in self.fits:
            raise ConfigError(f"{self.folder} has no contender {contender!r}.{did_you_mean(contender, self.fits)}")
        return self.fits[contender]

    def scores_of(self, contender: str) -> list[dict[str, Any]]:
        """Return the scores of *contender* on test rows, by metric."""
        rows: Sequence[dict[str, Any]] = self.results["scores"]
        return [row for row in rows if row["contender"] == contender and row["part"] in TEST_PARTS]
