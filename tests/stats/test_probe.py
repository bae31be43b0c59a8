import numpy as np
import pytest

from finetune.stats.blocks import RunsError
from finetune.stats.probe import Falls, probe


def falls(train: float, test: float, *, seed: int, n: int = 20) -> Falls:
    rng = np.random.default_rng(seed)
    return Falls(train=rng.normal(train, 0.002, n), test=rng.normal(test, 0.002, n))


@pytest.mark.parametrize(
    ("train", "test", "finding"),
    [
        (0.03, 0.02, "starved"),
        (0.03, 0.01, "undetermined"),  # the test loss falls no further than the control's
        (0.03, 0.0, "not starved"),
        (0.0, 0.0, "not starved"),
    ],
)
def test_a_starved_rate_shows_in_both_losses(train, test, finding):
    found = probe(falls(train, test, seed=1), falls(0.01, 0.01, seed=2), alpha=0.05)
    assert found.finding == finding
    assert (found.p < 0.05) == (finding == "starved")
    assert found.train.mean == pytest.approx(train - 0.01, abs=0.002)


def test_equal_falls_settle_nothing():
    same = Falls(train=np.zeros(5), test=np.zeros(5))
    found = probe(same, same, alpha=0.05)
    assert (found.finding, found.p) == ("undetermined", 1.0)


def test_arms_must_match():
    with pytest.raises(RunsError, match="same seeds in both arms"):
        probe(falls(0, 0, seed=1, n=5), falls(0, 0, seed=2, n=6), alpha=0.05)
    broken = Falls(train=np.array([0.1, np.nan]), test=np.zeros(2))
    with pytest.raises(RunsError, match="not finite"):
        probe(broken, falls(0, 0, seed=2, n=2), alpha=0.05)
