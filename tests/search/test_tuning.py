"""Tuning: equal budgets, trained together, and the same numbers however it was cut."""

import math
import shutil
import sqlite3

import numpy as np
import pandas as pd
import pytest

from finetune.analysis.tuned import read_tuned
from finetune.errors import EngineError, SpecError
from finetune.execution.choice import choose_executor
from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.planning.search import trial_block
from finetune.search.arms import FIRST_SEARCH_SEED, arms_of, search_digest
from finetune.search.storage import Storage
from finetune.search.trials import Trial
from finetune.search.tuning import Tuning, objective_values, stored_trials, winner
from finetune.store.results import ResultStore
from finetune.studies.run import read_study, run_study
from finetune.studies.search import search_study
from tests.made_tuned import DELAY, FACTOR, PATIENCE
from tests.small_studies import small_study

SIZE = ("seeds=3", "training.epochs=4", "search.trials=10", "search.seeds=8", "search.batch=4")

LR = "training.optimizer.learning_rate"
BATCHES = "search.space.training.batch_size={choices=[8, 16]}"
BETTER = (
    "{kind='better', treatment='early stopping', control='no callbacks', metric='test_accuracy'}"
)
WIDE = (
    "{early_stopping={patience=[1, 5]}, 'model.hidden'={choices=[[8, 4], [4]]}, "
    "'training.optimizer.name'={choices=['adam', 'sgd']}, 'training.batch_size'=[8, 16]}"
)


@pytest.fixture
def tune(executor, tmp_path):
    """Search in a folder, with training made up in which no run fails; give the trials."""

    def tune_it(*overrides: str, folder="out", storage="search.db", **options):
        spec = small_study(*SIZE, *overrides)
        store = ResultStore(tmp_path / folder / "store")
        store.open()
        url = f"sqlite:///{tmp_path / folder / storage}"
        with Storage(url) as opened:
            tuning = Tuning(spec, store, storage=opened, **options)
            return [one.trials for one in tuning.run(Options(executor))]

    return tune_it


def settings(trials) -> list[tuple]:
    """Return trials in a form that compares NaN as equal."""
    return [(t.number, t.setting, repr(t.value)) for t in trials]


def same(one, other) -> bool:
    return [settings(trials) for trials in one] == [settings(trials) for trials in other]


def test_both_arms_get_the_same_budget(tune, executor):
    treatment, control = tune()
    assert [len(treatment), len(control)] == [10, 10]
    assert {frozenset(trial.setting) for trial in treatment} == {frozenset({FACTOR, PATIENCE, LR})}
    assert {frozenset(trial.setting) for trial in control} == {
        frozenset({FACTOR, PATIENCE, DELAY, LR})
    }
    seeds = {seed for _, seed, _, _ in executor.trained}
    assert seeds == {FIRST_SEARCH_SEED + seed for seed in range(8)}
    assert len(executor.trained) == 2 * 10 * 8


def test_a_batch_of_both_arms_is_one_population(tune, executor):
    tune("search.trials=4")
    names = {name for name, _, _, _ in executor.trained}
    assert names == {f"{arm}: trial {number}" for arm in (0, 1) for number in range(4)}


def test_random_search_tries_other_settings_than_the_search_itself(tune):
    (mine, _), (random, _) = tune(folder="a"), tune(folder="b", sampler="random")
    assert not {str(t.setting) for t in mine} & {str(t.setting) for t in random}


def test_fewer_trials_are_the_first_ones(tune, executor):
    whole = tune()
    executor.trained.clear()
    fewer = tune("search.trials=5")
    assert same(fewer, [trials[:5] for trials in whole])
    assert executor.trained == []


def test_an_interrupt_amid_a_batch_changes_no_number(tune, executor):
    executor.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        tune(folder="cut")
    executor.stop_after = None
    assert same(tune(folder="cut"), tune(folder="whole"))


def test_a_lost_database_is_rebuilt_from_the_store_without_training(tune, executor, tmp_path):
    whole = tune()
    (tmp_path / "out" / "search.db").unlink()
    executor.trained.clear()
    assert same(tune(), whole)
    assert executor.trained == []
    held = sqlite3.connect(tmp_path / "out" / "search.db")
    assert held.execute("select count(*) from trials").fetchone() == (20,)


def test_a_database_from_before_the_last_batch_is_filled_up(tune, executor, tmp_path):
    tune("search.trials=4")
    shutil.copy(tmp_path / "out" / "search.db", tmp_path / "old.db")
    whole = tune()
    shutil.copy(tmp_path / "old.db", tmp_path / "out" / "search.db")
    executor.trained.clear()
    assert same(tune(), whole)
    assert executor.trained == []


def test_another_question_in_the_same_database_is_refused(tune):
    tune()
    for change in (
        "search.space.reduce_lr.patience=[1, 3]",
        "training.batch_size=8",
        "search.seeds=3",
    ):
        with pytest.raises(SpecError, match="--storage: its study 'founding: tuned LR reduction"):
            tune(change)


def test_another_budget_margin_or_name_of_a_variant_is_the_same_search():
    digests = [
        search_digest(small_study(*SIZE, *change), arm, sampler="TPE", repeat=0)
        for change in ((), ("search.trials=99",), ("claims.0.alpha=0.1",), ("seeds=9",))
        for arm in arms_of(small_study(*SIZE, *change))
    ]
    assert len(set(digests)) == 2


def test_the_objective_is_the_mean_of_the_final_validation_loss_over_all_seeds(tune, tmp_path):
    (treatment, _) = tune("search.trials=3")
    spec, store = small_study(*SIZE), ResultStore(tmp_path / "out" / "store")
    arm = arms_of(spec)[0]
    for trial in treatment:
        block = _block(spec, arm.variant(trial.setting))
        runs = store.runs(block.recipes, block.seeds)
        failed = (runs["status"] == "failed").any()
        assert math.isnan(trial.value) if failed else trial.value == runs["val_loss"].mean()
    assert any(math.isnan(t.value) for t in treatment) or len(treatment) == 3


def test_the_other_objective_is_the_best_validation_loss(tune, tmp_path):
    tune("search.trials=1")
    spec = small_study(*SIZE, 'search.objective="best_val_loss"')
    store = ResultStore(tmp_path / "out" / "store")
    trial = stored_trials(store, arms_of(spec)[0], _digest(small_study(*SIZE)))[0]
    block = _block(spec, arms_of(spec)[0].variant(trial.setting))
    epochs = store.epochs(block.recipes, block.seeds)
    best = epochs.groupby("seed")["val_loss"].min().to_numpy()
    found = objective_values(spec, store, block)
    sound = found["value"].notna().to_numpy()
    np.testing.assert_array_equal(found["value"][sound], best[sound])
    assert not sound.all() or len(sound) == 8


def test_arms_keep_what_is_not_searched():
    spec = small_study(
        "variants.2.reduce_lr.cooldown=2", "variants.3.early_stopping={patience = 7}"
    )
    treatment, control = arms_of(spec)
    tuned = treatment.variant({FACTOR: 0.3, PATIENCE: 4, LR: 0.03})
    assert tuned.reduce_lr is not None
    assert (tuned.reduce_lr.cooldown, tuned.reduce_lr.start_from_epoch) == (2, 0)
    assert tuned.learning_rate == 0.03
    late = control.variant({FACTOR: 0.3, PATIENCE: 4, DELAY: 9})
    assert late.early_stopping is not None
    assert late.reduce_lr is not None
    assert late.reduce_lr.start_from_epoch == 9


def test_learning_rates_are_one_problem_and_batch_sizes_are_not():
    spec = small_study(*SIZE, BATCHES)
    (arm, _) = arms_of(spec)
    setting = {FACTOR: 0.3, PATIENCE: 4, "training.batch_size": 16}
    trials = [{LR: 0.03}, {LR: 0.003}, {LR: 0.03, "training.batch_size": 8}]
    variants = [arm.variant(setting | one, name=str(one)) for one in trials]
    groups = trial_block(spec, tuple(variants)).problem_groups
    assert [len(group.variants) for group in groups] == [2, 1]


def test_any_claim_and_any_space_is_tuned(executor, options, tmp_path):
    """A policy that one arm lacks is searched in the other alone; arrays and words are chosen."""
    executor.failed_share = 0.0
    spec = small_study(*SIZE, f"claims=[{BETTER}]", f"search.space={WIDE}")
    found = search_study(spec, tmp_path / "out", baseline=True, options=options).tuned
    first, second = (arm.setting for arm in found.arms)
    assert first.keys() - second.keys() == {"early_stopping.patience"}
    assert {*second} == {"model.hidden", "training.optimizer.name", "training.batch_size"}
    assert first["model.hidden"] in ([8, 4], [4])
    assert found.plane is None
    assert '"tuned early stopping"' in found.conclusion
    assert len(found.baseline) == 10
    text = (tmp_path / "out" / "report.md").read_text()
    assert r"**Searched:** early\_stopping.patience 1 to 5; model.hidden \[8, 4\] or \[4\]" in text
    assert "search_heat_map" not in text
    trials = pd.read_csv(tmp_path / "out" / "tables" / "trials.csv")
    assert set(trials["model.hidden"]) == {"[8, 4]", "[4]"}
    assert trials.loc[trials["arm"] == found.arms[1].name, "early_stopping.patience"].isna().all()
    (tmp_path / "out" / "search.db").unlink()
    executor.trained.clear()
    assert search_study(spec, tmp_path / "out", options=options).tuned == found
    assert executor.trained == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["claims=[]"], "claims: none; a search tunes the two variants of the first claim"),
        (
            [f"claims=[{BETTER}]", "search.space={early_stopping={patience=[1, 5]}}"],
            r"early_stopping.patience can be searched in 'no callbacks'",
        ),
        (["search.space={reduce_lr={start_from_epoch=[1, 2]}}"], "'LR reduction from epoch 0'"),
        (["variants.0.name=tuned delayed LR reduction", "claims.1.control=both",
          "claims.2.control=early stopping"], "is that of 'delayed LR reduction' once it is tuned"),
    ],
)  # fmt: skip
def test_what_cannot_be_tuned_is_told_in_one_line(changes, words, options, tmp_path):
    with pytest.raises(SpecError, match=words):
        search_study(small_study(*SIZE, *changes), tmp_path / "out", options=options)


def test_no_delay_is_tried_from_which_the_lr_is_never_cut(tune):
    # Of 4 epochs, from 0: epoch 1 sets the best, 2 passes without a better one, 3 has the new LR.
    _, delayed = tune()
    assert {trial.setting[DELAY] for trial in delayed} == {1}
    patience = "search.space.reduce_lr.patience=[2, 5]"
    assert _delays(*SIZE, "training.epochs=20", patience) == (1, 16)
    assert _delays(
        *SIZE, "search.space={training={epochs=[4, 20]}, reduce_lr={start_from_epoch=[1, 40]}}"
    ) == (1, 15)
    assert _delays(
        *SIZE, "training.epochs=20", f"search.space.{DELAY}={{choices=[3, 16, 17, 18]}}"
    ) == (3, 16, 17)
    assert _delays("training.epochs=100") == (1, 40)


def test_a_range_of_delays_that_cannot_cut_is_refused(options, tmp_path):
    spec = small_study(*SIZE, f"search.space.{DELAY}=[2, 9]")
    with pytest.raises(
        SpecError, match=r"received \[2, 9\], but with 4 epochs .* of 1 epochs at most"
    ):
        search_study(spec, tmp_path / "out", options=options)


def test_the_winner_is_the_first_of_the_lowest():
    trials = [Trial(n, {FACTOR: 0.5}, v) for n, v in enumerate([0.4, math.nan, 0.3, 0.3, None])]
    assert winner(trials) == trials[2]
    assert winner([trials[1], trials[4]]) is None


@pytest.fixture
def searched(executor, options, tmp_path):
    """Run a whole search with training made up."""
    # In made-up training one run in five fails; here all are sound.
    executor.failed_share = 0.0

    return lambda: search_study(small_study(*SIZE), tmp_path / "out", options=options)


def test_winners_are_judged_on_seeds_that_the_search_never_used(searched, executor, tmp_path):
    found = searched()
    confirmed = {(name, seed) for name, seed, _, _ in executor.trained if name.startswith("tuned")}
    names = {arm.name for arm in found.tuned.arms}
    assert confirmed == {(name, seed) for name in names for seed in range(3)}
    pairs = {(row["treatment"], row["control"]) for row in found.tuned.contrasts}
    assert pairs == {
        ("tuned LR reduction from epoch 0", "tuned delayed LR reduction"),
        ("tuned LR reduction from epoch 0", "LR reduction from epoch 0"),
        ("tuned delayed LR reduction", "delayed LR reduction"),
    }


def test_the_report_shows_what_the_search_promised_and_what_came(searched, tmp_path):
    found = searched()
    text = (tmp_path / "out" / "report.md").read_text()
    assert "## Tuned fairly" in text
    arm = found.tuned.arms[0]
    trials = pd.read_csv(tmp_path / "out" / "tables" / "trials.csv")
    own = trials[trials["arm"] == arm.name]
    assert arm.searched == own["value"].min()
    assert arm.winner == own.loc[own["value"].idxmin(), "number"]
    assert arm.fresh.n == 3
    assert arm.fresh.low < arm.fresh.mean < arm.fresh.high


def test_the_section_stays_when_the_report_is_written_anew(searched, options, tmp_path):
    found = searched()
    read_study(tmp_path / "out", figures=False)
    assert "## Tuned fairly" in (tmp_path / "out" / "report.md").read_text()
    run_study(small_study(*SIZE, "claims.0.alpha=0.1"), tmp_path / "out", options=options)
    assert "## Tuned fairly" not in (tmp_path / "out" / "report.md").read_text()
    for change in ("training.batch_size=8", "variants.3.reduce_lr.patience=9", "seeds=2"):
        assert read_tuned(tmp_path / "out", small_study(*SIZE, change)) is None
    assert found.tuned.trials == 10


def test_a_search_in_which_all_fails_is_an_error(searched, executor):
    executor.failed_share = 1.0
    with pytest.raises(EngineError, match="a run failed in each of the 10 trials"):
        searched()


def _block(spec, variant) -> Block:
    seeds = tuple(FIRST_SEARCH_SEED + seed for seed in range(spec.search.seeds))
    return Block(spec, (variant,), seeds, "population", curves="validation")


def _delays(*overrides: str) -> tuple:
    return arms_of(small_study(*overrides))[1].space[DELAY].ends


def _digest(spec) -> str:
    return search_digest(spec, arms_of(spec)[0], sampler="TPE", repeat=0)


@pytest.mark.slow
def test_real_training_is_searched_on_real_workers(tmp_path):
    """Two processes train whole batches; the trial's value is that of its runs trained alone."""
    spec = small_study("training.epochs=6", "search.trials=3", "search.seeds=3", "search.batch=2")
    store = ResultStore(tmp_path / "store")
    store.open()
    with Storage(f"sqlite:///{tmp_path}/search.db") as storage, choose_executor(2) as executor:
        tuning = Tuning(spec, store, storage=storage)
        treatment, control = tuning.run(Options(executor))
    for one in (treatment, control):
        assert [trial.number for trial in one.trials] == [0, 1, 2]
        best = winner(one.trials)
        assert best is not None
        block = _block(spec, one.arm.variant(best.setting))
        alone = ResultStore(tmp_path / "alone")
        alone.open()
        train_blocks([block], alone, Options())
        assert objective_values(spec, alone, block)["value"].mean() == best.value
