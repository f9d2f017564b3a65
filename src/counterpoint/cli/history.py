"""The command that judges a training by its learning curves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from counterpoint.cli.ending import say
from counterpoint.errors import ConfigError

if TYPE_CHECKING:
    from counterpoint.measures.learning_curves import Judgement


def check_history(
    history: Annotated[
        Path,
        typer.Argument(help="Epoch, loss and accuracy of training and validation: a log of Keras, history.parquet."),
    ],
    *,
    shares: Annotated[
        str | None, typer.Option(help="Class shares of the validation rows, as in 0.58,0.42 (default: even).")
    ] = None,
    rows: Annotated[int | None, typer.Option(help="The number of validation rows (default: 1,000).")] = None,
    classes: Annotated[
        int | None, typer.Option(help="The number of classes (default: as many as --shares, or 2).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Judge a training by its learning curves: learned, memorised, or evaluated on rows that are not its own."""
    import json

    from counterpoint.measures.history_files import read_history, validation_rows
    from counterpoint.measures.learning_curves import judged

    described = validation_rows(_shares(shares), n=rows, n_classes=classes)
    found = {name: judged(curves, described) for name, curves in read_history(history).items()}
    if as_json:
        typer.echo(json.dumps([_row(name, each) for name, each in found.items()], indent=1))
        return
    if shares is None:
        say("counterpoint: The classes are taken to be even. Give their shares: --shares 0.58,0.42", err=True)
    for name, each in found.items():
        say(f"{name}: {each.answer}: {each.reason}" if name else f"{each.answer}: {each.reason}")


def _shares(given: str | None) -> list[float] | None:
    if given is None:
        return None
    try:
        return [float(each) for each in given.split(",")]
    except ValueError:
        raise ConfigError(f"--shares is {given!r}. Give one share for each class, such as 0.58,0.42.") from None


def _row(name: str, judgement: "Judgement") -> dict[str, Any]:
    low, high = judgement.chance
    return {
        "training": name or None,
        "answer": judgement.answer,
        "reason": judgement.reason,
        "chance_agreement": {"low": round(low, 4), "high": round(high, 4)},
        "other_rows": None if judgement.other_rows is None else round(judgement.other_rows, 4),
    }
