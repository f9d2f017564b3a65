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


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    """Let workers share no file and no Ray cluster, and start with the slow tests, so that all end at the same time."""
    for item in items:
        is_on_ray = "cluster" in getattr(item, "fixturenames", ()) or item.get_closest_marker("ray")
        if is_on_ray:
            item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group("ray" if is_on_ray else item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def cluster():
    """Start a Ray cluster of two CPUs on this machine, once; engine "ray" finds this process connected to it."""
    ray = pytest.importorskip("ray")
    with temporary_environment({"RAY_USAGE_STATS_ENABLED": "0"}):
        ray.init(
            "local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
            object_store_memory=80 << 20,
        )  # fmt: skip
    yield ray
    ray.shutdown()
