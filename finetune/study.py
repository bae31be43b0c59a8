"""Plan and run a study, and write its report: the one place where the rooms meet."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.errors import StoreError
from finetune.plan import PROBE_ARMS, PROBE_EPOCHS, Plan
from finetune.provenance import manifest
from finetune.report.parity_section import parity_section
from finetune.report.probe_section import probe_section
from finetune.report.tuned import read_tuned
from finetune.report.tuned_section import tuned_section
from finetune.report.writing import write_report
from finetune.results import Results
from finetune.spec import EngineName, StudySpec
from finetune.stats import power
from finetune.stats.parity import Parity, compare_engines
from finetune.stats.probe import Probe, falls, probe
from finetune.stats.variance import variance_table
from finetune.stats.verdict import Verdict, judge_claim
from finetune.stats.wording import plan_sentence
from finetune.store import ResultStore
from finetune.training import DEFAULTS, Options, train_blocks
from finetune.whole_file import write_whole


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
    store.create()
    if spec.claim:
        options.on_note(plan_sentence(power.plan(spec.seeds, alpha=spec.claim.alpha)))
    plan = Plan.of(spec, engine)
    effort = train_blocks(plan.blocks, store, options)
    about = manifest(
        spec, engine=engine, seeds=spec.seeds, command=options.command, started=started
    )
    about |= {**asdict(effort), "wall_seconds": {"training": time.perf_counter() - clock}}
    return _analyse(plan, store, folder, manifest=about)


def read_study(folder: Path) -> Results:
    """Read a finished study from its folder and write its report anew.

    Raises:
        StoreError: the folder holds no study, or not all of its runs.
    """
    try:
        about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        spec = StudySpec.model_validate_json(json.dumps(about["spec"]))
        plan = Plan.of(spec, about["engine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"DIR: {str(folder)!r} holds no study that can be read ({type(error).__name__}); "
            "allowed is a folder that `finetune run` wrote"
        ) from error
    store = ResultStore(folder / "store")
    missing = store.missing(plan.runs.recipes, plan.runs.seeds)
    if missing:
        raise StoreError(
            f"DIR: the store of {str(folder)!r} lacks runs of {len(missing)} seeds; train them "
            "with `finetune run`"
        )
    return _analyse(plan.stored(store), store, folder, manifest=about)


def _analyse(plan: Plan, store: ResultStore, folder: Path, *, manifest: dict[str, Any]) -> Results:
    clock = time.perf_counter()
    runs = store.runs(plan.runs.recipes, plan.runs.seeds)
    epochs = store.epochs(plan.runs.recipes, plan.runs.seeds)
    again = plan.same_again
    replicate = store.runs(again.recipes, again.seeds) if again else None
    verdict = _judge(plan, runs, replicate)
    probed = _probe(plan, store)
    parity = _certify(plan, store, epochs)
    tuned = read_tuned(folder, plan.runs.spec)
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
