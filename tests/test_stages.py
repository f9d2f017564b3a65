from threadpoolctl import threadpool_info, threadpool_limits

from counterpoint import stages
from counterpoint.diagnose import Inputs
from counterpoint.schema import AGREEMENT, FINDINGS, empty


def test_the_checks_use_the_threads_of_a_fit(monkeypatch):
    before, seen = [], []

    def run_checks(inputs, extra):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return empty(FINDINGS)

    monkeypatch.setattr(stages, "run_checks", run_checks)
    with threadpool_limits(2):
        before.extend(pool["num_threads"] for pool in threadpool_info())
        stages.collect_findings({"pairs_findings": empty(FINDINGS)}, Inputs({"agreement": empty(AGREEMENT)}), threads=1)
    assert 2 in before
    assert set(seen) == {1}
