"""Run a study: train what is missing, analyse it, and write its report."""

import time
from datetime import UTC, datetime
from pathlib import Path

from finetune.analysis.analysis import analyse
from finetune.analysis.tuned import read_tuned
from finetune.engines.registry import DEFAULT
from finetune.errors import SpecError, StoreError
from finetune.execution.training import Options, TrainingSummary, train_blocks
from finetune.planning.block import Block
from finetune.planning.estimate import estimate_run
from finetune.planning.outlook import outlook
from finetune.planning.plan import Plan
from finetune.report.render import write_report
from finetune.spec.study import StudySpec
from finetune.store.base import Store
from finetune.store.links import refuse_links_of_study
from finetune.store.manifest import Manifest, read_manifest
from finetune.store.results import ResultStore
from finetune.studies.data import describe_data, with_absolute_margins
from finetune.studies.fit_only import fit_notes, train_exactly
from finetune.studies.results import Results
from finetune.studies.until_decided import train_until_decided


def run_study(
    spec: StudySpec,
    folder: Path,
    *,
    engine: str = DEFAULT.name,
    store: Store | None = None,
    options: Options | None = None,
) -> Results:
    """Train what is missing, then analyse it and write the report.

    Args:
        spec: The study.
        folder: Where the report goes.
        engine: Which engine trains the variants that it can.
        store: Where runs are kept; by default in the folder.
        options: How to train.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    options = options or Options()
    started, clock = datetime.now(UTC), time.perf_counter()
    refuse_links_of_study(folder)
    store = store or ResultStore(folder / "store")
    store.open(options.progress.note)
    spec = with_absolute_margins(spec, on_note=options.progress.note)

    def train(spec: StudySpec) -> tuple[TrainingSummary, int]:
        plan = Plan.of(spec, engine)
        options.progress.note(outlook(plan, estimate_run(spec, engine), folder))
        if not spec.looks:
            return train_blocks(plan.blocks, store, options), spec.n_seeds
        return train_until_decided(spec, engine, store, options)

    (summary, seeds), spec = train_exactly(train, spec, engine=engine, progress=options.progress)
    plan = Plan.of(spec, engine, seeds=seeds)
    if summary.failures and not len(store.runs(plan.runs.recipes, plan.runs.seeds)):
        summary.raise_failures()
    manifest = Manifest.of(
        spec, engine=engine, seeds=seeds, command=options.command, started=started
    )
    manifest = manifest.updated(**vars(summary)).timed(training=time.perf_counter() - clock)
    manifest = manifest.noting(fit_notes(spec, engine)).continuing(_earlier(folder))
    manifest = describe_data(manifest, on_note=options.progress.note)
    # What only training tells is kept, even if the program is killed from here on.
    manifest.write(folder)
    stored = plan.stored(store) if summary.failures else plan
    return _report(stored, store, folder, manifest=manifest, figures=options.figures)


def train_slice(
    spec: StudySpec,
    folder: Path,
    number: int,
    of: int,
    *,
    engine: str = DEFAULT.name,
    options: Options | None = None,
) -> int:
    """Train one slice of a study's seeds; write what training told, and no report.

    Slices share no run. Once all of them lie in one folder, `run_study` there trains nothing more.

    Args:
        spec: The study.
        folder: Of the study; its `store` holds what is trained.
        number: Of the slice, from 1.
        of: How many slices there are.
        engine: Which engine trains the variants that it can.
        options: How to train.

    Returns:
        How many runs of the whole study are not in the folder yet.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    options = options or Options()
    started = datetime.now(UTC)
    if spec.looks:
        raise SpecError(
            "--slice: the study trains as many seeds as its claims need, which no slice can know; "
            "allowed is a fixed number of seeds; give --seeds N, or run it without --slice"
        )
    refuse_links_of_study(folder)
    store = ResultStore(folder / "store")
    store.open(options.progress.note)

    def train(spec: StudySpec) -> tuple[list[Block], TrainingSummary]:
        blocks = Plan.of(spec, engine).blocks
        slices = [block.slice(number, of) for block in blocks]
        summary = train_blocks(slices, store, options)
        summary.raise_failures()
        return blocks, summary

    (blocks, summary), spec = train_exactly(train, spec, engine=engine, progress=options.progress)
    manifest = Manifest.of(
        spec, engine=engine, seeds=spec.n_seeds, command=options.command, started=started
    )
    manifest = manifest.updated(**vars(summary)).noting(fit_notes(spec, engine))
    manifest.continuing(_earlier(folder)).write(folder)
    missing = [store.missing(block.recipes, block.seeds).values() for block in blocks]
    return sum(len(names) for seeds in missing for names in seeds)


def read_study(folder: Path, *, figures: bool = True) -> Results:
    """Read a finished study from its folder and write its report anew.

    Raises:
        StoreError: the folder holds no study, or not all of its runs, or a link.
    """
    refuse_links_of_study(folder)
    manifest, store = read_manifest(folder), ResultStore(folder / "store")
    store.check()
    plan = _plan_of_stored(manifest, store, folder)
    return _report(plan, store, folder, manifest=manifest, figures=figures)


def _earlier(folder: Path) -> Manifest | None:
    """Return the manifest that is in a folder; None where there is none that can be read."""
    try:
        return read_manifest(folder)
    except StoreError:
        return None


def _plan_of_stored(manifest: Manifest, store: Store, folder: Path) -> Plan:
    # A study until its claims are decided ends at a number that training found.
    seeds = manifest.seeds if manifest.spec.looks else manifest.spec.n_seeds
    # Counted first: a manifest may claim more seeds than could be listed.
    lacking = max(0, seeds - store.count())
    if not lacking:
        plan = Plan.of(manifest.spec, manifest.engine, seeds=seeds)
        lacking = len(store.missing(plan.runs.recipes, plan.runs.seeds))
        if not lacking:
            return plan.stored(store)
    raise StoreError(
        f"DIR: the store of {str(folder)!r} lacks runs of {lacking} seeds; train them with "
        "`finetune run`"
    )


def _report(
    plan: Plan, store: Store, folder: Path, *, manifest: Manifest, figures: bool
) -> Results:
    clock = time.perf_counter()
    tuned = read_tuned(folder, plan.runs.spec)
    analysis = analyse(plan, store, tuned=tuned, manifest=manifest)
    analysed = time.perf_counter()
    manifest = manifest.timed(statistics=analysed - clock).looked(analysis.looks)
    write_report(folder, analysis, manifest, figures=figures)
    manifest = manifest.timed(report=time.perf_counter() - analysed)
    manifest.write(folder)
    return Results(folder, analysis, manifest)
