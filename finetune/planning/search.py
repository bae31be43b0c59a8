"""The blocks of a search: its trials on seeds of their own, then the winners on the study's."""

from finetune.engines.registry import DEFAULT, engine_for
from finetune.planning.block import Block, RunCount
from finetune.spec.base import MAX_COUNT
from finetune.spec.search_space import EPOCHS
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

# The search's seeds count from here, so that they are never those of a study.
FIRST_SEARCH_SEED = MAX_COUNT


def trial_block(spec: StudySpec, variants: tuple[VariantSpec, ...]) -> Block:
    """Plan the variants of some trials on the search's seeds; what is minimised is validated."""
    seeds = range(FIRST_SEARCH_SEED, FIRST_SEARCH_SEED + spec.search.seeds)
    return Block(spec, variants, seeds, DEFAULT.name, curves="validation")


def confirmation_block(spec: StudySpec, variants: tuple[VariantSpec, ...]) -> Block:
    """Plan the winners on the study's seeds, which no trial has used."""
    return Block(spec, variants, range(spec.n_seeds), DEFAULT.name)


def search_run_counts(spec: StudySpec) -> list[RunCount]:
    """Count the runs of all trials and of the winners' confirmation, before any is chosen.

    Both arms have the same budget. They count with the network of the arm's own variant.
    """
    n_runs = spec.search.trials * spec.search.seeds + spec.n_seeds
    return [
        RunCount(engine_for(arm, arm_spec, DEFAULT.name), arm_spec, n_runs)
        for arm, arm_spec in _arms(spec)
    ]


def batch_run_epochs(spec: StudySpec) -> int:
    """Return the epochs of all runs that are searched at once, if none stops early."""
    batch = min(spec.search.batch, spec.search.trials)
    epochs = sum(arm_spec.training.epochs for _, arm_spec in _arms(spec))
    return batch * spec.search.seeds * epochs


def longest_training(spec: StudySpec, arm: VariantSpec) -> StudySpec:
    """Return the study with an arm's network and training, of as many epochs as a search tries."""
    resolved = spec.resolve(arm)
    if EPOCHS not in spec.search.space:
        return resolved
    return resolved.with_epochs(max(spec.search.space[EPOCHS].ends))


def _arms(spec: StudySpec) -> list[tuple[VariantSpec, StudySpec]]:
    # Without a claim there is no search; what it would take is told all the same.
    arms = spec.arms or (spec.variants[0],) * 2
    return [(arm, longest_training(spec, arm)) for arm in arms]
