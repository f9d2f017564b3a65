"""An acquisition: plan, tasks, engine, account. Each step is one line. Start reading here."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import ceil
from pathlib import Path

from counterpoint.acquire.account import Account, read_account
from counterpoint.acquire.agreement import check_encoders
from counterpoint.acquire.export import ExportRules, export
from counterpoint.acquire.monitor import Monitor, OnAccount
from counterpoint.acquire.pipeline import ShardsTask, acquire_shards
from counterpoint.acquire.plan import Plan, open_plan
from counterpoint.acquire.statuses import retryable
from counterpoint.config.acquire import AcquireConfig, read_acquire
from counterpoint.engines import engine
from counterpoint.features import chunks
from counterpoint.formats.exports import Exported
from counterpoint.store import Store


def ignore_account(account: Account) -> None:
    """Do nothing: the callback where nobody asks for the account."""


class Acquisition:
    """Images of a list of URLs, acquired into shards.

    Parameters
    ----------
    config
        *config* is the acquire file.
    on_account
        *on_account* is called with the account about once a second, from a thread of its own.
    """

    def __init__(self, config: AcquireConfig, *, on_account: OnAccount = ignore_account) -> None:
        self.config = config
        self.on_account = on_account

    def plan(self) -> Plan:
        """Return the plan: the rows to fetch, and the shard of each. The first call makes it, later calls read it.

        Raises
        ------
        RunFolderError
            When the output folder holds another plan.
        ConfigError
            When ``select.agreement`` is set, and the encoders are not installed.
        """
        check_encoders(self.config.select.agreement)
        return open_plan(self.config, self.store)

    def run(self) -> Account:
        """Acquire all shards that are not committed yet, and return the account.

        Raises
        ------
        RunFolderError
            When another run is at work in the output folder, or it cannot be written.
        """
        plan = self.plan()
        with Monitor(self.store, plan.n_rows, self.on_account) as monitor:
            to_do = plan.n_rows - monitor.reader.totals(0).n_rows
            return self._acquire(monitor, monitor.reader.to_run(plan.n_shards), 0, to_do=to_do)

    def retry(self) -> Account:
        """Try the slots with a retryable status again, in a generation of their own, and return the account.

        A retry that was interrupted is finished first. Without such slots nothing is done. Where
        ``guard.allow_address`` names a network, rows with a refused address are tried again too.

        Raises
        ------
        RunFolderError
            When another run is at work in the output folder, or it cannot be written.
        """
        again = retryable(self.config.guard.allow_address)
        with Monitor(self.store, self.plan().n_rows, self.on_account, retryable=again) as monitor:
            generation, slots = monitor.reader.to_retry()
            return self._acquire(monitor, list(slots), generation, to_do=sum(slots.values()))

    def status(self) -> Account:
        """Return the present account. Nothing is written, and a run at work is not disturbed.

        Raises
        ------
        RunFolderError
            When there is no plan yet.
        """
        return read_account(self.store)

    def export(
        self,
        layout: str,
        where: Path | str,
        *,
        rules: ExportRules | None = None,
        on_count: chunks.OnCount = chunks.ignore_count,
    ) -> Exported:
        """Write the acquired rows into the folder *where* in another *layout*, and return a summary of the export.

        Parameters
        ----------
        layout
            *layout* is ``webdataset``, ``imagefolder`` or ``study-2023``.
        where
            *where* is a folder on a local disk that does not exist, is empty, or holds this very export.
        rules
            *rules* are the choices of single layouts (default: ``ExportRules()``).
        on_count
            *on_count* receives the number of finished rows and the number of all.

        Returns
        -------
        dict
            The content of ``export.json`` (see `counterpoint.acquire.export.export`).

        Raises
        ------
        ConfigError
            When the layout is unknown.
        RunFolderError
            When there is no plan yet, *where* holds anything else, or *where* cannot be written.
        """
        return export(self.store, layout, where, rules=rules, on_count=on_count)

    # The steps of a run.

    @cached_property
    def store(self) -> Store:
        """The output folder."""
        return Store(self.config.output, self.config.storage)

    def tasks(self, shards: Sequence[int], generation: int = 0, token: str | None = None) -> list[ShardsTask]:
        """Return *shards* as tasks.

        A task has several shards, so that a worker can feed in the next shard. There are at least as many tasks as
        workers, if there are enough shards.

        Parameters
        ----------
        shards
            *shards* are the numbers of the shards to acquire.
        generation
            *generation* is 0 for the first run, and counts the retries.
        token
            *token* is the token of the run's lease, which is checked before each commit. None skips the check.
        """
        rules = self.config.run
        n_shards = min(rules.shards_at_once, ceil(len(shards) / (rules.workers or os.cpu_count() or 1)))
        groups = [tuple(shards[start : start + n_shards]) for start in range(0, len(shards), max(1, n_shards))]
        return [
            ShardsTask(f"shards {group[0]} to {group[-1]}", self.config, group, generation, token) for group in groups
        ]

    def _acquire(self, monitor: Monitor, shards: list[int], generation: int, *, to_do: int) -> Account:
        rules = self.config.run
        monitor.begin(generation=generation, to_do=to_do)
        tasks = self.tasks(shards, generation, monitor.lease.token)
        run = engine(rules.engine)
        for _ in run(tasks, acquire_shards, workers=rules.workers, threads=1, address=rules.address):
            pass
        return replace(monitor.update(), is_running=False)


def open_acquisition(
    path: Path | str, *, overrides: tuple[str, ...] = (), on_account: OnAccount = ignore_account
) -> Acquisition:
    """Return the acquisition that the file at *path* describes. Nothing runs yet.

    Parameters
    ----------
    path
        *path* is an acquire file (docs/acquire.md).
    overrides
        *overrides* change settings of the file, as in ``("keep=gray-64",)``.
    on_account
        *on_account* is called with the account about once a second, from a thread of its own.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has an unknown key or a value that is not allowed.
    """
    return Acquisition(read_acquire(Path(path), overrides), on_account=on_account)
