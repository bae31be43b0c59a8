"""The blocks of a search: its trials on seeds of their own, then the winners on the study's."""

from finetune.engines.registry import DEFAULT
from finetune.planning.block import Block, RunCount
from finetune.spec.base import MAX_COUNT
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

# The search's seeds count from here, so that they are never those of a study.
FIRST_SEARCH_SEED = MAX_COUNT

# Searched at equal budgets: LR reduction from epoch 0, and delayed LR reduction.
_N_SEARCHES = 2


def trial_block(spec: StudySpec, variants: tuple[VariantSpec, ...]) -> Block:
    """Plan the variants of some trials on the search's seeds."""
    seeds = range(FIRST_SEARCH_SEED, FIRST_SEARCH_SEED + spec.search.seeds)
    return Block(spec, variants, seeds, DEFAULT.name)


def confirmation_block(spec: StudySpec, variants: tuple[VariantSpec, ...]) -> Block:
    """Plan the winners on the study's seeds, which no trial has used."""
    return Block(spec, variants, range(spec.seeds), DEFAULT.name)


def search_run_counts(spec: StudySpec) -> list[RunCount]:
    """Count the runs of all trials and of the winners' confirmation, before any is chosen."""
    n_trials = _N_SEARCHES * spec.search.trials
    return [
        RunCount(DEFAULT, spec, n_trials * spec.search.seeds),
        RunCount(DEFAULT, spec, _N_SEARCHES * spec.seeds),
    ]


def batch_run_epochs(spec: StudySpec) -> int:
    """Return the epochs of all runs that are searched at once, if none stops early."""
    batch = min(spec.search.batch, spec.search.trials)
    return _N_SEARCHES * batch * spec.search.seeds * spec.training.epochs
