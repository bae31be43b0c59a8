import numpy as np
import pandas as pd
import pytest

from finetune.stats.pairs import RunsError, pair_runs, worse_sign

PAIR = ("from epoch 0", "delayed")


def run_of(runs: pd.DataFrame, variant: str, seed: int) -> pd.Series:
    return (runs["variant"] == variant) & (runs["seed"] == seed)


def test_lines_up_by_seed_whatever_the_order_of_rows(make_runs):
    runs = make_runs(n=6)
    shuffled = runs.sample(frac=1, random_state=1)
    straight, mixed = pair_runs(runs, PAIR), pair_runs(shuffled, PAIR)
    assert straight.seeds == mixed.seeds == (0, 1, 2, 3, 4, 5)
    np.testing.assert_array_equal(
        straight.difference("test_loss"), mixed.difference("test_loss"), strict=True
    )


def test_worse_is_up_for_losses_and_down_for_accuracies(make_runs):
    paired = pair_runs(make_runs(n=6), PAIR)
    for metric, sign in (("test_loss", 1), ("val_loss", 1), ("test_accuracy", -1)):
        assert worse_sign(metric) == sign
    loss, accuracy = paired.difference("test_loss"), paired.difference("test_accuracy")
    np.testing.assert_array_equal(paired.worsening("test_loss"), loss)
    np.testing.assert_array_equal(paired.worsening("test_accuracy"), -accuracy)


def test_equal_steps_of_accuracy_are_ties(make_runs):
    runs = make_runs(n=2)
    runs.loc[runs["variant"] == PAIR[0], "test_accuracy"] = [0.85, np.float32(0.845)]
    runs.loc[runs["variant"] == PAIR[1], "test_accuracy"] = [0.845, np.float32(0.84)]
    first, second = pair_runs(runs, PAIR).difference("test_accuracy")
    assert first == second == 0.005


def test_a_failed_seed_leaves_with_its_pair_and_is_named(make_runs):
    runs = make_runs(n=6)
    failed = run_of(runs, "delayed", 3)
    runs.loc[failed, "status"] = "failed"
    runs.loc[failed, ["train_loss", "test_loss"]] = np.nan
    paired = pair_runs(runs, PAIR)
    assert paired.seeds == (0, 1, 2, 4, 5)
    assert [(run.variant, run.seed, run.reason) for run in paired.excluded] == [
        ("delayed", 3, "failed")
    ]
    assert not pair_runs(runs, ("from epoch 0", "no callbacks")).excluded


def test_a_diverged_run_counts_as_failed(make_runs):
    runs = make_runs(n=6)
    runs.loc[run_of(runs, "from epoch 0", 2), "train_loss"] = np.inf
    (run,) = pair_runs(runs, PAIR).excluded
    assert (run.variant, run.seed, run.reason) == ("from epoch 0", 2, "its loss is not finite")


def test_no_seed_left_is_no_error(make_runs):
    runs = make_runs(n=2).assign(status="failed")
    assert pair_runs(runs, PAIR).seeds == ()
    assert pair_runs(runs, PAIR).difference("test_loss").shape == (0,)


def test_a_missing_run_is_named(make_runs):
    runs = make_runs(n=6)
    runs = runs[~run_of(runs, "delayed", 3)]
    with pytest.raises(RunsError, match="variant 'delayed', seed 3 is missing"):
        pair_runs(runs, PAIR)


def test_a_required_seed_must_be_there(make_runs):
    with pytest.raises(RunsError, match=r"seed 6 \(and 1 more of its seeds\) is missing"):
        pair_runs(make_runs(n=6), PAIR, seeds=range(8))


def test_a_duplicate_run_is_named(make_runs):
    runs = make_runs(n=6)
    runs = pd.concat([runs, runs[run_of(runs, "from epoch 0", 4)]])
    with pytest.raises(RunsError, match="'from epoch 0', seed 4 is there 2 times"):
        pair_runs(runs, PAIR)


def test_other_mistakes_are_named(make_runs):
    runs = make_runs(n=3)
    with pytest.raises(RunsError, match="each name once"):
        pair_runs(runs, ("delayed", "delayed"))
    runs.loc[run_of(runs, "delayed", 1), "test_accuracy"] = np.nan
    with pytest.raises(RunsError, match="test_accuracy of variant 'delayed', seed 1"):
        pair_runs(runs, PAIR).values("test_accuracy")
    runs.loc[run_of(runs, "delayed", 2), "status"] = "running"
    with pytest.raises(RunsError, match="seed 2 is 'running'"):
        pair_runs(runs, PAIR)
