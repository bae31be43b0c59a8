"""The English of a report, once and whole: a made-up study in which every section applies.

After a deliberate change of words, write the text anew and read what git shows as changed:

    RENEW_GOLDEN=1 pytest tests/report/test_golden.py
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from finetune.analysis.analysis import Analysis, Checks, analyse_runs
from finetune.data.reading import ColumnReading, TableReading
from finetune.data.summary import Baselines, DataSummary, SplitCount
from finetune.models.summary import LayerSummary, NetworkSummary
from finetune.planning.check_sizes import CheckSize
from finetune.report.markdown import Section
from finetune.report.render import report_text
from finetune.report.sections.registry import SECTIONS
from finetune.stats.parity import Parity, RunParity
from finetune.stats.probe import Falls, probe
from finetune.stats.variance import variance_table
from finetune.store.manifest import FailedTask, Manifest
from tests.made_study import CLAIM, make_claim
from tests.made_tuned import (
    FACTOR,
    PATIENCE,
    START,
    make_arm,
    make_baseline,
    make_contrasts,
    make_tuned,
)
from tests.report.made_report import context_of, made_manifest

GOLDEN = Path(__file__).parent / "golden" / "report.md"


def resolved() -> dict[str, Any]:
    """Make what a manifest says of data and network, and of a constant that one variant equals."""
    columns = (
        ColumnReading("age", "number", missing=1, missing_words={"?": 1}, features=1),
        ColumnReading("town", "category", categories=3, features=3),
        ColumnReading("id", "dropped"),
    )
    counts = {"training": (20, 16), "validation": (7, 5), "test": (6, 6)}
    splits = tuple(SplitCount(name, sum(rows), rows) for name, rows in counts.items())
    reading = TableReading(ColumnReading("bought", "category", categories=2), columns)
    why = "the target has 2 distinct values, which are classes"
    layers = (
        LayerSummary("dense", "Dense", (64,), 320),
        LayerSummary("dense_1", "Dense", (1,), 65),
    )
    return {
        "data": DataSummary("binary", why, ("no", "yes"), splits, reading),
        "network": NetworkSummary(layers, trainable=385, other=0, penalised=False),
        "baselines": Baselines("shares", (0.2,), (0.2,), (0.15,)),
    }


def complete_analysis(manifest: Manifest) -> Analysis:
    """Analyse a study with a claim, all of its checks, a search and failed runs."""
    made = make_claim(failed=(("early stopping", 3), ("early stopping", 4)))
    untrained = (made.runs["variant"] == "early stopping") & (made.runs["seed"] == 4)
    made.runs.loc[untrained, "epochs_run"] = np.nan
    epochs = made.epochs.loc[
        (made.epochs["variant"] != "early stopping") | (made.epochs["seed"] != 4)
    ]
    arms = (CLAIM["treatment"], CLAIM["control"])
    sources = {"init": made.runs, "order": make_claim(seeds=8, spread=0.004).runs}
    steps = np.linspace(0.01, 0.02, 10)
    checks = Checks(
        replicate=made.replicate,
        probe=probe(Falls(steps, steps / 2), Falls(steps / 4, steps / 8), alpha=0.05),
        parity=Parity(
            (
                RunParity("reduction", 0, 20, 20, 4, True, 4.5e-8, 6e-8),
                RunParity("early stopping", 0, 9, 11, 0, True, 6e-8, 1.2e-6),
            )
        ),
        variance=variance_table(sources, made.runs, variants=arms),
        sizes=(
            CheckSize("parity", True, seeds=1, n_runs=2, whole_seeds=1, whole_runs=2),
            CheckSize("same_again", True, seeds=10, n_runs=10, whole_seeds=10, whole_runs=10),
            CheckSize("probe", 4, seeds=4, n_runs=8, whole_seeds=4, whole_runs=8),
            CheckSize("variance", True, seeds=0, n_runs=0, whole_seeds=10, whole_runs=40),
        ),
    )
    at_edge = make_arm(START, failed=3, setting={FACTOR: 0.051, PATIENCE: 1})
    tuned = make_tuned(
        arms=[at_edge, make_tuned().arms[1].model_dump()],
        contrasts=make_contrasts(gain=0.001),
        baseline=make_baseline([0.25, 0.252, 0.26], [0.26, 0.261, 0.28]),
    )
    return analyse_runs(made.spec, made.runs, epochs, checks=checks, tuned=tuned, manifest=manifest)


def test_the_report_reads_as_it_should():
    manifest = made_manifest(
        spec=make_claim().spec,
        **resolved(),
        failures=(
            FailedTask(variants=("early stopping",), seeds=(4,), reason="worker lost three times"),
        ),
        notes=("Two workers were lost.",),
        row_epochs_trained=300,
        run_epochs_delivered=480,
        runs_trained=40,
        wall_seconds={"training": 75.0, "report": 3.94},
    )
    analysis = complete_analysis(manifest)
    context = context_of(analysis, manifest)
    sections = [Section(section.title, section.body(context)) for section in SECTIONS]
    assert [section.title for section in sections if not section.body] == []
    text = report_text(context)
    if os.environ.get("RENEW_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
