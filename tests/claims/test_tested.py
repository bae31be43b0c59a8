"""Which seeds test a claim at all: those in which the two runs parted, or the LR changed first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.claims.registry import KINDS
from finetune.claims.tested import changed_first, differ_in_lr_policies_alone, parted
from finetune.spec.study import StudySpec
from finetune.spec.variants import ReduceLRSpec, SetLRSpec, VariantSpec
from finetune.stats.pairs import PairedRuns, pair_runs
from tests.made_comparisons import CONTROL, TREATMENT, judge, make_runs, make_spec

ARMS = (TREATMENT, CONTROL)
FLOATS = ["train_loss", "test_loss", "train_accuracy", "test_accuracy", "val_auc", "final_lr"]
WHOLE = ["epochs_run", "lr_reductions", "first_reduction_epoch"]
seeds = st.integers(0, 2**32 - 1)


def same_runs(n: int, seed: int) -> pd.DataFrame:
    """Make runs of two variants that are equal in all that was measured, some of it missing."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"variant": CONTROL, "seed": np.arange(n), "status": "ok"})
    table["recipe"] = "control's"
    for name in FLOATS:
        table[name] = rng.lognormal(size=n)
    for name in WHOLE:
        values = pd.Series(rng.integers(0, 100, n), dtype="Int64")
        table[name] = values.mask(rng.random(n) < 0.3)
    table.loc[rng.random(n) < 0.3, "val_auc"] = np.nan
    return pd.concat([table.assign(variant=TREATMENT, recipe="treatment's"), table])


def paired(runs: pd.DataFrame) -> PairedRuns:
    return pair_runs(runs, ARMS)


@given(n=st.integers(1, 12), seed=seeds)
def test_runs_that_are_equal_in_all_that_was_measured_are_never_tested(n, seed):
    assert parted(paired(same_runs(n, seed))).tolist() == [False] * n


@given(
    n=st.integers(1, 12),
    seed=seeds,
    column=st.sampled_from([*FLOATS, *WHOLE]),
    arm=st.sampled_from(ARMS),
    data=st.data(),
)
def test_one_digit_of_one_number_parts_that_pair_and_no_other(n, seed, column, arm, data):
    runs = same_runs(n, seed).reset_index(drop=True)
    place = data.draw(st.integers(0, n - 1))
    row = runs.index[(runs["variant"] == arm) & (runs["seed"] == place)]
    value = runs.loc[row[0], column]
    # Where nothing was measured, that something was is a difference too.
    moved = 1 if pd.isna(value) else value + 1 if column in WHOLE else np.nextafter(value, np.inf)
    runs.loc[row, column] = moved
    assert parted(paired(runs)).tolist() == [seed == place for seed in range(n)]


@given(n=st.integers(2, 12), seed=seeds, shuffle=seeds)
def test_the_order_of_the_rows_is_no_difference(n, seed, shuffle):
    runs = same_runs(n, seed).sample(frac=1, random_state=shuffle)
    assert not parted(paired(runs)).any()


def claiming(spec: StudySpec, kind: str) -> StudySpec:
    metric = {} if kind == "underfits" else {"metric": "test_loss"}
    claim = {"kind": kind, "treatment": TREATMENT, "control": CONTROL, **metric}
    return StudySpec.model_validate(spec.model_dump() | {"claims": (claim,)})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("differing", "tested"), [(0, False), (31, False), (32, True)])
def test_four_fifths_of_the_pairs_must_have_parted(kind, differing, tested):
    """By one digit of a metric that the claim is not about."""
    study = claiming(make_spec(), kind)
    if kind == "underfits":
        study = study.model_copy(update={"variants": (*study.variants[:1], *of_other_networks())})
    runs = make_runs(noise=0.0, cut=np.nan, n=40)
    some = (runs["variant"] == TREATMENT) & (runs["seed"] < differing)
    runs.loc[some, "train_accuracy"] = np.nextafter(runs.loc[some, "train_accuracy"], 1)
    verdict = judge(runs, study)
    assert verdict.tested_seeds == differing
    assert (verdict.verdict != "not tested") is tested


def of_other_networks() -> tuple[VariantSpec, VariantSpec]:
    return (
        VariantSpec(name=TREATMENT, model={"dropout": 0.3}),
        VariantSpec(name=CONTROL),
    )


# After which epoch the LR first changed; None: never.
changes = st.lists(st.tuples(*[st.none() | st.integers(0, 99)] * 2), min_size=2, max_size=12)


def with_changes(first: list[tuple[int | None, int | None]]) -> pd.DataFrame:
    runs = make_runs(n=len(first))
    for name, epochs in zip(ARMS, zip(*first, strict=True), strict=True):
        runs.loc[runs["variant"] == name, "first_reduction_epoch"] = pd.array(epochs, dtype="Int64")
    return runs


@given(changes)
def test_of_lr_policies_alone_the_treatment_must_have_changed_its_rate_first(first):
    never = np.inf
    expected = [
        (never if ours is None else ours) < (never if theirs is None else theirs)
        for ours, theirs in first
    ]
    verdict = judge(with_changes(first), make_spec())
    assert (verdict.lr_alone, verdict.tested_seeds) == (True, sum(expected))
    assert (verdict.verdict == "not tested") is (sum(expected) < 0.8 * len(first))


@given(changes, st.integers(1, 99))
def test_an_lr_that_is_set_changes_after_the_epoch_before(first, epoch):
    setting = VariantSpec(name=TREATMENT, set_lr=SetLRSpec(epoch=epoch, learning_rate=0.001))
    cutting = VariantSpec(name=CONTROL, reduce_lr=ReduceLRSpec())
    never = [(None, theirs) for _, theirs in first]
    found = changed_first(paired(with_changes(never)), setting, cutting)
    assert found.tolist() == [theirs is None or epoch - 1 < theirs for _, theirs in never]


CUT = {"reduce_lr": {}}
ALIKE = {
    "patience": (CUT, {"reduce_lr": {"patience": 3}}, True),
    "reduction or none": (CUT, {}, True),
    "an LR that is set": (CUT, {"set_lr": {"epoch": 3, "learning_rate": 0.1}}, True),
    "stopping": (CUT, CUT | {"early_stopping": {}}, False),
    "the same stopping": (CUT | {"early_stopping": {}}, {"early_stopping": {}}, True),
    "a schedule": (CUT, {"schedule": {"kind": "exponential", "factor": 0.9}}, False),
    "network": (CUT, {"model": {"dropout": 0.1}}, False),
    "first LR": (CUT, {"training": {"optimizer": {"learning_rate": 0.1}}}, False),
}


@pytest.mark.parametrize("case", ALIKE)
def test_variants_that_differ_in_lr_policies_alone(case):
    first, second, alike = ALIKE[case]
    arms = ({"name": TREATMENT, **first}, {"name": CONTROL, **second})
    variants = tuple(VariantSpec.model_validate(one) for one in arms)
    spec = make_spec().model_copy(update={"variants": variants})
    assert differ_in_lr_policies_alone(spec, TREATMENT, CONTROL) is alike
    assert differ_in_lr_policies_alone(spec, CONTROL, TREATMENT) is alike
