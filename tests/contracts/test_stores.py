"""What every store must do: runs are known by recipe and seed, and exact to the last bit."""

import numpy as np
import pandas as pd
import pytest

from finetune.engines.base import TaskTables
from finetune.execution.training import Options, train_blocks
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.store.base import Store
from finetune.store.results import ResultStore
from finetune.store.schema import EPOCH_COLUMNS, RUN_COLUMNS, TRIAL_COLUMNS
from finetune.studies.run import run_study
from finetune.studies.search import search_study
from tests.made_runs import MadeUpExecutor, made_tables
from tests.memory_store import MemoryStore
from tests.small_studies import recipes_of, small_study, task

SPEC = small_study("training.epochs=5")
NAMES = [variant.name for variant in SPEC.variants]
RECIPES = recipes_of(SPEC, "keras")
SEEDS = range(6)


@pytest.fixture(params=["files", "memory"])
def new(request, tmp_path):
    """Return a function that makes a new store of a kind."""

    def make(name: str = "store") -> Store:
        store = MemoryStore() if request.param == "memory" else ResultStore(tmp_path / name)
        store.open()
        return store

    return make


@pytest.fixture
def store(new) -> Store:
    return new()


def made(seeds, *, spec: StudySpec = SPEC, variants=None) -> TaskTables:
    return made_tables(task(spec, seeds=seeds, engine="keras", variants=variants))


def fill(store: Store, *seed_groups, **options) -> None:
    for seeds in seed_groups:
        tables = made(seeds, **options)
        store.write(tables.runs, tables.epochs)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def in_order(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Order what an engine made as a store promises it: by variant, seed and epoch."""
    keys = [name for name in ("variant", "seed", "epoch") if name in columns]
    ranked = frame.assign(variant=pd.Categorical(frame["variant"].astype(str), NAMES))
    return ranked.sort_values(keys, ignore_index=True).loc[:, list(columns)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_read_is_what_was_written_bit_for_bit(store, dtype):
    spec = small_study("training.epochs=5", f"training.dtype={dtype}")
    tables, recipes = made(SEEDS, spec=spec), recipes_of(spec, "keras")
    odd = [-0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).tiny, np.nextafter(np.float64(0), 1)]
    tables.epochs.loc[: len(odd) - 1, "loss"] = np.array(odd, dtype)
    tables.runs.loc[: len(odd) - 1, "test_loss"] = odd
    store.write(tables.runs, tables.epochs)
    for read, written, columns in (
        (store.runs(recipes, SEEDS), tables.runs, RUN_COLUMNS),
        (store.epochs(recipes, SEEDS), tables.epochs, EPOCH_COLUMNS),
    ):
        assert tuple(read.columns) == columns
        expected = in_order(written, columns)
        for name in columns:
            kept, made_values = read[name].to_numpy(), expected[name].to_numpy()
            if made_values.dtype.kind == "f":
                assert kept.dtype == np.float64
                assert kept.tobytes() == made_values.astype(np.float64).tobytes(), name
            else:
                assert list(read[name].astype("string")) == list(expected[name].astype("string"))


def test_further_metrics_come_after_the_others(store):
    measures = small_study("training.epochs=5", 'training.metrics=["auc", "huber"]')
    fill(store, [0, 1], spec=measures)
    fill(store, [0, 1])
    recipes = recipes_of(measures, "keras")
    further = ("train_auc", "val_auc", "test_auc", "train_huber", "val_huber", "test_huber")
    tables = made([0, 1], spec=measures)
    for read, written, columns in (
        (store.runs(recipes, [0, 1]), tables.runs, (*RUN_COLUMNS, *further)),
        (store.epochs(recipes, [0, 1]), tables.epochs, (*EPOCH_COLUMNS, *further)),
    ):
        assert tuple(read) == columns
        expected = in_order(written, columns)[list(further)].astype("float64")
        same(read[list(further)], expected)
    assert tuple(store.runs(RECIPES, [0, 1])) == RUN_COLUMNS
    # Runs of both in one table: those that measured less have gaps.
    both = store.runs({**recipes, "less": RECIPES[NAMES[0]]}, [0])
    assert both["test_auc"].isna().tolist() == [False] * len(NAMES) + [True]


def test_integers_with_gaps_stay_integers(store):
    fill(store, SEEDS)
    cut = store.runs(RECIPES, SEEDS)["first_reduction_epoch"]
    assert cut.dtype == "Int64"
    assert cut.isna().any()
    assert cut.notna().any()


def test_an_empty_store_has_all_columns_and_lacks_all(new):
    store, empty = new(), new("empty")
    fill(store, SEEDS)
    assert empty.count() == 0
    assert empty.missing(RECIPES, SEEDS) == dict.fromkeys(SEEDS, NAMES)
    same(empty.runs(RECIPES, SEEDS), store.runs(RECIPES, SEEDS).iloc[:0])
    same(empty.epochs(RECIPES, SEEDS), store.epochs(RECIPES, SEEDS).iloc[:0])


def test_missing_runs_are_named_by_seed(store):
    fill(store, [0, 1])
    fill(store, [3], variants=SPEC.variants[1:3])
    others = [NAMES[0], *NAMES[3:]]
    assert store.missing(RECIPES, range(5)) == {2: NAMES, 3: others, 4: NAMES}
    assert store.missing(RECIPES, [1, 0]) == {}


def test_only_the_seeds_that_are_wanted_are_read(store):
    fill(store, SEEDS)
    assert set(store.runs(RECIPES, [4, 1, 99])["seed"]) == {1, 4}
    assert set(store.epochs(RECIPES, [4])["seed"]) == {4}


def test_how_runs_were_written_does_not_show(new):
    store, whole = new(), new("whole")
    fill(store, [5, 2], [0], [4, 1, 3])
    fill(whole, SEEDS)
    assert store.count() == whole.count() == len(NAMES) * len(SEEDS)
    same(store.runs(RECIPES, SEEDS), whole.runs(RECIPES, SEEDS))
    same(store.epochs(RECIPES, SEEDS), whole.epochs(RECIPES, SEEDS))


def test_a_run_that_was_written_twice_is_read_once(new):
    store, once = new(), new("once")
    fill(store, [0, 1], [1, 2], [2])
    fill(once, [0, 1, 2])
    same(store.runs(RECIPES, SEEDS), once.runs(RECIPES, SEEDS))
    same(store.epochs(RECIPES, SEEDS), once.epochs(RECIPES, SEEDS))


def test_renamed_and_added_variants_find_their_runs(store):
    fill(store, SEEDS)
    renamed = {f"new {name}": recipe for name, recipe in reversed(RECIPES.items())}
    assert store.missing(renamed, SEEDS) == {}
    runs = store.runs(renamed, SEEDS)
    assert list(runs["variant"].unique()) == list(renamed)
    assert sorted(runs["test_loss"]) == sorted(store.runs(RECIPES, SEEDS)["test_loss"])
    assert store.missing({**renamed, "added": "f" * 16}, [0]) == {0: ["added"]}


def test_variants_of_one_recipe_share_their_runs(store):
    twins = {"one": RECIPES[NAMES[0]], "other": RECIPES[NAMES[0]]}
    assert store.missing(twins, [0]) == {0: ["one"]}
    fill(store, [0], variants=SPEC.variants[:1])
    assert store.missing(twins, [0]) == {}
    for read in (store.runs(twins, [0]), store.epochs(twins, [0])):
        one, other = (read[read["variant"] == name].drop(columns="variant") for name in twins)
        same(one.reset_index(drop=True), other.reset_index(drop=True))
        assert len(one) > 0


def test_another_recipe_is_another_run(store):
    fill(store, SEEDS)
    other = small_study("training.epochs=6")
    assert store.missing(recipes_of(other, "keras"), [0]) == {0: NAMES}
    assert store.missing(recipes_of(SPEC), [0]) == {0: NAMES}


def test_runs_of_one_version_are_no_mixture(store):
    fill(store, [0, 1])
    assert store.versions(RECIPES) == {}


def test_no_two_stores_have_one_identity(new):
    store, other = new(), new("other")
    assert store.identity() == store.identity() != other.identity()
    assert store.identity()
    seen = store.as_seen_by_workers()
    assert seen is None or seen.identity() == store.identity()


def test_trials_of_one_search_are_read_by_number(store):
    rows = [
        (name, n, f'{{"reduce_lr.patience":{n + 1}}}', value)
        for name, n, value in (("a", 1, 0.2), ("b", 0, 0.3), ("a", 0, np.nan), ("a", 1, 0.2))
    ]
    for row in rows:
        store.write_trials(pd.DataFrame([row], columns=list(TRIAL_COLUMNS)))
    found = store.trials("a")
    assert list(found.columns) == list(TRIAL_COLUMNS)
    assert found["number"].tolist() == [0, 1]
    np.testing.assert_array_equal(found["value"], [np.nan, 0.2])
    assert store.trials("c").empty


def test_a_study_lives_in_it(store, tmp_path):
    """The same runs as in files, and none is trained again."""
    executor = MadeUpExecutor()
    options = Options(executor, figures=False)
    results = run_study(SPEC, tmp_path / "out", store=store, options=options)
    usual = run_study(SPEC, tmp_path / "usual", options=options)
    same(results.runs, usual.runs)
    same(results.epochs, usual.epochs)
    assert not (tmp_path / "out" / "store").exists()
    executor.trained.clear()
    train_blocks(Plan.of(SPEC, "population").blocks, store, options)
    assert executor.trained == []


def test_a_search_lives_in_it(store, tmp_path):
    spec = small_study("seeds=2", "training.epochs=4", "search.trials=2", "search.seeds=2")
    executor = MadeUpExecutor(failed_share=0)
    options = Options(executor, figures=False)
    found = search_study(spec, tmp_path / "out", store=store, options=options)
    # Optuna's storage is rebuilt from it.
    (tmp_path / "out" / "search.db").unlink()
    executor.trained.clear()
    assert search_study(spec, tmp_path / "out", store=store, options=options).tuned == found.tuned
    assert executor.trained == []
