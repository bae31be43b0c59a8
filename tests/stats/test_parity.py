"""Parity of two engines: what counts as agreement, and what must not."""

import numpy as np
import pandas as pd
import pytest

from finetune.errors import StoreError
from finetune.stats.parity import RunParity, compare_engines

LOSSES = ["loss", "train_loss", "val_loss", "test_loss"]


def epochs_of(variant: str = "plain", *, count: int = 12, seed: int = 0) -> pd.DataFrame:
    """Make the epochs of one run whose losses fall and whose LR is cut after epoch 4."""
    falling = 1 / (1 + np.arange(count))
    rates = np.where(np.arange(count) > 4, 0.005, 0.01)
    return pd.DataFrame(
        {
            **{"variant": variant, "seed": seed, "epoch": np.arange(count)},
            **dict.fromkeys(LOSSES, falling),
            "learning_rate": rates,
        }
    )


def compared(ours: pd.DataFrame, reference: pd.DataFrame, *, budget: int = 12) -> RunParity:
    (run,) = compare_engines(ours, reference, budget=budget).runs
    return run


def test_equal_runs_agree():
    run = compared(epochs_of(), epochs_of())
    assert run == RunParity("plain", 0, 12, 12, 1, True, 0.0, 0.0)
    assert run.same_length


def test_what_lies_beyond_the_budget_of_the_reference_is_not_read():
    run = compared(epochs_of(count=30), epochs_of())
    assert run.same_length
    assert run.same_learning_rates


@pytest.mark.parametrize(("ours", "reference"), [(7, 9), (9, 7), (12, 9), (9, 12)])
def test_runs_that_stop_at_other_epochs_disagree(ours, reference):
    run = compared(epochs_of(count=ours), epochs_of(count=reference))
    assert (run.epochs, run.other_epochs) == (reference, ours)
    assert not run.same_length
    assert not run.same_learning_rates
    assert run.difference == 0


def test_differences_are_the_largest_of_any_loss_early_and_over_all():
    ours = epochs_of()
    ours.loc[3, "val_loss"] += 0.25
    ours.loc[11, "loss"] -= 0.5
    run = compared(ours, epochs_of())
    assert run.early_difference == pytest.approx(0.25)
    assert run.difference == pytest.approx(0.5)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_run_that_diverges_in_one_engine_alone_is_infinitely_far(lost, swapped):
    diverged = epochs_of()
    diverged.loc[6:, "val_loss"] = lost
    pair = (epochs_of(), diverged) if swapped else (diverged, epochs_of())
    run = compared(*pair)
    assert run.early_difference == run.difference == np.inf


def test_a_run_that_diverges_in_both_alike_agrees():
    ours, reference = epochs_of(), epochs_of()
    ours.loc[6:, LOSSES] = reference.loc[6:, LOSSES] = np.nan
    assert compared(ours, reference).difference == 0


def test_a_diverging_run_is_the_largest_wherever_it_stands():
    diverged = epochs_of("b")
    diverged.loc[2, "loss"] = np.nan
    names = ("a", "b", "c")
    reference = pd.concat([epochs_of(name) for name in names])
    ours = pd.concat([diverged if name == "b" else epochs_of(name) for name in names])
    assert compare_engines(ours, reference, budget=12).early_difference == np.inf


@pytest.mark.parametrize("reference", [epochs_of("other"), epochs_of().head(0)])
def test_a_run_that_is_not_stored_is_refused(reference):
    both = pd.concat([epochs_of(), reference]) if len(reference) else reference
    with pytest.raises(StoreError, match="parity certificate is missing"):
        compare_engines(epochs_of(), both, budget=12)
