"""Plan and run a study, and write its report: the one place where the rooms meet."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.analysis.tuned import read_tuned
from finetune.claims.verdict import Verdict, judge_claim
from finetune.claims.words import plan_sentence
from finetune.errors import StoreError
from finetune.execution.training import DEFAULTS, Options, train_blocks
from finetune.planning.block import Block
from finetune.planning.plan import PROBE_ARMS, PROBE_EPOCHS, Plan
from finetune.report.render import write_report
from finetune.report.sections.parity import parity_section
from finetune.report.sections.probe import probe_section
from finetune.report.sections.tuned import tuned_section
from finetune.spec.study import EngineName, StudySpec
from finetune.stats import power
from finetune.stats.parity import Parity, compare_engines
from finetune.stats.probe import Probe, falls, probe
from finetune.stats.variance import variance_table
from finetune.store.atomic import write_whole
from finetune.store.manifest import manifest, read_manifest
from finetune.store.results import ResultStore
from finetune.studies.results import Results


def run_study(
    spec: StudySpec,
    folder: Path,
    *,
    engine: EngineName = "population",
    options: Options = DEFAULTS,
) -> Results:
    """Train what is missing, then analyse and write the report to `folder`.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    store = ResultStore(folder / "store")
    store.open(options.on_note)
    if spec.claim:
        options.on_note(plan_sentence(power.detectable_effect(spec.seeds, alpha=spec.claim.alpha)))
    plan = Plan.of(spec, engine)
    effort = train_blocks(plan.blocks, store, options)
    if effort.failures and not len(store.runs(plan.runs.recipes, plan.runs.seeds)):
        effort.demand_all()
    about = manifest(
        spec, engine=engine, seeds=spec.seeds, command=options.command, started=started
    )
    about |= {**asdict(effort), "wall_seconds": {"training": time.perf_counter() - clock}}
    return _analyse(plan.stored(store) if effort.failures else plan, store, folder, manifest=about)


def train_part(
    spec: StudySpec,
    folder: Path,
    number: int,
    of: int,
    *,
    engine: EngineName = "population",
    options: Options = DEFAULTS,
) -> int:
    """Train one of the parts into which a study's seeds are cut, and write no report.

    Parts share no run. Once all of them lie in one folder, `run_study` there trains nothing more.

    Args:
        spec: The study.
        folder: Of the study; its `store` holds what is trained.
        number: Of the part, from 1.
        of: How many parts there are.
        engine: Who trains.
        options: How to train.

    Returns:
        How many runs of the whole study are not in the folder yet.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    store = ResultStore(folder / "store")
    store.open(options.on_note)
    blocks = Plan.of(spec, engine).blocks
    train_blocks([block.part(number, of) for block in blocks], store, options).demand_all()
    missing = [store.missing(block.recipes, block.seeds).values() for block in blocks]
    return sum(len(names) for seeds in missing for names in seeds)


def read_study(folder: Path) -> Results:
    """Read a finished study from its folder and write its report anew.

    Raises:
        StoreError: the folder holds no study, or not all of its runs.
    """
    about, spec = read_manifest(folder)
    store = ResultStore(folder / "store")
    store.check()
    # Counted first: a manifest may claim more seeds than could be listed.
    lacking = max(0, spec.seeds - store.count())
    if not lacking:
        plan = Plan.of(spec, about["engine"])
        lacking = len(store.missing(plan.runs.recipes, plan.runs.seeds))
    if lacking:
        raise StoreError(
            f"DIR: the store of {str(folder)!r} lacks runs of {lacking} seeds; train them with "
            "`finetune run`"
        )
    return _analyse(plan.stored(store), store, folder, manifest=about)


def _analyse(plan: Plan, store: ResultStore, folder: Path, *, manifest: dict[str, Any]) -> Results:
    clock = time.perf_counter()
    runs = _all_runs(plan.runs, store)
    epochs = store.epochs(plan.runs.recipes, plan.runs.seeds)
    again = plan.same_again
    replicate = store.runs(again.recipes, again.seeds) if again else None
    verdict = _judge(plan, runs, replicate)
    probed = _probe(plan, store)
    parity = _certify(plan, store, epochs)
    tuned = read_tuned(folder, plan.runs.spec)
    manifest["notes"] = sorted({*manifest.get("notes", ()), *_mixtures(plan.runs, store)})
    manifest["wall_seconds"]["statistics"] = time.perf_counter() - clock
    write_report(
        folder,
        spec=plan.runs.spec,
        runs=runs,
        epochs=epochs,
        manifest=manifest,
        verdict=verdict,
        replicate=replicate,
        variance=_variance(plan, store, runs),
        extra_sections=[
            *([tuned_section(tuned)] if tuned else []),
            *([probe_section(probed, epochs=PROBE_EPOCHS)] if probed else []),
            *([parity_section(parity)] if parity else []),
        ],
    )
    if verdict:
        write_whole(folder / "verdict.json", verdict.to_json().encode())
    manifest["wall_seconds"]["report"] = time.perf_counter() - clock
    write_whole(folder / "manifest.json", json.dumps(manifest, indent=2).encode())
    return Results(plan.runs.spec, folder, runs, epochs, verdict, manifest)


def _all_runs(block: Block, store: ResultStore) -> pd.DataFrame:
    """Give the runs, those whose task failed too: these have the status "failed" and no numbers."""
    runs = store.runs(block.recipes, block.seeds)
    have = pd.MultiIndex.from_arrays([runs["variant"], runs["seed"]])
    wanted = pd.MultiIndex.from_product([block.recipes, block.seeds], names=["variant", "seed"])
    lost = wanted.difference(have).to_frame(index=False)
    if lost.empty:
        return runs
    return pd.concat([runs, lost.assign(status="failed")], ignore_index=True)


def _mixtures(block: Block, store: ResultStore) -> list[str]:
    """Say of which packages several versions trained the runs: such runs may differ by more."""
    return [
        f"Runs were trained by several versions of {package}: "
        + ", ".join(f"{version} ({runs} runs)" for version, runs in sorted(found.items()))
        for package, found in store.mixtures(block.recipes).items()
    ]


def _judge(plan: Plan, runs: pd.DataFrame, replicate: pd.DataFrame | None) -> Verdict | None:
    spec = plan.runs.spec
    if spec.claim is None:
        return None
    return judge_claim(runs, spec, replicate=replicate, seeds=plan.runs.seeds)


def _probe(plan: Plan, store: ResultStore) -> Probe | None:
    block = plan.probe
    if block is None or plan.runs.spec.claim is None:
        return None
    epochs = store.epochs(block.recipes, block.seeds)
    end = plan.runs.spec.training.epochs
    treatment, control = falls(epochs, PROBE_ARMS, begin=end - 1)
    if len(treatment.train) < 2:
        # Too many runs failed; the report says of the study's own which.
        return None
    return probe(treatment, control, alpha=plan.runs.spec.claim.alpha)


def _certify(plan: Plan, store: ResultStore, epochs: pd.DataFrame) -> Parity | None:
    block = plan.parity
    if block is None:
        return None
    reference = store.epochs(block.recipes, block.seeds)
    return compare_engines(epochs, reference, budget=block.spec.training.epochs)


def _variance(plan: Plan, store: ResultStore, runs: pd.DataFrame) -> pd.DataFrame | None:
    if not plan.variance:
        return None
    sources = {
        source: store.runs(block.recipes, block.seeds)
        for block in plan.variance
        for source in block.spec.vary
    }
    names = [variant.name for variant in plan.variance[0].variants]
    return variance_table(sources, runs, variants=names)
