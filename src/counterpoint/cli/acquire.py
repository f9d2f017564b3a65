"""Commands that acquire pairs from a list of URLs, and report the status of each row."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterpoint.cli.ending import interruptible, print_parts, say
from counterpoint.cli.exporting import Classes, Resize, as_list, checked_resize, exported
from counterpoint.cli.settings import Address, Sets, as_sets
from counterpoint.cli.writing import print_notes, write_once
from counterpoint.errors import CounterpointError

if TYPE_CHECKING:
    from counterpoint.acquire.account import Account
    from counterpoint.acquire.acquisition import Acquisition

EXAMPLE = Path(__file__).parents[1] / "acquire.yaml"

AcquireFile = Annotated[Path, typer.Argument(metavar="FILE", help="An acquire file.")]
Out = Annotated[str | None, typer.Option(help="The output folder, in place of the file's: a path or a URL.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow-address", metavar="NET", help="Let this network be reached too: your own 127.0.0.1/32."),
]
Engine = Annotated[str | None, typer.Option(help="Where shards are made: local, inline, ray, or package.module:run.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes (default: one for each core).")]


def new(
    path: Annotated[Path, typer.Argument(help="The acquire file to write.")] = Path("acquire.yaml"),
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="LIST", help="A list of URLs to look at: a file, a folder or a glob."),
    ] = None,
) -> None:
    """Write a commented acquire file: with every setting, or with the settings that fit a list."""
    text = _fitting(path, source) if source else EXAMPLE.read_text(encoding="utf-8")
    write_once(path, text)
    print_notes(text)
    say(f"Wrote {path}.  Read it, then: counterpoint acquire plan {path}")


def plan(file: AcquireFile, *, out: Out = None, allow_address: Allow = None, sets: Sets = None) -> None:
    """Select the rows to fetch, without any network, and print the removals of each rule."""
    with _opened(file, _sets(sets, out), allow_address, "selecting rows") as acquisition:
        made = acquisition.plan()
    for line in made.lines():
        say(line)


def run(
    file: AcquireFile,
    *,
    out: Out = None,
    allow_address: Allow = None,
    engine: Engine = None,
    address: Address = None,
    workers: Workers = None,
    sets: Sets = None,
) -> None:
    """Fetch all rows that wait. After a stop, the same command goes on."""
    given = _sets(sets, out, engine=engine, address=address, workers=workers)
    with _opened(file, given, allow_address, "selecting rows") as acquisition:
        account = acquisition.run()
    _end(account)


def retry(
    file: AcquireFile,
    *,
    out: Out = None,
    allow_address: Allow = None,
    engine: Engine = None,
    address: Address = None,
    workers: Workers = None,
    sets: Sets = None,
) -> None:
    """Try rows with temporary failures again. An hour or a day later is better than at once."""
    given = _sets(sets, out, engine=engine, address=address, workers=workers)
    with _opened(file, given, allow_address, "looking for rows to try again") as acquisition:
        account = acquisition.retry()
    _end(account)


def status(
    file: AcquireFile,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    out: Out = None,
    sets: Sets = None,
) -> None:
    """Print the status of each row, also while another process fetches."""
    import json

    from counterpoint.acquire.acquisition import open_acquisition
    from counterpoint.cli.account import account_json

    account = open_acquisition(file, overrides=_sets(sets, out)).status()
    if as_json:
        typer.echo(json.dumps(account_json(account), indent=1))
    else:
        _print(account)


def export(
    file: AcquireFile,
    layout: Annotated[str, typer.Argument(help="webdataset, imagefolder or study-2023.")],
    where: Annotated[Path, typer.Argument(help="The folder to write. It must be new or empty.")],
    *,
    out: Out = None,
    classes: Classes = None,
    resize: Resize = "bilinear",
    samples_per_tar: Annotated[int, typer.Option(min=1, help="Of webdataset.")] = 10_000,
    sets: Sets = None,
) -> None:
    """Write the acquired rows in another layout."""
    from counterpoint.acquire.acquisition import open_acquisition
    from counterpoint.acquire.export import ExportRules
    from counterpoint.progress import progress

    rules = ExportRules(as_list(classes), checked_resize(resize), samples_per_tar)
    acquisition = open_acquisition(file, overrides=_sets(sets, out))
    with interruptible(lambda: "nothing was written"), progress() as on_progress:
        account = acquisition.export(layout, where, rules=rules, on_count=lambda *done: on_progress("exporting", *done))
    say(exported(account, where))


# Shared by the commands.


def _fitting(path: Path, source: str) -> str:
    from counterpoint.acquire.lists.infer import acquire_file

    return acquire_file(path, source)


def _sets(
    sets: Sequence[str] | None,
    out: str | None,
    *,
    engine: str | None = None,
    address: str | None = None,
    workers: int | None = None,
) -> tuple[str, ...]:
    """Return the settings that the options change. A folder on the command line is relative to the working folder."""
    folder = str(Path(out).expanduser().absolute()) if out is not None and "://" not in out else out
    given = {"output": folder, "run.engine": engine, "run.address": address, "run.workers": workers}
    return (*(sets or ()), *as_sets(given))


@contextmanager
def _opened(path: Path, sets: tuple[str, ...], allow: Sequence[str] | None, activity: str) -> "Iterator[Acquisition]":
    from counterpoint.acquire.acquisition import Acquisition
    from counterpoint.cli.watching import watching
    from counterpoint.config.acquire import read_acquire

    config = read_acquire(path, sets)
    if allow:
        networks = (*config.guard.allow_address, *(network for network in allow))
        config = config.model_copy(
            update={"guard": config.guard.model_copy(update={"allow_address": tuple(dict.fromkeys(networks))})}
        )
    acquisition = Acquisition(config)
    with interruptible(lambda: _kept(acquisition)), watching(activity) as on_account:
        acquisition.on_account = on_account
        yield acquisition


def _kept(acquisition: "Acquisition") -> str:
    """Return a description of the rows that an interrupted run leaves."""
    try:
        account = acquisition.status()
    except CounterpointError:
        return "nothing was planned yet"
    return f"{account.done:,} of {account.n_rows:,} rows are kept in {acquisition.config.output}"


def _end(account: "Account") -> None:
    """Print *account*. Exit with 1 when the guard refused every row, so that a script does not go on."""
    _print(account)
    if account.is_all_blocked:
        raise typer.Exit(1)


def _print(account: "Account") -> None:
    from counterpoint.cli.account import summary

    print_parts(summary(account))
