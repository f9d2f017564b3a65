"""No damage of a run folder ends in a traceback, a wrong number, or a wait without end."""

import random
import signal

import pytest

from damaged_runs import Damage, Damaged, Outcome, draw

pytestmark = pytest.mark.slow

N = 25
HANGS_S = 120


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    return Damaged(tmp_path_factory.mktemp("damages"))


@pytest.fixture(autouse=True)
def _no_hang():
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail(f"still busy after {HANGS_S} s"))
    signal.alarm(HANGS_S)
    yield
    signal.alarm(0)


@pytest.mark.parametrize("seed", range(N))
def test_a_damaged_file_is_made_again_or_named(damaged, seed):
    rng = random.Random(seed)
    damaged.restore()
    damage = draw(damaged.root, rng)
    outcome = damaged.outcome(damage, rng)
    assert outcome.name in ("same", "named", "lost"), f"{damage}: {outcome}"


@pytest.mark.parametrize("kind", ["empty", "delete", "scramble"])
def test_a_record_of_test_evaluations_that_is_gone_is_never_forgotten(damaged, kind):
    assert damaged.outcome(Damage(kind, "test_evaluations.json"), random.Random(1)) == Outcome("lost")
