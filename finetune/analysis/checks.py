"""The checks that the trust in a study rests on, from the runs that were trained for them."""

import pandas as pd

from finetune.planning.checks import PROBE_ARMS, PROBE_EPOCHS
from finetune.planning.plan import Plan
from finetune.stats.parity import Parity, compare_engines
from finetune.stats.probe import Probe, falls, probe
from finetune.stats.variance import variance_table
from finetune.store.base import Store


def probe_learning_rate(plan: Plan, store: Store) -> Probe | None:
    """Compare how far losses fall after training, at the base LR and at the final one."""
    block, claim = plan.probe, plan.runs.spec.claim
    if block is None or claim is None:
        return None
    epochs = store.epochs(block.recipes, block.seeds)
    begin = (block.epochs or 0) - PROBE_EPOCHS - 1
    treatment, control = falls(epochs, PROBE_ARMS, begin=begin)
    if len(treatment.train) < 2:
        # Too many runs failed; the report lists those of the study itself.
        return None
    return probe(treatment, control, alpha=claim.alpha)


def certify(plan: Plan, store: Store, epochs: pd.DataFrame) -> Parity | None:
    """Compare some runs with those that the reference engine trained; `epochs` are the study's."""
    block = plan.parity
    if block is None:
        return None
    reference = store.epochs(block.recipes, block.seeds)
    return compare_engines(epochs, reference, budget=block.epochs or block.spec.training.epochs)


def spread_by_source(plan: Plan, store: Store, runs: pd.DataFrame) -> pd.DataFrame | None:
    """Return the spread over seeds where one source of randomness varies at a time."""
    if not plan.variance:
        return None
    sources = {
        source: store.runs(block.recipes, block.seeds)
        for block in plan.variance
        for source in block.spec.vary
    }
    names = [variant.name for variant in plan.variance[0].variants]
    return variance_table(sources, runs, variants=names)
