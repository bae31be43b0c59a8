"""How the runs that are missing are cut into tasks."""

import pytest

from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.store.results import ResultStore
from tests.made_runs import MadeUpExecutor
from tests.small_studies import small_study

SPEC = small_study("training.epochs=3")


class _Sizes(MadeUpExecutor):
    """Keeps how many seeds each task has, by its replicate."""

    def __init__(self, slots: int):
        super().__init__()
        self.slots = slots
        self.sizes: dict[int, list[int]] = {}

    def train(self, tasks, store, on_progress):
        for task in tasks:
            self.sizes.setdefault(task.replicate, []).append(len(task.seeds))
        return super().train(tasks, store, on_progress)


@pytest.fixture
def store(tmp_path) -> ResultStore:
    made = ResultStore(tmp_path / "store")
    made.open()
    return made


def block(*, seeds: int, variants: int, replicate: int = 0) -> Block:
    chosen = SPEC.variants[:variants]
    return Block(SPEC, chosen, range(seeds), "population", replicate=replicate)


def test_a_block_is_cut_for_its_share_of_the_workers(store):
    executor = _Sizes(4)
    large, small = block(seeds=24, variants=5), block(seeds=24, variants=1, replicate=1)
    train_blocks([large, small], store, Options(executor))
    assert executor.sizes == {0: [6] * 4, 1: [24]}


def test_what_is_stored_has_no_share(store):
    large, small = block(seeds=24, variants=5), block(seeds=24, variants=1, replicate=1)
    train_blocks([large], store, Options(MadeUpExecutor()))
    executor = _Sizes(4)
    train_blocks([large, small], store, Options(executor))
    assert executor.sizes == {1: [6] * 4}


def test_the_seeds_that_are_missing_are_cut_for_all_workers(store):
    train_blocks([block(seeds=20, variants=5)], store, Options(MadeUpExecutor()))
    executor = _Sizes(2)
    train_blocks([block(seeds=30, variants=5)], store, Options(executor))
    assert executor.sizes == {0: [5, 5]}
