"""The files of an exported contender, written as a whole or not at all, and a few predictions of them."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
from PIL import Image

from counterpoint.artifacts import why_not_written
from counterpoint.config import Text
from counterpoint.contenders.inputs import with_masks
from counterpoint.errors import CounterpointError, RunFolderError
from counterpoint.metrics import find_metric
from counterpoint.metrics.decision import divisors
from counterpoint.onnx_export import reader
from counterpoint.onnx_export.encoder_graphs import encoder_files
from counterpoint.onnx_export.graph import Graph, Port
from counterpoint.onnx_export.inputs import Inputs
from counterpoint.onnx_export.probabilities import name_of, probabilities
from counterpoint.onnx_export.text_patterns import mask_pattern, small_letters, space_pattern, word_pattern

MODEL, PREPROCESSING, READER = "model.onnx", "preprocessing.json", "reader.py"
FORMAT = 1
"""The version of ``preprocessing.json``."""
MOST_DIFFERENCE = 1e-4
"""The largest difference of a probability between a contender and its export."""
_TEXTS = ("", " ", "a", "Two red FOXES, don't!", "Žluťoučký kůň 红狐狸", None)


def write(model: Any, where: Path, *, text_rules: Text, metric: str) -> dict[str, Any]:
    """Write the files of a fitted contender, and return the account of `export_onnx`.

    Parameters
    ----------
    model
        *model* is the contender.
    where
        *where* is the folder, which is new or empty.
    text_rules, metric
        *text_rules* and *metric* are those of `export_onnx`.
    """
    settings, files = _contents(model, text_rules, metric)
    place = Path(os.path.realpath(where))  # a link may lead to an empty folder
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # In a folder that exists, because the folder around it may be another disk.
        around = place if place.exists() else place.parent
        with tempfile.TemporaryDirectory(prefix=".export-", dir=around) as folder:
            draft = Path(folder) / "draft"
            draft.mkdir()
            for name, data in files.items():
                (draft / name).write_bytes(data)
            difference = largest_difference(model, draft, text_rules)
            _move(draft, place)
    except OSError as error:
        raise RunFolderError(why_not_written(where, error)) from error
    return {
        "contender": settings["contender"],
        "classes": settings["classes"],
        "files": {name: len(data) for name, data in sorted(files.items())},
        "bytes": sum(map(len, files.values())),
        "graphs": {name: _graph_account(data) for name, data in files.items() if name.endswith(".onnx")},
        "packages": settings["packages"],
        "largest_difference": difference,
    }


def _move(draft: Path, place: Path) -> None:
    """Move *draft* to *place*, or its files into *place* where that exists: another program may be in it."""
    if not place.exists():
        draft.replace(place)
        return
    for path in sorted(draft.iterdir(), key=lambda path: path.name == PREPROCESSING):  # without which no reader begins
        path.replace(place / path.name)


def largest_difference(model: Any, folder: Path, text_rules: Text) -> float:
    """Return the largest difference of a probability between a contender and its export, on a few pairs.

    Parameters
    ----------
    model
        *model* is the contender.
    folder
        *folder* is the folder of the export.
    text_rules
        *text_rules* are the words that are taken out of every text.

    Raises
    ------
    CounterpointError
        When it is above `MOST_DIFFERENCE`.
    """
    exported = reader.Reader(folder)
    with tempfile.TemporaryDirectory() as place:
        image = Path(place) / "ramp.jpg"
        ramp = np.add.outer(np.arange(400), np.arange(600)) % 256
        Image.fromarray(ramp.astype(np.uint8)).convert("RGB").save(image)
        rows = [(text, path) for path in (None, str(image)) for text in _TEXTS]
        found = np.array([list(exported.predict(*row).values()) for row in rows])
        expected = model.predict_proba(
            with_masks(pl.DataFrame(rows, dict.fromkeys(("text", "image"), pl.String), orient="row"), text_rules)
        )
    difference = float(np.abs(found - expected).max())
    if not difference <= MOST_DIFFERENCE:
        raise CounterpointError(
            f"The export of {name_of(model)} differs by {difference:.2g} in a probability, at most {MOST_DIFFERENCE:g}."
        )
    return difference


def _contents(model: Any, text_rules: Text, metric: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the settings of the reader, and the content of each file by its name."""
    power = find_metric(metric).share_power
    graph = Graph()
    inputs = Inputs(graph)
    chances = probabilities(model, graph, inputs)
    classes = [str(label) for label in model.classes_]
    output = {"probabilities": (chances, Port("double", ("batch", len(classes))))}
    read = sorted({made["encoder"] for made in inputs.settings.values() if "encoder" in made})
    files, encoders = encoder_files(read)
    files[MODEL] = graph.finished(output).SerializeToString()
    settings = {
        "format": FORMAT,
        "contender": name_of(model),
        "classes": classes,
        "decision": {
            "metric": metric, "share_power": power, "class_shares": model.class_shares_.tolist(),
            "divisors": dict(zip(classes, divisors(model.class_shares_, power).tolist(), strict=True)),
        },
        "text": _text_settings(text_rules),
        "inputs": inputs.settings,
        "encoders": encoders,
        "packages": _packages(inputs.settings),
        "files": {name: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()},
    }  # fmt: skip
    files[PREPROCESSING] = json.dumps(settings, ensure_ascii=False).encode()
    files[READER] = Path(reader.__file__).read_bytes()
    return settings, files


def _text_settings(rules: Text) -> dict[str, Any]:
    return {
        "word": word_pattern(),
        "small_letters": small_letters(),
        "space": space_pattern(),
        "mask": mask_pattern(rules),
        "masked_words": list(rules.mask),
        "match": rules.match,
        "ignore_case": rules.ignore_case,
    }


def _packages(inputs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the packages that the reader needs."""
    kinds = {made["kind"] for made in inputs.values()}
    others = {"text_vector": "tokenizers", "image_vector": "simplejpeg", "pixels": "simplejpeg"}
    return sorted({"numpy", "pillow", "onnxruntime", *(package for kind, package in others.items() if kind in kinds)})


def _graph_account(data: bytes) -> dict[str, Any]:
    """Return the inputs, outputs, operators and the number of constants of a graph."""
    graph = onnx.load_from_string(data).graph
    return {
        "inputs": [each.name for each in graph.input],
        "outputs": [each.name for each in graph.output],
        "operators": dict(sorted(Counter(node.op_type for node in graph.node).items())),
        "constants": sum(int(np.prod(each.dims)) for each in graph.initializer),
    }
