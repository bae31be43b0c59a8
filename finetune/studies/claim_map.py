"""The claim map: where the claim holds, over a grid of factor, patience and delay."""

import itertools
import json
import time
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from finetune.claims.grid import claim_map
from finetune.errors import SpecError
from finetune.execution.training import DEFAULTS, Options, train_blocks
from finetune.planning.block import Block
from finetune.report.claim_map import write_map_report
from finetune.spec.claims import ClaimSpec
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.store.atomic import write_whole
from finetune.store.manifest import manifest
from finetune.store.results import ResultStore


@dataclass(frozen=True)
class Cell:
    """One setting: the claim's two arms with this factor and patience, the control delayed."""

    factor: float
    patience: int
    delay: int

    def arms(self, spec: StudySpec, claim: ClaimSpec) -> tuple[VariantSpec, VariantSpec]:
        """Give the treatment, from epoch 0, and the control, from the end of the delay.

        All but factor, patience and start are as in the claim's own variants.
        """
        treatment, control = spec.variant(claim.treatment), spec.variant(claim.control)
        return self._arm(treatment, start=0), self._arm(control, start=self.delay)

    def _arm(self, base: VariantSpec, *, start: int) -> VariantSpec:
        return base.reducing(
            name=f"factor {self.factor!r}, patience {self.patience}, from epoch {start}",
            factor=self.factor,
            patience=self.patience,
            start_from_epoch=start,
        )


@dataclass(frozen=True)
class ClaimMap:
    """A mapped claim: `table`, a row a cell (`stats.claim_map`), and the folder with it all."""

    spec: StudySpec
    folder: Path
    table: pd.DataFrame


def map_claim(spec: StudySpec, folder: Path, *, options: Options = DEFAULTS) -> ClaimMap:
    """Train every cell of the study's grid as one population, judge it, and write the report.

    Raises:
        SpecError: The study makes no claim.
        FinetuneError: something cannot be done; what was finished is stored.
    """
    if spec.claim is None:
        raise SpecError("claim: missing; a map needs its margins and alpha: add [claim]")
    started, clock = datetime.now(UTC), time.perf_counter()
    store = ResultStore(folder / "store")
    store.open(options.on_note)
    cells = [Cell(*setting) for setting in _grid(spec)]
    _check_arms(spec, spec.claim)
    arms = {arm.name: arm for cell in cells for arm in cell.arms(spec, spec.claim)}
    block = Block(spec, tuple(arms.values()), tuple(range(spec.map.seeds)), "population")
    effort = train_blocks([block], store, options)
    effort.demand_all()
    seconds = {"training": time.perf_counter() - clock}
    table = _judge(store.runs(block.recipes, block.seeds), cells, spec)
    about = manifest(
        spec,
        engine="population",
        seeds=spec.map.seeds,
        command=options.command,
        started=started,
    )
    about |= {**asdict(effort), "wall_seconds": seconds}
    write_map_report(folder, spec=spec, table=table, manifest=about)
    write_whole(folder / "manifest.json", json.dumps(about, indent=2).encode())
    return ClaimMap(spec, folder, table)


def _grid(spec: StudySpec) -> itertools.product:
    return itertools.product(spec.map.factor, spec.map.patience, spec.map.delay)


def _check_arms(spec: StudySpec, claim: ClaimSpec) -> None:
    for name in (claim.treatment, claim.control):
        variant = spec.variant(name)
        if variant.callbacks or variant.schedule or variant.set_lr:
            raise SpecError(
                f"claim: {name!r} has a schedule or callbacks of its own beside LR reduction; "
                "allowed in a map are early_stopping and reduce_lr; name such a variant"
            )


def _judge(runs: pd.DataFrame, cells: list[Cell], spec: StudySpec) -> pd.DataFrame:
    """Judge every cell; runs of one treatment serve all of its delays."""
    claim = spec.claim
    assert claim is not None
    roles = {"treatment": claim.treatment, "control": claim.control}
    parts = []
    for number, cell in enumerate(cells):
        for name, arm in zip(roles.values(), cell.arms(spec, claim), strict=True):
            parts.append(runs[runs["variant"] == arm.name].assign(variant=name, cell=number))
    delays: dict[Hashable, int | None] = {n: cell.delay for n, cell in enumerate(cells)}
    judged = claim_map(pd.concat(parts, ignore_index=True), claim, delays=delays)
    settings = pd.DataFrame([asdict(cell) for cell in cells])
    return pd.concat([settings, judged.drop(columns="cell")], axis=1)
