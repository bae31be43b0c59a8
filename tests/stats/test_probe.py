import numpy as np
import pandas as pd
import pytest

from finetune.stats import probe as probing
from finetune.stats.pairs import RunsError
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


def test_falls_are_measured_per_arm_and_a_seed_that_failed_is_excluded_from_both():
    def epochs_of(arm, seed, train, test):
        ends = zip([3, 4, 5], train, test, strict=True)
        keys = {"variant": arm, "seed": seed}
        return [{**keys, "epoch": e, "train_loss": a, "test_loss": b} for e, a, b in ends]

    nan = float("nan")
    rows = [
        *epochs_of("raised", 0, [0.5, 0.9, 0.1], [0.6, 0.9, 0.5]),
        *epochs_of("unchanged", 0, [0.5, 0.5, 0.4], [0.6, 0.5, 0.7]),
        *epochs_of("raised", 1, [0.5, 0.9, nan], [0.6, 0.9, 0.5]),
        *epochs_of("unchanged", 1, [0.5, 0.5, 0.4], [0.6, 0.5, 0.7]),
    ]
    treatment, control = probing.falls(pd.DataFrame(rows), ("raised", "unchanged"), begin=3)
    np.testing.assert_allclose([treatment.train, treatment.test], [[0.4], [0.1]])
    np.testing.assert_allclose([control.train, control.test], [[0.1], [-0.1]])


def test_where_every_run_failed_there_are_no_falls():
    rows = [
        {"variant": arm, "seed": 0, "epoch": epoch, "train_loss": np.nan, "test_loss": np.nan}
        for arm in ("raised", "unchanged")
        for epoch in (3, 5)
    ]
    treatment, _ = probing.falls(pd.DataFrame(rows), ("raised", "unchanged"), begin=3)
    assert len(treatment.train) == 0
