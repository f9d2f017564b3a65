"""A finished study as runs of MLflow: one for the study, and in it one for each contender."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from counterpoint import __version__
from counterpoint.engines.caps import temporary_environment
from counterpoint.errors import CounterpointError
from counterpoint.runs.finished import FIGURES
from counterpoint.runs.places import PAGE, RESULTS
from counterpoint.schema import TEST_PARTS
from counterpoint.track.finished_study import FinishedStudy, safe_name

KEY = "counterpoint.key"
"""The tag with the hash of the study.  A study that was logged is not logged again."""
STORE, ARTIFACTS = "mlflow.db", "mlruns"
MODEL, SAVED = "model", "saved"
"""The artifact with the model of a study, and in it that with the saved model."""
CODE = Path(__file__).with_name("mlflow_model.py")
URI = "MLFLOW_TRACKING_URI"
log = logging.getLogger(__name__)
AT_ONCE = 100
"""The largest number of parameters of one request."""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Settings of MLflow where the user has none: it sends no usage data, and does not wait for minutes."""
LEVELS = {"mlflow": logging.WARNING, "alembic": logging.WARNING, "mlflow.pyfunc": logging.ERROR}
"""The level of each logger.  pyfunc would warn of a model without a signature, which would drop columns of a frame."""


def log_study(study: FinishedStudy) -> str:
    """Log *study* to MLflow, and return where.

    The store is that of MLFLOW_TRACKING_URI, or else the files ``mlflow.db`` and ``mlruns`` next to the run folder.

    Raises
    ------
    ModuleNotFoundError
        When mlflow is not installed.
    """
    with temporary_environment({name: value for name, value in QUIET.items() if name not in os.environ}), _quiet():
        from mlflow import MlflowClient  # noqa: PLC0415 - an extra

        uri = os.environ.get(URI) or store_of(study.root.resolve().parent)
        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, study)
        where = f"{uri}, experiment {study.results['study']}"
        if client.search_runs([experiment], f"tags.`{KEY}` = '{study.key}' and attributes.status = 'FINISHED'"):
            return f"{where} (it was there already)"
        _log(client, experiment, study)
        return where


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep notes on a new store, and warnings of MLflow about its own packages, out of the output."""
    before = {name: logging.getLogger(name).level for name in LEVELS}
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _experiment(client: Any, study: FinishedStudy) -> str:
    name = str(study.results["study"])
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    location = None if os.environ.get(URI) else (study.root.resolve().parent / ARTIFACTS).as_uri()
    return str(client.create_experiment(name, artifact_location=location))


def _log(client: Any, experiment: str, study: FinishedStudy) -> None:
    results = study.results
    tags = {"verdict": results["answer"]["verdict"], "headline": results["answer"]["headline"], KEY: study.key}
    run = client.create_run(experiment, run_name=results["study"], tags=tags).info.run_id
    try:
        _log_values(client, run, study.settings, _contrast(results))
        for path in (study.root / PAGE, study.root / RESULTS):
            client.log_artifact(run, str(path))
        client.log_artifacts(run, str(study.root / FIGURES), FIGURES)
        _log_model(client, run, study)
        for contender in results["modalities"]:
            _log_contender(client, experiment, run, study, contender)
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run)


def _log_model(client: Any, run: str, study: FinishedStudy) -> None:
    """Log the contender that the answer recommends as a model that ``mlflow.pyfunc`` loads, without pickle."""
    if study.save is None:
        return
    from mlflow.pyfunc import save_model  # noqa: PLC0415 - an extra

    with TemporaryDirectory(prefix="counterpoint-") as folder:
        saved, model = Path(folder, SAVED), Path(folder, MODEL)
        try:
            study.save(saved)
        except CounterpointError as error:  # a model from outside, or none is recommended
            log.warning("No model is logged: %s", error)
            return
        needed = [f"counterpoint=={__version__}"]
        save_model(str(model), python_model=str(CODE), artifacts={SAVED: str(saved)}, pip_requirements=needed)
        client.log_artifacts(run, str(model), MODEL)


def _log_contender(client: Any, experiment: str, parent: str, study: FinishedStudy, contender: str) -> None:
    reads = " and ".join(study.results["modalities"][contender]) or "neither"
    tags = {"mlflow.parentRunId": parent, "contender": contender, "reads": reads}
    run = client.create_run(experiment, run_name=contender, tags=tags).info.run_id
    start = f"contenders.{contender}."
    own = {key.removeprefix(start): text for key, text in study.settings.items() if key.startswith(start)}
    _log_values(client, run, own, _scores(study.results, contender))
    client.set_terminated(run)


def _log_values(client: Any, run: str, params: Mapping[str, str], metrics: Mapping[str, float | None]) -> None:
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - an extra

    known = [(safe_name(name), value) for name, value in metrics.items() if value is not None]
    client.log_batch(run, metrics=[Metric(name, value, 0, 0) for name, value in known])
    texts = [Param(safe_name(key), text) for key, text in params.items()]
    for start in range(0, len(texts), AT_ONCE):
        client.log_batch(run, params=texts[start : start + AT_ONCE])


def _scores(results: Mapping[str, Any], contender: str) -> dict[str, float | None]:
    """Return the scores of a contender with the ends of their intervals.  Those on test rows have no prefix."""
    found: dict[str, float | None] = {}
    for row in results["scores"]:
        if row["contender"] == contender:
            prefix = "" if row["part"] in TEST_PARTS else f"{row['part']}_"
            found |= _with_ends(f"{prefix}{row['metric']}", row["value"], row)
    return found


def _contrast(results: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the primary contrast with the ends of its interval, and the number of pairs."""
    found: dict[str, float | None] = {"pairs": results["rows"]["pairs"]}
    for row in results["differences"]:
        if row["is_primary"]:
            found |= _with_ends("primary_difference", row["difference"], row) | {"primary_p": row["p"]}
    return found


def _with_ends(name: str, value: float | None, row: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value, f"{name}_low": row["low"], f"{name}_high": row["high"]}


def store_of(runs: Path) -> str:
    """Return the store of MLflow next to the run folders in *runs*.

    >>> store_of(Path("/data/runs"))
    'sqlite:////data/runs/mlflow.db'
    """
    return f"sqlite:///{runs.resolve() / STORE}"
