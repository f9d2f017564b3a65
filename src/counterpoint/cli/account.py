"""The account of an acquisition: one line during a run, a table on demand, JSON for programs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from counterpoint.acquire.statuses import OK, RETRYABLE
from counterpoint.number_formats import rough_duration
from counterpoint.safe_text import terminal_text

if TYPE_CHECKING:
    from counterpoint.acquire.account import Account, Pace

DERIVED = ("done", "waiting", "ok", "retryable", "success_share")
N_STATUSES, N_HOSTS = 4, 2
"""The numbers of statuses and of hosts in a line."""


def account_json(account: "Account") -> dict[str, Any]:
    """Return *account* with its derived values, for programs."""
    return asdict(account) | {name: getattr(account, name) for name in DERIVED}


def line(account: "Account") -> str:
    """Return *account* in one line: progress, share of ok, speed, time left, and the most frequent failures.

    >>> from counterpoint.acquire.account import Account, Pace
    >>> pace = Pace(rows_per_s=301.2, mb_per_s=9.44, seconds_left=37)
    >>> line(Account(12_000, {"ok": 900, "http_404": 100}, in_flight=200, pace=pace))
    '1,200 of 12,000 rows, 90.0 % ok, 301 rows/s, 9.4 MB/s, 37 s left; http_404 100'
    """
    failed = ((status, n) for status, n in account.statuses.items() if status != OK)
    parts = [_how_far(account), _how_good(account), *_how_fast(account.pace)]
    after = [_most(failed, N_STATUSES), _most(account.worst_hosts.items(), N_HOSTS, before="worst hosts: ")]
    return "; ".join(filter(None, [", ".join(filter(None, parts)), *after]))


def _how_far(account: "Account") -> str:
    if account.in_flight and not account.waiting:
        return f"{account.in_flight:,} of {account.retryable:,} rows tried again"
    return f"{account.done + account.in_flight:,} of {account.n_rows:,} rows"


def _how_good(account: "Account") -> str:
    return "" if account.success_share is None else f"{percent(account.success_share)} ok"


def _how_fast(pace: "Pace") -> list[str]:
    if not pace.rows_per_s:
        return []
    left = [] if pace.seconds_left is None else [f"{rough_duration(pace.seconds_left)} left"]
    return [f"{pace.rows_per_s:,.0f} rows/s", f"{pace.mb_per_s:,.1f} MB/s", *left]


def _most(counts: Iterable[tuple[str, int]], n: int, *, before: str = "") -> str:
    text = ", ".join(f"{terminal_text(name)} {count:,}" for name, count in islice(counts, n))
    return f"{before}{text}" if text else ""


def summary(account: "Account") -> Iterator[RenderableType]:
    """Yield *account* as a table of statuses, the worst hosts, the pace, and the next command."""
    yield _statuses(account)
    if account.worst_hosts:
        yield _hosts(account.worst_hosts)
    if account.pace.rows_per_s_overall:
        yield _pace(account)
    if account.waiting and not account.is_running:
        yield f"{_rows(account.waiting)} wait: `counterpoint acquire run` goes on from there."
    elif account.retryable and not account.is_running:
        yield f"`counterpoint acquire retry` would try {_rows(account.retryable)} again."
    if account.n_blocked > account.done / 2:
        yield refused(account)


def refused(account: "Account") -> str:
    """Return the reason why the guard refused addresses, and the setting that allows them.

    >>> from counterpoint.acquire.account import Account
    >>> refused(Account(1, {"blocked_address": 1}))
    'The guard refused 1 row: its host has no public address.  If that network is your own, name it in
    guard.allow_address or by --allow-address NET (such as 127.0.0.1/32), then: counterpoint acquire retry'
    """
    hosts = "its host has" if account.n_blocked == 1 else "their hosts have"
    return (
        f"The guard refused {_rows(account.n_blocked)}: {hosts} no public address.  If that network is your own, name "
        "it in guard.allow_address or by --allow-address NET (such as 127.0.0.1/32), then: counterpoint acquire retry"
    )


def _rows(n: int) -> str:
    return f"{n:,} row" if n == 1 else f"{n:,} rows"


def _statuses(account: "Account") -> Table:
    table = _counts("status", "retry")
    for status, n in account.statuses.items():
        table.add_row(Text(terminal_text(status)), f"{n:,}", _share(n, account), "again" if status in RETRYABLE else "")
    if account.waiting:
        under_way = f"{account.in_flight:,} under way" if account.in_flight else ""
        table.add_row("waiting", f"{account.waiting:,}", _share(account.waiting, account), under_way)
    table.add_section()
    table.add_row("all rows", f"{account.n_rows:,}", "", "")
    return table


def _hosts(hosts: Mapping[str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("hosts that failed most", overflow="fold")
    table.add_column("failures", justify="right", no_wrap=True)
    for host, n in hosts.items():
        table.add_row(Text(terminal_text(host) or "(none)"), f"{n:,}")
    return table


def _counts(kind: str, remark: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(kind)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column(remark)
    return table


def _pace(account: "Account") -> str:
    pace = account.pace
    if account.is_running:
        return f"Running: {', '.join(_how_fast(pace)) or 'has just begun'}."
    return f"The newest run: {pace.rows_per_s_overall:,.0f} rows/s, {pace.mb_per_s_overall:,.1f} MB/s."


def _share(n: int, account: "Account") -> str:
    return percent(n / account.n_rows)


def percent(share: float) -> str:
    """Return a share in percent. A share below 1 is never shown as 100 %, and a share above 0 never as 0 %.

    >>> percent(0.25), percent(0.99999), percent(0.00001), percent(1.0)
    ('25.0 %', '> 99.9 %', '< 0.1 %', '100 %')
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share > 0.9995:
        return "> 99.9 %"
    return f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"
