"""The last sections of the page: costs, and how to reproduce the study."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.metrics import Metric, find_metric
from counterpoint.report import glossary
from counterpoint.report.contenders import Contenders
from counterpoint.schema import Frame

Content = dict[str, Any]


def costs_section(table: Frame, contenders: Contenders) -> list[Content]:
    """Return the cost of a fit of each contender: the median over its fits, and the range."""
    summary = table.group_by("contender").agg(
        pl.len().alias("fits"),
        pl.col("fit_s").sum().alias("total_s"),
        *(pl.col(name).median().alias(name) for name in ("epochs", "parameters", "trials", "fit_s", "predict_s")),
        pl.col("fit_s").min().alias("least_s"),
        pl.col("fit_s").max().alias("most_s"),
        pl.col("epochs").min().alias("least_epochs"),
        pl.col("epochs").max().alias("most_epochs"),
    )  # fmt: skip
    rows = {row["contender"]: row for row in summary.to_dicts()}
    return [rows[name] for name in contenders if name in rows]


def reproduction_section(results: Mapping[str, Any], *, seeds: Sequence[int], split_seed: int) -> Content:
    """Return the command, the study file, the versions, the seeds and the hash that give the same bytes again.

    Parameters
    ----------
    results
        *results* is the content of results.json.
    seeds
        *seeds* are the seeds of the fits.
    split_seed
        *split_seed* is the seed of the split.
    """
    environment = {"counterpoint": results.get("version")} | (results.get("environment") or {})
    return {
        "command": run_command(results),
        "config": results.get("config"),
        "config_hash": results.get("config_hash"),
        "environment": plain_values(environment),
        "seeds": seeds,
        "split_seed": split_seed,
        "took": _took(results.get("seconds")),
    }


def run_command(results: Mapping[str, Any]) -> str:
    """Return the command that makes the results again.

    >>> run_command({"study": "photos"})
    'counterpoint run photos.yaml'
    """
    return f"counterpoint run {results.get('study')}.yaml"


def _took(seconds: object) -> str:
    if not isinstance(seconds, dict):
        return numbers.duration(seconds) if isinstance(seconds, int | float) else ""
    return ", ".join(f"{stage} {numbers.duration(took_s)}" for stage, took_s in seconds.items())


def plain_values(values: Mapping[str, object]) -> dict[str, str]:
    """Return *values* that are known, each on one line.

    >>> plain_values({"cores": 2, "packages": {"numpy": "2.0"}, "gpu": None})
    {'cores': '2', 'packages': 'numpy 2.0'}
    """
    return {key: _plain(value) for key, value in values.items() if value is not None}


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def study_terms(metrics: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the terms to explain as (key, name, meaning): the metrics of this study, then all others."""
    explained = [(name, *_metric_entry(find_metric(name))) for name in metrics]
    return [*explained, *((key, name, meaning) for key, (name, meaning) in glossary.TERMS.items())]


def _metric_entry(metric: Metric) -> tuple[str, str]:
    source = f" Source: {metric.source}." if metric.source else ""
    return metric.label, metric.explanation + source
