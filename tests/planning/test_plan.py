"""Plans: which runs a study's report rests on, and the tasks that they are cut into."""

import pytest

from finetune.engines.registry import DEFAULT, REFERENCE, get_engine
from finetune.planning.block import Block
from finetune.planning.plan import Plan
from finetune.store.results import ResultStore
from finetune.studies.load import load_spec
from tests.small_studies import small_study

SPEC = small_study()


@pytest.fixture
def store(tmp_path):
    store = ResultStore(tmp_path / "store")
    store.open()
    return store


def shape(block: Block | None) -> tuple[int, int, int, str] | None:
    """Return the numbers of variants, seeds and epochs, and the engine's name."""
    if block is None:
        return None
    return (
        len(block.variants),
        len(block.seeds),
        block.epochs or block.spec.training.epochs,
        block.engine,
    )


def test_the_founding_study_has_all_checks():
    plan = Plan.of(load_spec(), DEFAULT.name)
    assert shape(plan.runs) == (5, 100, 100, DEFAULT.name)
    assert shape(plan.same_again) == (1, 100, 100, DEFAULT.name)
    assert shape(plan.probe) == (2, 40, 110, DEFAULT.name)
    assert shape(plan.parity) == (3, 1, 20, REFERENCE.name)
    # What is left of half of 500 runs, for two variants and two sources.
    assert list(map(shape, plan.variance)) == [(2, 16, 100, DEFAULT.name)] * 2
    assert str(plan) == "500 runs, 247 more for checks"


def test_the_reference_engine_trains_the_study_alone():
    assert Plan.of(load_spec(), REFERENCE.name).blocks == [
        Block(load_spec(), load_spec().variants, range(100), REFERENCE.name)
    ]


def test_runs_are_counted_by_engine_also_where_they_are_too_many_to_list():
    spec = SPEC.model_copy(update={"seeds": 10**12})
    assert Block(spec, spec.variants, range(10**12), DEFAULT.name).n_runs == 5 * 10**12
    own = spec.variants[1].model_validate(
        {"name": "own", "callbacks": ({"callback": "own:Halve"},)}
    )
    block = Block(spec, (*spec.variants[:2], own), range(10**12), DEFAULT.name)
    counts = {count.engine: (count.n_runs, count.run_epochs) for count in block.run_counts}
    assert counts == {
        DEFAULT: (2 * 10**12, 24 * 10**12),
        REFERENCE: (10**12, 12 * 10**12),
    }


def test_slices_are_all_seeds_and_share_none():
    block = Block(SPEC, SPEC.variants, range(10), DEFAULT.name)
    slices = [list(block.slice(number, 3).seeds) for number in (1, 2, 3)]
    assert slices == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]


@pytest.mark.parametrize("engine", [DEFAULT.name, REFERENCE.name])
def test_tasks_are_all_runs_once_in_tasks_of_the_size_that_the_engine_wants(store, engine):
    block = Block(SPEC, SPEC.variants, range(200), engine)
    tasks = list(block.tasks(store, workers=2, memory=7))
    runs = [(variant.name, seed) for task in tasks for variant, seed in task.runs]
    assert sorted(runs) == sorted((v.name, seed) for v in SPEC.variants for seed in range(200))
    size = get_engine(engine).seeds_per_task(5, 200, workers=2)
    assert max(len(task.seeds) for task in tasks) == size
    assert {(task.engine, task.memory) for task in tasks} == {(engine, 7)}
