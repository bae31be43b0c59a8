"""Plan and run a study, and write its report: the one place where the rooms meet."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.errors import StoreError
from finetune.execution import execute
from finetune.plan import Plan
from finetune.provenance import machine, versions
from finetune.report.claim_section import claim_section
from finetune.report.parity_section import parity_section
from finetune.report.writing import write_report, write_whole
from finetune.spec import EngineName, StudySpec
from finetune.stats.parity import Parity, compare_engines
from finetune.stats.verdict import Verdict, judge_claim
from finetune.store import ResultStore


@dataclass(frozen=True)
class Results:
    """A study's results: `runs` and `epochs` as tables, the verdict, and the folder with it all."""

    spec: StudySpec
    folder: Path
    runs: pd.DataFrame
    epochs: pd.DataFrame
    verdict: Verdict | None
    manifest: dict[str, Any]

    @property
    def failed(self) -> int:
        """Number of runs in which a loss became NaN or infinite."""
        return list(self.runs["status"]).count("failed")


@dataclass(frozen=True)
class Options:
    """How a study is run; none of it changes a number.

    Attributes:
        workers: Local worker processes; default one a core, 0 for the calling process.
        address: A Dask scheduler to use instead.
        command: The command that reproduces the study, for the report.
        on_plan: Told how many runs are stored and how many are to be trained.
        on_progress: Told how many runs are done, counting parts of runs.
    """

    workers: int | None = None
    address: str | None = None
    command: str | None = None
    on_plan: Callable[[int, int], None] = lambda stored, missing: None
    on_progress: Callable[[float], None] = lambda done: None


def run_study(
    spec: StudySpec,
    folder: Path,
    *,
    engine: EngineName = "population",
    options: Options = Options(),
) -> Results:
    """Train what is missing, then analyse and write the report to `folder`.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    store = ResultStore(folder / "store")
    store.create()
    plan = Plan.of(spec, engine)
    trained = _train(plan, store, options)
    manifest = {
        "name": spec.name,
        "engine": engine,
        "digest": spec.problem,
        "command": options.command,
        "started": started.isoformat(timespec="seconds"),
        "seeds": spec.seeds,
        **trained,
        "wall_seconds": {"training": time.perf_counter() - clock},
        "versions": versions(),
        "machine": machine(),
        "spec": spec.model_dump(mode="json"),
    }
    return _analyse(plan, store, folder, manifest=manifest)


def read_study(folder: Path) -> Results:
    """Read a finished study from its folder and write its report anew.

    Raises:
        StoreError: the folder holds no study, or not all of its runs.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        spec = StudySpec.model_validate_json(json.dumps(manifest["spec"]))
        plan = Plan.of(spec, manifest["engine"])
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
    return _analyse(plan, store, folder, manifest=manifest)


def _train(plan: Plan, store: ResultStore, options: Options) -> dict[str, Any]:
    """Train what the store lacks; give the counts that the manifest tells."""
    workers = options.workers or os.cpu_count() or 1
    tasks = [task for block in plan.blocks for task in block.tasks(store, workers=workers)]
    wanted = sum(len(block.variants) * len(block.seeds) for block in plan.blocks)
    missing = sum(len(task.runs) for task in tasks)
    options.on_plan(wanted - missing, missing)
    done = [0.0] * len(tasks)

    def progress(position: int, share: float) -> None:
        done[position] = max(done[position], share * len(tasks[position].runs))
        options.on_progress(sum(done))

    row_epochs, run_epochs, notes = 0, 0, set()
    for position, frames in execute(
        tasks, workers=options.workers, address=options.address, on_progress=progress
    ):
        store.write(frames.runs, frames.epochs)
        progress(position, 1.0)
        row_epochs += frames.rows_trained
        run_epochs += len(frames.epochs)
        notes |= set(frames.notes)
    return {
        "runs_reused": wanted - missing,
        "runs_trained": missing,
        "row_epochs_trained": row_epochs,
        "run_epochs_delivered": run_epochs,
        "notes": sorted(notes),
    }


def _analyse(plan: Plan, store: ResultStore, folder: Path, *, manifest: dict[str, Any]) -> Results:
    clock = time.perf_counter()
    runs = store.runs(plan.runs.recipes, plan.runs.seeds)
    epochs = store.epochs(plan.runs.recipes, plan.runs.seeds)
    verdict = _judge(plan, store, runs)
    parity = _certify(plan, store, epochs)
    manifest["wall_seconds"]["statistics"] = time.perf_counter() - clock
    write_report(
        folder,
        spec=plan.runs.spec,
        runs=runs,
        epochs=epochs,
        manifest=manifest,
        claim_section=claim_section(verdict) if verdict else "",
        extra_sections=[parity_section(parity)] if parity else [],
    )
    if verdict:
        write_whole(folder / "verdict.json", verdict.to_json().encode())
    manifest["wall_seconds"]["report"] = time.perf_counter() - clock
    write_whole(folder / "manifest.json", json.dumps(manifest, indent=2).encode())
    return Results(plan.runs.spec, folder, runs, epochs, verdict, manifest)


def _judge(plan: Plan, store: ResultStore, runs: pd.DataFrame) -> Verdict | None:
    spec, again = plan.runs.spec, plan.same_again
    if spec.claim is None:
        return None
    replicate = store.runs(again.recipes, again.seeds) if again else None
    return judge_claim(runs, spec, replicate=replicate, seeds=plan.runs.seeds)


def _certify(plan: Plan, store: ResultStore, epochs: pd.DataFrame) -> Parity | None:
    block = plan.parity
    if block is None:
        return None
    return compare_engines(epochs, store.epochs(block.recipes, block.seeds))
