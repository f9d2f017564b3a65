"""The learning curves of a study as event files of TensorBoard: one folder for each fit and branch."""

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from counterpoint.track.finished_study import FinishedStudy, safe_name

FOLDER = "tensorboard"
TAGS: Mapping[str, str] = {
    "loss/train": "train_loss",
    "loss/validation": "valid_loss",
    "loss/validation after scaling": "scaled_loss",
    "accuracy/train": "train_score",
    "accuracy/validation": "valid_score",
    "gradient norm": "gradient_norm",
}
"""The columns of schema.HISTORY by the tag of their curve."""


def write_curves(study: FinishedStudy) -> str:
    """Write the learning curves of *study* into the folder ``tensorboard`` of its run folder, and return its path.

    Event files of an earlier run of the study are replaced.

    Raises
    ------
    ModuleNotFoundError
        When tensorboard is not installed.
    """
    from tensorboard.summary import Writer  # noqa: PLC0415 - an extra

    folder = study.root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    n_curves = 0
    for name, rows in _fits(study):
        writer = Writer(str(folder / name))
        for row in rows:
            for tag, column in TAGS.items():
                if row[column] is not None:
                    writer.add_scalar(tag, row[column], row["epoch"])
        writer.close()
        n_curves += 1
    if not n_curves:
        return "no contender has learning curves"
    return f"tensorboard --logdir {folder}"


def _fits(study: FinishedStudy) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    keys = ["contender", "seed", "fold", "branch"]
    for own in study.history.partition_by(keys, maintain_order=True):
        first = own.row(0, named=True)
        branch = "" if first["branch"] in (None, "joint") else f".{first['branch']}-branch"
        name = f"{first['contender']}.seed-{first['seed']}.fold-{first['fold']}{branch}"
        yield safe_name(name), own.sort("epoch").to_dicts()
