"""The claim map: where the claim holds, over a grid of factor, patience and delay."""

import itertools
import json
import time
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from finetune.errors import SpecError
from finetune.plan import Block
from finetune.policy_spec import ReduceLRSpec, VariantSpec
from finetune.provenance import manifest
from finetune.report.map_report import write_map_report
from finetune.report.writing import write_whole
from finetune.spec import ClaimSpec, StudySpec
from finetune.stats.claim_map import claim_map
from finetune.store import ResultStore
from finetune.training import DEFAULTS, Options, train_blocks


@dataclass(frozen=True)
class Cell:
    """One setting: the claim's two arms with this factor and patience, the control delayed."""

    factor: float
    patience: int
    delay: int

    @property
    def arms(self) -> tuple[VariantSpec, VariantSpec]:
        """The treatment, from epoch 0, and the control, from the end of the delay."""
        return _arm(self.factor, self.patience, 0), _arm(self.factor, self.patience, self.delay)


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
    store.create()
    cells = [Cell(*setting) for setting in _grid(spec)]
    arms = {arm.name: arm for cell in cells for arm in cell.arms}
    block = Block(spec, tuple(arms.values()), tuple(range(spec.map.seeds)), "population")
    effort = train_blocks([block], store, options)
    seconds = {"training": time.perf_counter() - clock}
    table = _judge(store.runs(block.recipes, block.seeds), cells, spec.claim)
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


def _arm(factor: float, patience: int, start: int) -> VariantSpec:
    policy = ReduceLRSpec(factor=factor, patience=patience, start_from_epoch=start)
    return VariantSpec(
        name=f"factor {factor:g}, patience {patience}, from epoch {start}", reduce_lr=policy
    )


def _judge(runs: pd.DataFrame, cells: list[Cell], claim: ClaimSpec) -> pd.DataFrame:
    """Judge every cell; runs of one treatment serve all of its delays."""
    roles = {"treatment": claim.treatment, "control": claim.control}
    parts = []
    for number, cell in enumerate(cells):
        for name, arm in zip(roles.values(), cell.arms, strict=True):
            parts.append(runs[runs["variant"] == arm.name].assign(variant=name, cell=number))
    delays: dict[Hashable, int | None] = {n: cell.delay for n, cell in enumerate(cells)}
    judged = claim_map(pd.concat(parts, ignore_index=True), claim, delays=delays)
    settings = pd.DataFrame([asdict(cell) for cell in cells])
    return pd.concat([settings, judged.drop(columns="cell")], axis=1)
