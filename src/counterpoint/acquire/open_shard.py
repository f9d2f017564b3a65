"""One shard under way: the slots to fetch, the result of each, and the commit after the last."""

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import polars as pl

from counterpoint.acquire.agreement import LOW, AgreementRule
from counterpoint.acquire.decoder_crashes import DecoderCrashes, crashes_path
from counterpoint.acquire.event_log import EventLog
from counterpoint.acquire.shard_writer import ShardWriter
from counterpoint.acquire.statuses import OK, retryable
from counterpoint.acquire.transcode import SlotOutcome, transcode
from counterpoint.acquire.web.fetch import Request
from counterpoint.acquire.web.fetch_result import FetchResult
from counterpoint.config.acquire import AcquireConfig
from counterpoint.features.decode import Limits
from counterpoint.formats.shard_markers import Marker, shard_name
from counterpoint.formats.shards import read_listed, read_shard
from counterpoint.redaction import redacted_text
from counterpoint.rules import cleaned
from counterpoint.schema import Frame
from counterpoint.store import Store


class OpenShard:
    """A shard whose slots are being fetched and decoded. Several decoders may call `add_result` at once.

    Parameters
    ----------
    listed
        *listed* are the slots to acquire: all slots of the plan's list, or the slots that are tried again.
    shard
        *shard* is the number of the shard.
    generation
        *generation* is the number of retries before.
    replaces
        *replaces* counts the earlier statuses of the slots, when they are tried again.
    config
        *config* is the acquire file.
    store
        *store* is the output folder.
    """

    def __init__(
        self,
        listed: Frame,
        *,
        shard: int,
        generation: int,
        replaces: Mapping[str, int],
        config: AcquireConfig,
        store: Store,
    ) -> None:
        name = shard_name(shard, generation)
        self._listed, self._replaces, self._config, self._store = listed, replaces, config, store
        self._places = {slot: place for place, slot in enumerate(listed["slot"])}
        self._expected = dict(listed.select("slot", "sha256_expected").drop_nulls().iter_rows())
        self._limits = Limits(**config.decode.model_dump())
        least = config.select.agreement
        self._agreement = None if least is None else AgreementRule(least)
        self._texts = dict(listed.select("slot", cleaned(pl.col("text"))).iter_rows()) if self._agreement else {}
        self._writer = ShardWriter(listed, shard=shard, generation=generation, kept=config.keep)
        crashes = crashes_path(store, name)
        self._crashes = DecoderCrashes(crashes, len(listed), max_decode_s=self._limits.max_decode_s)
        self._statuses: Counter[str] = Counter()
        self.n_rows, self.n_bytes = len(listed), 0
        self._retries, self._began_s = 0, time.monotonic()
        self._changing, self._is_committed = threading.Lock(), False
        self._log = EventLog(store, f"events/{name}.jsonl")
        # The plan does not fix these settings, so the log of each shard records them.
        rules = config.model_dump(mode="json", include={"guard", "fetch"})
        self._log.record("begun", rows=self.n_rows, machine=socket.gethostname(), pid=os.getpid(), **rules)
        self._log.flush()

    def requests(self) -> Iterator[Request]:
        """Yield the requests, in an order in which the slots of each host lie evenly apart."""
        for slot, url in interleaved_hosts(self._listed).select("slot", "url").iter_rows():
            yield Request(slot, url or "")

    def add_result(self, result: FetchResult) -> bool:
        """Store the result of a slot, and return whether it was the last of the shard."""
        outcome = self._outcome(result)
        with self._changing:
            self._writer.add(result.slot, outcome, result.http_code)
            self._statuses[outcome.status] += 1
            self.n_bytes += len(result.body)
            return self._writer.n_left == 0

    def _outcome(self, result: FetchResult) -> SlotOutcome:
        place = self._places[result.slot]
        if result.status != OK:
            return SlotOutcome(result.status)
        if (status := self._crashes.status(place)) is not None:
            self.record("not_decoded_again", slot=result.slot, status=status)
            return SlotOutcome(status)
        try:
            return self._decoded(result, place)
        except Exception as error:  # an unexpected error at one slot must not end the others
            self.record("internal_error", slot=result.slot, error=redacted_text(f"{type(error).__name__}: {error}"))
            return SlotOutcome("internal")

    def _decoded(self, result: FetchResult, place: int) -> SlotOutcome:
        expected, rule = self._expected.get(result.slot), self._agreement
        with self._crashes.decoding(place):
            outcome = transcode(result.body, limits=self._limits, kept=self._config.keep, sha256_expected=expected)
            pixels = rule.pixels(result.body) if rule and outcome.status == OK else None
        if rule is None or pixels is None:
            return outcome
        agreement = rule.agreement(self._texts[result.slot], pixels)
        outcome = outcome._replace(agreement=agreement)
        return outcome._replace(status=LOW, image=None) if rule.is_low(agreement) else outcome

    def record(self, event: str, **fields: Any) -> None:
        """Record an event in the shard's log. A transfer that is tried again is counted."""
        self._retries += event == "tried_again"
        self._log.record(event, **fields)

    def report(self) -> None:
        """Record the progress of the shard and flush its log. A committed shard reports nothing more."""
        with self._changing:
            if self._is_committed:
                return
            rows, statuses, n_bytes = self._statuses.total(), dict(self._statuses), self.n_bytes
            self._log.record("progress", rows=rows, bytes=n_bytes, statuses=statuses)
        self._log.flush()

    def commit(self) -> None:
        """Write the shard, then its marker. The marker makes the shard final."""
        marker = self._writer.commit(self._store, duplicates=self._config.duplicates, replaces=self._replaces)
        self._crashes.forget()
        rows, took_s = self.n_rows, time.monotonic() - self._began_s
        with self._changing:
            self._is_committed = True
            self._log.record(
                "committed", rows=rows, bytes=self.n_bytes, seconds=round(took_s, 3),
                rows_per_s=round(rows / took_s, 1), attempts=rows + self._retries,
                statuses=marker.statuses, worst_hosts=marker.failing_hosts,
            )  # fmt: skip
        self._log.flush()

    def abandon(self) -> None:
        """Close all open files. The shard will start again."""
        with suppress(OSError):  # a full disk cannot take the unwritten bytes, which are not needed
            self._writer.close()
        self._crashes.close()


def open_shard(store: Store, config: AcquireConfig, shard: int, generation: int) -> OpenShard | None:
    """Return *shard*, opened for *generation*, or None when nothing is left to do.

    Nothing is left when the shard is committed for this generation, or when no slot of it is to be tried again.

    Parameters
    ----------
    store
        *store* is the output folder.
    config
        *config* is the acquire file.
    shard
        *shard* is the number of the shard.
    generation
        *generation* is 0 for the first run, and counts the retries.
    """
    if Marker.read(store, shard, generation) is not None:
        return None
    listed, replaces = read_listed(store, shard), dict[str, int]()
    if generation:
        earlier = list(filter(None, (Marker.read(store, shard, before) for before in range(generation))))
        if not earlier:
            return None
        tried_again = retryable(config.guard.allow_address)
        again = read_shard(store, earlier).filter(pl.col("status").is_in(tried_again))
        listed = listed.join(again, on="slot", how="semi")
        replaces = dict(again["status"].value_counts().iter_rows())
    if listed.is_empty():
        return None
    return OpenShard(listed, shard=shard, generation=generation, replaces=replaces, config=config, store=store)


def interleaved_hosts(listed: Frame) -> Frame:
    """Return the rows of *listed* in a fixed order in which the rows of each host lie evenly apart.

    >>> listed = pl.DataFrame({"slot": range(6), "host": ["a", "a", "a", "a", "b", "b"]})
    >>> order = "".join(interleaved_hosts(listed)["host"])
    >>> len(order), "aaa" in order, "bb" in order
    (6, False, False)
    """
    # Each host has an offset of its own, or all hosts with one row would come in the middle.
    begins = pl.col("host").hash(seed=0) / 2.0**64
    return listed.sort((pl.int_range(pl.len()).over("host") + begins) / pl.len().over("host"), "slot")
