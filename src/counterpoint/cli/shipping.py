"""Commands that take a contender of a finished study along: save it, and predict new pairs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from counterpoint.cli.ending import interruptible, say
from counterpoint.errors import ConfigError
from counterpoint.runs.places import RESULTS

if TYPE_CHECKING:
    from counterpoint.saved.new_rows import NewRows

Trust = Annotated[
    list[str] | None, typer.Option(help="A class of your own whose fits are read, such as my_lab.bayes:CharBayes.")
]


def save(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/openmoji.")],
    *,
    to: Annotated[Path, typer.Option("--to", help="The folder to write.  It must be new or empty.")],
    contender: Annotated[
        str | None, typer.Option(help="A contender of that study (default: the one that the answer recommends).")
    ] = None,
    fit: Annotated[
        str | None, typer.Option(help="One fit of the study, such as seed-0.fold-2 (default: a new fit to all rows).")
    ] = None,
) -> None:
    """Save a contender of a finished study as a model to use, with its scores, its doubts and a model card."""
    from counterpoint.progress import progress
    from counterpoint.saved.save import save as save_model

    with interruptible(lambda: "finished work is kept"), progress() as on_progress:
        record = save_model(run_folder, to, contender=contender, fit=fit, on_progress=on_progress)
    trained = record["trained_on"]
    say(f"Saved {record['contender']} in {to}: {trained['why']}.")
    say(
        f"It is {_fit_named(trained['fit'])}: {trained['train']:,} pairs trained it, and {trained['validation']:,} "
        "calibrated it."
    )
    doubt = record["study"]["answer"].get("doubt")
    if doubt:
        say(f"The study has a doubt. {doubt}")
    say(f"Next: counterpoint predict {to} --table new.csv --out predictions.parquet")


def _fit_named(fit: str) -> str:
    return "a new fit to all pairs of the study" if fit == "all rows" else f"the fit {fit} of the study"


def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A saved model, or a run folder.")],
    contender: Annotated[str | None, typer.Argument(help="A contender, where DIR is a run folder.")] = None,
    *,
    text: Annotated[str | None, typer.Option(help="The text of one pair.")] = None,
    image: Annotated[str | None, typer.Option(metavar="FILE", help="The image of one pair.")] = None,
    table: Annotated[Path | None, typer.Option(help="A table of pairs, a folder with a table, or tar shards.")] = None,
    images: Annotated[
        Path | None, typer.Option("--folder", help="A folder of images, each with the text of x.txt next to x.jpg.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file of the predictions: .parquet, .csv or .jsonl.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Parts of the rows at a time (default: one a core).")
    ] = None,
    trust: Trust = None,
) -> None:
    """Predict the classes of new pairs with a saved model, or of one pair with a contender of a run folder."""
    from counterpoint.engines.late_modules import UNNEEDED, load_late

    given = [name for name, value in (("--table", table), ("--folder", images)) if value is not None]
    picture = _image_file(image)
    _check_given(given, text, picture, workers)
    if contender is None:
        _check_no_run(folder)
    load_late(*UNNEEDED)
    if contender is not None:
        _check_run_can(folder, contender, out, is_table=bool(given))
        _predict_with_run(folder, contender, text=text, image=picture, trust=trust)
    elif given:
        _predict_rows(folder, table, images, _named(out, given[0]), workers=workers, trust=trust)
    else:
        _predict_pair(folder, text, picture, out, trust)


def _check_no_run(folder: Path) -> None:
    from counterpoint.saved.record import holds_model

    if not holds_model(folder) and (folder / RESULTS).exists():
        raise ConfigError(
            f"{folder} is a run folder. Name a contender after it, or save one: counterpoint save {folder} --to DIR."
        )


def _image_file(given: str | None) -> Path | None:
    """Return the file that --image names: by its path, or by a URL of this machine, as in an image column of a table.

    >>> _image_file("my%20photo.jpg"), _image_file("file:///my%20photo.jpg")
    (PosixPath('my%20photo.jpg'), PosixPath('/my photo.jpg'))
    """
    from counterpoint.formats.image_paths import file_of_url, is_address

    if given is None:
        return None
    if not given.strip():
        raise ConfigError("--image is empty. Name an image file, or leave it out.")
    if (place := file_of_url(given)) is not None:
        return Path(place)
    if is_address(given):
        raise ConfigError(f"--image {given} is an address. Fetch the image, and name its file.")
    return Path(given)


def _check_given(given: list[str], text: str | None, image: Path | None, workers: int | None) -> None:
    from counterpoint.formats.tables import is_text

    if len(given) > 1 or (given and (text is not None or image is not None)):
        raise ConfigError("Give one of --table, --folder, or a pair with --text and --image.")
    if text is not None and not is_text(text):
        raise ConfigError("--text is not UTF-8.")
    if workers is not None and not given:
        raise ConfigError("--workers is for --table and --folder: one pair is predicted at once. Leave it out.")


def _named(out: Path | None, given: str) -> Path:
    if out is None:
        raise ConfigError(f"{given} needs --out with the file to write, such as predictions.parquet.")
    return out


def export_model(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A saved model.")],
    *,
    onnx: Annotated[Path, typer.Option("--onnx", help="The folder to write.  It must be new or empty.")],
    trust: Trust = None,
) -> None:
    """Export a saved model as ONNX graphs, with a small reader that needs no Counterpoint."""
    from counterpoint.config import Text
    from counterpoint.onnx_export import export_onnx
    from counterpoint.saved.model import open_saved

    saved = open_saved(folder, trusted=trust or ())
    rules = Text.model_validate(saved.record["text"])
    account = export_onnx(saved.model, onnx, text_rules=rules, metric=saved.record["metric"])
    say(f"Wrote {onnx}: {', '.join(account['files'])} ({account['bytes'] / 1e6:.1f} MB).")
    say(f"On twelve pairs its probabilities differ by {account['largest_difference']:.1g} at most.")
    say(f'Next: pip install {" ".join(account["packages"])}; python {onnx / "reader.py"} --text "…" --image x.jpg')


def _check_run_can(folder: Path, contender: str, out: Path | None, *, is_table: bool) -> None:
    save_first = f"save the contender first: counterpoint save {folder} --contender {contender} --to DIR."
    if is_table:
        raise ConfigError(f"A run folder predicts one pair. For a table or a folder of images {save_first}")
    if out is not None:
        raise ConfigError(f"A run folder writes no predictions. For --out {save_first}")


def _predict_with_run(
    folder: Path, contender: str, *, text: str | None, image: Path | None, trust: list[str] | None
) -> None:
    from counterpoint.metrics.table import can_import
    from counterpoint.saved.class_of_pair import class_of_pair, metric_of
    from counterpoint.saved.predict_pair import predict_pair

    chances = predict_pair(folder, contender, text=text, image=image, trusted=trust or ())
    metric = metric_of(folder)
    if can_import(metric, trust or ()):
        _print_class(class_of_pair(folder, chances, metric=metric), chances, metric)
    else:
        say(f"The predicted class is not known: {metric} is a metric from outside. Name it with --trust.")
        _print_chances(chances)


def _predict_pair(
    folder: Path, text: str | None, image: Path | None, out: Path | None, trust: list[str] | None
) -> None:
    from counterpoint.features.shaped_images import why_unreadable
    from counterpoint.saved.file_of_pair import predict_to_row
    from counterpoint.saved.model import open_saved
    from counterpoint.saved.prediction_file import check_new
    from counterpoint.saved.record import check_outside

    if out is not None:
        check_new(out)
        check_outside(folder, out)
    saved = open_saved(folder, trusted=trust or ())
    needed = saved.modalities
    if needed and all({"text": text, "image": image}[name] is None for name in needed):
        raise ConfigError(f"The model reads {' and '.join(needed)}. Give --{' or --'.join(needed)}.")
    if image is not None and (why := why_unreadable(str(image.absolute()))):
        raise ConfigError(f"--image {image} cannot be read: {why}.")
    row = predict_to_row(saved, text, image, out)
    _print_class(row["label"], {name: row[f"p_{name}"] for name in saved.classes}, saved.record["metric"])
    for modality in needed:
        if row[f"is_{modality}_missing"]:
            say(f"The {modality} is missing.")
        elif row[f"is_{modality}_unlike"]:
            say(f"The {modality} is unlike those of training: do not trust this without a look.")
    if out is not None:
        say(f"Predicted 1 row: {out}")


def _print_class(label: str, chances: dict[str, float], metric: str) -> None:
    """Print the predicted class of one pair, the reason where another is more probable, and all probabilities."""
    from counterpoint.metrics.decision import why_less_probable

    say(f"The predicted class is {label}.")
    if reason := why_less_probable(label, chances, metric):
        say(reason)
    _print_chances(chances)


def _print_chances(chances: dict[str, float]) -> None:
    for name, chance in chances.items():
        say(f"{chance:.3f}  {name}")


def _predict_rows(
    folder: Path, table: Path | None, images: Path | None, out: Path, *, workers: int | None, trust: list[str] | None
) -> None:
    from counterpoint.saved.prediction_file import check_ending

    check_ending(out)
    from counterpoint.progress import progress
    from counterpoint.saved.predict_rows import predict_rows

    with (
        interruptible(lambda: "finished parts are kept"),
        progress() as on_progress,
        _rows(table, images, folder) as rows,
    ):
        n = predict_rows(folder, rows, out, trusted=trust or (), workers=workers, on_progress=on_progress)
    for note in rows.notes:
        say(note)
    say(f"Predicted {n:,} rows: {out}")


@contextmanager
def _rows(table: Path | None, images: Path | None, folder: Path) -> "Iterator[NewRows]":
    from counterpoint.saved.image_folder import rows_of_folder
    from counterpoint.saved.new_rows import rows_of_table
    from counterpoint.saved.record import read_record

    record = read_record(folder)
    reads = {"modalities": record["modalities"], "encoders": [each["name"] for each in record["encoders"]]}
    with TemporaryDirectory(prefix="counterpoint-") as work:
        if images is not None:
            yield rows_of_folder(images, Path(work))
        elif table is not None:
            yield rows_of_table(table, Path(work), **reads)
