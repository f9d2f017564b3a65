"""An acquisition: plan, tasks, engine, account; each step a line.  Start reading here."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import ceil
from pathlib import Path

from counterpoint.acquire.account import Account, read_account
from counterpoint.acquire.export import ExportRules, export
from counterpoint.acquire.monitor import Monitor, OnAccount
from counterpoint.acquire.pipeline import ShardsTask, acquire_shards
from counterpoint.acquire.plan import Plan, plan
from counterpoint.acquire.statuses import retryable
from counterpoint.config.acquire import AcquireConfig, read_acquire
from counterpoint.engines import engine
from counterpoint.features import chunks
from counterpoint.formats.exports import Exported
from counterpoint.store import Store


def ignore_account(account: Account) -> None:
    """Listen to nothing."""


class Acquisition:
    """Images of a list of URLs, acquired into shards.

    Parameters
    ----------
    config
        *config* is the acquire file.
    on_account
        *on_account* is told of progress.
    """

    def __init__(self, config: AcquireConfig, *, on_account: OnAccount = ignore_account) -> None:
        self.config = config
        self.on_account = on_account

    def plan(self) -> Plan:
        """Return the plan: what is fetched and in which shard; made once, then read.

        Raises
        ------
        RunFolderError
            When the output folder holds another plan.
        """
        return plan(self.config, self.store)

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
        """Try again the slots whose newest status is retryable, in a generation of their own; return the account.

        A retry that was interrupted is finished first.  When there is nothing to try again, nothing is done.  Where
        ``guard.allow_address`` names a network, rows whose address was refused are tried again too.
        """
        again = retryable(self.config.guard.allow_address)
        with Monitor(self.store, self.plan().n_rows, self.on_account, retryable=again) as monitor:
            generation, slots = monitor.reader.to_retry()
            return self._acquire(monitor, list(slots), generation, to_do=sum(slots.values()))

    def status(self) -> Account:
        """Return the account as it is now; nothing is written, and whoever runs is not disturbed.

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
        """Write what was acquired into the folder *where* in another *layout*, and return the account of it.

        Raises
        ------
        ConfigError
            When there is no such layout.
        RunFolderError
            When there is no plan yet, or *where* holds anything else or cannot be written.
        """
        return export(self.store, layout, where, rules=rules, on_count=on_count)

    # How it is done.

    @cached_property
    def store(self) -> Store:
        """The output folder."""
        return Store(self.config.output, self.config.storage)

    def tasks(self, shards: Sequence[int], generation: int = 0, token: str | None = None) -> list[ShardsTask]:
        """Return *shards* as tasks: large, so that a worker has the next shard to feed in; not fewer than workers."""
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
    """Return the acquisition that the file at *path* describes; nothing runs yet.

    Parameters
    ----------
    path
        *path* is an acquire file (docs/acquire.md).
    overrides
        *overrides* change settings of the file, as in ``("keep=gray-64",)``.
    on_account
        *on_account* is told of progress.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has an unknown key or a value that is not allowed.
    """
    return Acquisition(read_acquire(Path(path), overrides), on_account=on_account)
