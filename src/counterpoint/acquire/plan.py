"""The plan of an acquisition: the slot and the shard of each row. It is written once and never changed.

``plan/00000.parquet`` lists the slots of shard 0. ``plan.json`` is written after all lists.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import polars as pl

from counterpoint.acquire.lists.inputs import InputFile, find_inputs
from counterpoint.acquire.lists.select import Selection
from counterpoint.acquire.lists.url_list import UrlList
from counterpoint.acquire.lists.value_counts import ValueCounts
from counterpoint.config.acquire import AcquireConfig
from counterpoint.errors import RunFolderError, SourceError
from counterpoint.formats.shard_markers import list_name
from counterpoint.formats.shards import LISTED
from counterpoint.schema import Frame
from counterpoint.store import Store

NAME = "plan.json"
N_LARGEST = 10
MAX_SHOWN = 80
_ABSENT = object()


@dataclass(frozen=True)
class Plan:
    """The rows that an acquisition will fetch, and the rules that selected them."""

    n_rows: int
    """Rows to fetch. Each has one slot."""
    n_shards: int
    shard_rows: int
    """Slots of a shard. The last shard may have fewer."""
    n_read: int
    """Rows of the list: the rows to fetch and the removed rows."""
    counts: Mapping[str, int]
    """The number of rows that each rule removed, in the order of the rules. A row counts under the first rule it
    fails.
    """
    labels: Mapping[str, int]
    """Rows to fetch of each class, the largest first. Rows without a label are in no class."""
    n_hosts: int
    largest_hosts: Mapping[str, int]
    """The ten hosts with most rows to fetch."""
    columns: Mapping[str, str]
    """The column of the list for each role."""
    not_applied: Sequence[str]
    """Rules that are set but did nothing, because the list lacks their column."""
    unreadable_files: Mapping[str, str]
    """The reason for each file of the list that could not be read, or not to the end."""
    warnings: Sequence[str]
    inputs: Sequence[Mapping[str, Any]] = field(repr=False)
    """Path, size and version mark of each file of the list."""
    settings: Mapping[str, Any] = field(repr=False)
    """The settings that the plan is bound to."""

    @classmethod
    def read(cls, store: Store) -> Self:
        """Return the plan in the folder of *store*.

        Raises
        ------
        RunFolderError
            When there is none, or another version of Counterpoint wrote it.
        """
        found = store.read_json(NAME)
        if found is None:
            raise RunFolderError(f"{store.url} holds no plan. `counterpoint acquire plan` or `run` makes one.")
        try:
            return cls(**found)
        except TypeError as error:
            raise RunFolderError(f"{store.url}/{NAME} is not a plan of this version: {error}.") from error

    def lines(self) -> list[str]:
        """Return the plan as text, line by line."""
        removed = [f"  {rule:<22}{-n:>14,}" for rule, n in self.counts.items()]
        lines = [f"{'rows read':<24}{self.n_read:>14,}", *removed, f"{'selected':<24}{self.n_rows:>14,}"]
        lines += [f"  {label:<22}{n:>14,}" for label, n in list(self.labels.items())[:N_LARGEST]]
        lines += [f"{'shards':<24}{self.n_shards:>14,}", f"{'hosts':<24}{self.n_hosts:>14,}"]
        lines += [f"  {host:<22}{n:>14,}" for host, n in self.largest_hosts.items()]
        not_applied = [f"Rule {name} did nothing: the list has no such column." for name in self.not_applied]
        return [*lines, *not_applied, *self.warnings]


def open_plan(config: AcquireConfig, store: Store) -> Plan:
    r"""Return the plan in the folder of *store*. It is made first when it is missing.

    Parameters
    ----------
    config
        *config* is the acquire file.
    store
        *store* is the output folder.

    Raises
    ------
    RunFolderError
        When the folder holds another plan, or shards without a plan, or cannot be written.
    SourceError
        When the list cannot be read, or no row of it is selected.
    ConfigError
        When a rule cannot be applied.

    Examples
    --------
    >>> from pathlib import Path; from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.tsv").write_text("url\tcaption\nhttp://example.org/a.jpg\ta cat\n")
    ...     config = AcquireConfig(acquisition="a", input=f"{folder}/a.tsv", output=f"{folder}/out")
    ...     made = open_plan(config, Store(config.output))
    ...     made == open_plan(config, Store(config.output)), made.n_rows, made.not_applied
    (True, 1, ['nsfw', 'punsafe'])
    """
    if store.read_json(NAME) is not None:
        found = Plan.read(store)
        _check_settings(found, config, store)
        _check_inputs(found, find_inputs(config.input.path, config.input.storage), store)
        return found
    if store.names("shards"):
        raise RunFolderError(f"{store.url} holds shards but no {NAME}. Put it back, or name another output folder.")
    urls = UrlList(config.input)
    _write(config, store, urls)
    return Plan.read(store)


def _write(config: AcquireConfig, store: Store, urls: UrlList) -> None:
    selection, labels, hosts = Selection(urls, config.select), ValueCounts(), ValueCounts()
    for shard, frame in enumerate(_shards(selection.frames(), config.shard_rows)):
        labels.add(frame["label"])
        hosts.add(frame["host"])
        with store.writing(list_name(shard)) as file:
            frame.write_parquet(file, compression="zstd", compression_level=1, statistics=False)
    if not selection.n_selected:
        removed = ", ".join(f"{rule} {n:,}" for rule, n in selection.removed.items())
        raise SourceError(f"None of the {selection.n_read:,} rows is selected: {removed}.")
    store.write_json(NAME, asdict(_made(config, urls, selection, labels=labels, hosts=hosts)))


def _made(
    config: AcquireConfig, urls: UrlList, selection: Selection, *, labels: ValueCounts, hosts: ValueCounts
) -> Plan:
    return Plan(
        n_rows=selection.n_selected,
        n_shards=math.ceil(selection.n_selected / config.shard_rows),
        shard_rows=config.shard_rows,
        n_read=selection.n_read,
        counts=selection.removed,
        labels=labels.most(),
        n_hosts=hosts.n_values,
        largest_hosts=hosts.most(N_LARGEST),
        columns=dict(urls.roles),
        not_applied=selection.not_applied,
        unreadable_files=urls.unreadable,
        warnings=list(_warnings(urls)),
        inputs=[file.mark() for file in urls.inputs],
        settings=config.plan_settings(),
    )


def _warnings(urls: UrlList) -> Iterator[str]:
    yield from urls.notes[:N_LARGEST]
    yield from urls.overlooked
    if urls.unreadable:
        first = next(iter(urls.unreadable.values()))
        n_files = f"{len(urls.unreadable):,} of {len(urls.inputs):,} files"
        yield f"{n_files} could not be read, or not to the end: {first}"


def _shards(frames: Iterable[Frame], shard_rows: int) -> Iterator[Frame]:
    """Yield the rows of *frames* with their slots, in one frame for each shard."""
    waiting, slot = pl.DataFrame(), 0
    for frame in frames:
        waiting = pl.concat([each for each in (waiting, frame) if each.height] or [frame])
        while waiting.height >= shard_rows:
            yield _slotted(waiting.head(shard_rows), slot)
            waiting, slot = waiting.slice(shard_rows), slot + shard_rows
    if waiting.height:
        yield _slotted(waiting, slot)


def _slotted(frame: Frame, first: int) -> Frame:
    slots = pl.int_range(first, first + frame.height, dtype=pl.Int64).alias("slot")
    return frame.with_columns(slots).select(list(LISTED))


def _check_settings(found: Plan, config: AcquireConfig, store: Store) -> None:
    differs = _difference(found.settings, config.plan_settings())
    if differs is not None:
        key, old, new = differs
        raise RunFolderError(
            f"{store.url} holds a plan made with {key}: {old}, not {new}. Set it back, or name another output folder."
        )


def _difference(old: Any, new: Any, where: str = "") -> tuple[str, str, str] | None:
    """Return the first key with different values, and both values.

    >>> _difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": None}})
    ('b.c', '2', 'null')
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return None if old == new else (where, _shown(old), _shown(new))
    for key in {**new, **old}:
        differs = _difference(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{where}.{key}".removeprefix("."))
        if differs is not None:
            return differs
    return None


def _check_inputs(found: Plan, inputs: Iterable[InputFile], store: Store) -> None:
    old = {mark["path"]: mark for mark in found.inputs}
    new = {file.shown: file.mark() for file in inputs}
    for path in {**old, **new}:
        if old.get(path) != new.get(path):
            why = "is new" if path not in old else "is gone" if path not in new else "has changed since"
            raise RunFolderError(
                f"{store.url} holds a plan of another list: {path} {why}. Bring the old files back, or name another "
                "output folder."
            )


def _shown(value: Any) -> str:
    """Return a setting as YAML has it, cut after `MAX_SHOWN` letters."""
    text = "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
