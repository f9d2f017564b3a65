"""The model card of a saved model: Markdown with the front matter that Hugging Face reads."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from counterpoint import number_formats as numbers
from counterpoint.metrics.table import METRICS
from counterpoint.report.first_screen.plain_numbers import milliseconds

LIBRARY = "counterpoint"
TASKS = {("text",): "text-classification", ("image",): "image-classification"}
"""The tasks of Hugging Face.  It has none for pairs, which are tagged."""
LICENCE = "other"
MOST_CLASSES = 12


def card(record: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """Return the model card.

    Parameters
    ----------
    record
        *record* is the record of the saved model.
    results
        *results* is the content of the study's results.json.
    """
    study, primary = record["study"], record["study"]["primary"] or {}
    a, b = primary.get("a"), primary.get("b")
    contrast = next(
        (row for row in results["differences"] if (row["a"], row["b"], row["metric"]) == (a, b, primary.get("metric"))),
        None,
    )
    titles = results["titles"]
    findings = [{**row, "title": titles.get(row["code"], row["subject"])} for row in study["findings"]]
    text = _template().render(
        record=record, study=study, contrast=contrast, findings=findings, scores=_table(study["scores"]),
        cost=_cost(study["costs"], study["rows"]), numbers=numbers, most_classes=MOST_CLASSES, title=_title(record),
        level=numbers.level(study["confidence"]),
    )  # fmt: skip
    return f"---\n{_front_matter(record)}---\n\n{text}"


def _title(record: Mapping[str, Any]) -> str:
    return f"{record['contender']} of the study {record['study']['name']}"


def _front_matter(record: Mapping[str, Any]) -> str:
    modalities = tuple(record["modalities"])
    metrics = [
        {"type": row["metric"], "value": round(row["value"], 4), "name": row["metric"].replace("_", " ")}
        for row in record["study"]["scores"] if row["value"] is not None
    ]  # fmt: skip
    task = {
        "type": TASKS.get(modalities, "other"),
        "name": f"classification by {' and '.join(modalities) or 'nothing'}",
    }
    data = {"name": record["study"]["name"], "type": record["study"]["name"]}
    front = {
        "library_name": LIBRARY,
        "license": LICENCE,
        "license_name": "not-stated",
        **({"pipeline_tag": TASKS[modalities]} if modalities in TASKS else {}),
        "tags": [LIBRARY, record["kind"], *(["multimodal", "image-text-pairs"] if len(modalities) > 1 else [])],
        "model-index": [{"name": _title(record), "results": [{"task": task, "dataset": data, "metrics": metrics}]}],
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _table(scores: list[Mapping[str, Any]]) -> list[dict[str, str]]:
    order = {name: place for place, name in enumerate(METRICS)}
    rows = sorted(scores, key=lambda row: order.get(row["metric"], len(order)))
    return [
        {
            "metric": row["metric"].replace("_", " "),
            "value": numbers.score(row["value"]),
            "interval": numbers.interval(row["low"], row["high"]),
            "n": numbers.count(row["n"]),
        }
        for row in rows
    ]


def _cost(costs: list[Mapping[str, Any]], rows: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the cost of a fit and of a prediction, as the study measured them."""
    if not costs:
        return None
    n = len(costs)
    encode_s = [row.get("encode_s") for row in costs]
    predict_s = sum(row["predict_s"] for row in costs) + sum(each or 0 for each in encode_s)
    n_pairs = rows.get("pairs") or 0
    return {
        "fit": numbers.duration(sum(row["fit_s"] for row in costs) / n),
        "parameters": numbers.count(max(row["parameters"] for row in costs)),
        "predict": milliseconds(predict_s / n / n_pairs) if n_pairs else "",
        "without": "loading pictures" if None not in encode_s else "reading and encoding it",
    }


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("counterpoint.saved"), undefined=StrictUndefined, autoescape=False,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["plain"] = plain
    return environment.get_template("card.md.j2")


def plain(text: object) -> str:
    r"""Return *text* as one line of Markdown without any markup of its own.

    >>> plain("a|b\n<script> [x](http://a)")
    'a\\|b &lt;script&gt; \\[x\\](http://a)'
    """
    one_line = " ".join(str(text).split())
    escaped = re.sub(r"([\\`*_{}\[\]#|])", r"\\\1", one_line)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
