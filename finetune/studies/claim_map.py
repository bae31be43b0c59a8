"""The claim map: where the claim holds, over a grid of factor, patience and delay."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from finetune.claims.grid import claim_map
from finetune.engines.registry import DEFAULT
from finetune.execution.training import Options, train_blocks
from finetune.planning.claim_map import GridPoint, grid_points, map_block
from finetune.planning.reduction import reducing_variants
from finetune.report.claim_map import write_map_report
from finetune.spec.study import StudySpec
from finetune.store.base import Store
from finetune.store.links import refuse_links_of_study
from finetune.store.manifest import Manifest
from finetune.store.results import ResultStore
from finetune.studies.data import with_absolute_margins
from finetune.studies.fit_only import fit_notes, train_exactly


@dataclass(frozen=True)
class ClaimMap:
    """A mapped claim: `table`, a row a cell (`claim_map`), and the folder with it all."""

    spec: StudySpec
    folder: Path
    table: pd.DataFrame


def map_claim(
    spec: StudySpec,
    folder: Path,
    *,
    store: Store | None = None,
    options: Options | None = None,
) -> ClaimMap:
    """Train every cell of the study's grid as one population, judge it, and write the report.

    Raises:
        SpecError: The study makes no claim about LR reduction.
        FinetuneError: something cannot be done; what was finished is stored.
    """
    reducing_variants(spec)
    started, clock = datetime.now(UTC), time.perf_counter()
    options = options or Options()
    spec = with_absolute_margins(spec, on_note=options.progress.note)
    claim = spec.underfits
    assert claim is not None
    refuse_links_of_study(folder)
    store = store or ResultStore(folder / "store")
    store.open(options.progress.note)
    summary, spec = train_exactly(
        lambda spec: train_blocks([map_block(spec, claim)], store, options),
        spec,
        engine=DEFAULT.name,
        progress=options.progress,
    )
    summary.raise_failures()
    block = map_block(spec, claim)
    trained = time.perf_counter()
    table = _judge(store.runs(block.recipes, block.seeds), grid_points(spec), spec)
    manifest = Manifest.of(
        spec, engine=DEFAULT.name, seeds=spec.map.seeds, command=options.command, started=started
    )
    manifest = manifest.updated(**vars(summary)).timed(training=trained - clock)
    manifest = manifest.noting(fit_notes(spec, DEFAULT.name))
    write_map_report(folder, spec=spec, table=table, manifest=manifest)
    manifest.write(folder)
    return ClaimMap(spec, folder, table)


def _judge(runs: pd.DataFrame, cells: list[GridPoint], spec: StudySpec) -> pd.DataFrame:
    """Judge every cell; runs of one treatment serve all of its delays."""
    claim = spec.underfits
    assert claim is not None
    roles = {"treatment": claim.treatment, "control": claim.control}
    parts = []
    for number, cell in enumerate(cells):
        for name, arm in zip(roles.values(), cell.variants(spec, claim), strict=True):
            parts.append(runs[runs["variant"] == arm.name].assign(variant=name, setting=number))
    together, numbers = pd.concat(parts, ignore_index=True), list(range(len(cells)))
    judged = claim_map(together, claim, spec=spec, settings=numbers)
    settings = pd.DataFrame([asdict(cell) for cell in cells])
    return pd.concat([settings, judged.drop(columns="setting")], axis=1)
