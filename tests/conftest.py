"""Thread caps before numpy is imported: many small fits on few cores fight over threads otherwise."""

import logging
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(variable, "1")

import pytest
from jaxtyping import install_import_hook

from counterpoint.engines.caps import temporary_environment

pytest.register_assert_rewrite("contender_contract")
# Shapes of tensors are checked at run time in tests only.
WITH_SHAPES = ["networks", "contenders.published.last_state", "contenders.published.networks"]
install_import_hook([f"counterpoint.{name}" for name in WITH_SHAPES], "beartype.beartype")


ON_RAY = {
    "tests/acquire/test_faults.py",
    "tests/encoders/test_encodings.py",
    "tests/engines/test_engines.py",
    "tests/engines/test_time_limit.py",
    "tests/test_study.py",
}
"""Files with tests that start a Ray cluster: one worker runs them all, so that none counts the processes of another."""


def pytest_collection_modifyitems(items):
    """Start with the slow tests, so that all workers end at the same time."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            assert item.nodeid.partition("::")[0] in ON_RAY, f"name the file of {item.nodeid} in ON_RAY"
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each worker whole files, because the tests of a file share what they prepare."""
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - a run on one core needs no xdist

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "ray" if file in ON_RAY else file

    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def encoders_in_studies():
    """Let no study encode its pairs, which would take seconds in each.  A test turns it on with `encoding`."""
    from counterpoint import check_inputs  # noqa: PLC0415 - after the import hook

    installed = check_inputs.installed_files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_inputs, "installed_files", lambda: None)
        yield installed


@pytest.fixture
def encoding(encoders_in_studies, monkeypatch):
    """Let studies encode their pairs, and skip the test where the encoders are not installed."""
    if encoders_in_studies() is None:
        pytest.skip("the encoders are not installed: the extra counterpoint[encoders]")
    monkeypatch.setattr("counterpoint.check_inputs.installed_files", encoders_in_studies)


@pytest.fixture
def counted(monkeypatch):
    """List the fits that are made."""
    from counterpoint.contenders import fit as fitting  # noqa: PLC0415 - after the import hook

    made = []
    real = fitting._fitted
    monkeypatch.setattr(fitting, "_fitted", lambda task, parts: (made.append(task.name), real(task, parts))[1])
    return made


@pytest.fixture
def no_gpu(monkeypatch):
    """Let torch find no GPU."""
    import torch  # noqa: PLC0415 - slow to import

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture(scope="session")
def cluster():
    """Start a Ray cluster of two CPUs and a GPU, real or not, once; engine "ray" finds this process connected to it."""
    ray = pytest.importorskip("ray")
    with temporary_environment({"RAY_USAGE_STATS_ENABLED": "0"}):
        ray.init(
            "local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
            object_store_memory=80 << 20,
        )  # fmt: skip
    yield ray
    ray.shutdown()
