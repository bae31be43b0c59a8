"""The grid of a claim map: the claim's two variants at every factor, patience and delay."""

import itertools
from dataclasses import dataclass

from finetune.engines.registry import DEFAULT
from finetune.planning.block import Block, RunCount
from finetune.spec.claims import UnderfitsSpec
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec


@dataclass(frozen=True)
class GridPoint:
    """One setting of the grid: both variants with this factor and patience, the control delayed."""

    factor: float
    patience: int
    delay: int

    def variants(self, spec: StudySpec, claim: UnderfitsSpec) -> tuple[VariantSpec, VariantSpec]:
        """Return the treatment, from epoch 0, and the control, from the end of the delay.

        All but factor, patience and start are as in the claim's own variants.
        """
        treatment, control = spec.variant(claim.treatment), spec.variant(claim.control)
        return self._changed(treatment, start=0), self._changed(control, start=self.delay)

    def _changed(self, base: VariantSpec, *, start: int) -> VariantSpec:
        return base.reducing(
            name=f"factor {self.factor!r}, patience {self.patience}, from epoch {start}",
            factor=self.factor,
            patience=self.patience,
            start_from_epoch=start,
        )


def grid_points(spec: StudySpec) -> list[GridPoint]:
    """Return every setting of the study's grid."""
    grid = itertools.product(spec.map.factor, spec.map.patience, spec.map.delay)
    return [GridPoint(*setting) for setting in grid]


def map_block(spec: StudySpec, claim: UnderfitsSpec) -> Block:
    """Plan every variant of the grid once: one treatment serves all delays.

    A map shows what runs end with, and no curves.
    """
    variants = {v.name: v for point in grid_points(spec) for v in point.variants(spec, claim)}
    seeds = range(spec.map.seeds)
    return Block(spec, tuple(variants.values()), seeds, DEFAULT.name, curves="validation")


def map_run_count(spec: StudySpec) -> RunCount:
    """Count the runs of `map_block` without building it, since a grid may be far too large."""
    factors, patiences, delays = (
        len(set(values)) for values in (spec.map.factor, spec.map.patience, spec.map.delay)
    )
    n_variants = factors * patiences * (1 + delays)
    return RunCount(DEFAULT, spec, n_variants * spec.map.seeds)
