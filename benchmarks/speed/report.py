"""The report of the measurements, `report.md`, and the numbers behind it."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.speed.equality import EPOCHS, TOLERANCE
from benchmarks.speed.figure import figure_files
from benchmarks.speed.methods import (
    FORKING,
    JAX,
    JAX_DROPPING,
    LOCKSTEP,
    LOOP,
    LOOP_LESS,
    SKLEARN,
    TUNED,
    TUNED_ALL,
)
from benchmarks.speed.network_rounds import NetworkExtent
from benchmarks.speed.network_table import HEADING, network_section, with_section
from benchmarks.speed.rounds import Extent, Measurements
from benchmarks.speed.summary import summarise
from finetune.report.markdown import (
    Section,
    bullets,
    code_block,
    join_sections,
    number,
    paragraphs,
    spread,
    table,
)
from finetune.store.atomic import write_whole
from finetune.store.machine import machine
from finetune.store.versions import versions

_REPRODUCE = """
pip install -c constraints.txt -e '.[bench]'
python -m benchmarks.speed
"""


def write_report(out: Path, measured: Measurements, extent: Extent) -> Path:
    """Write `report.md`, `speed.json`, `*.csv` and `figures/` into `out`; the report comes last."""
    summary = summarise(measured)
    files = {f"figures/{n}": image for n, image in figure_files(measured.sweep, summary).items()}
    for name in ("rounds", "sweep", "tried", "networks"):
        files[f"{name}.csv"] = getattr(measured, name).to_csv(index=False).encode()
    provenance = {"machine": machine(), "versions": _versions()}
    numbers = {
        "methods": json.loads(str(summary.to_json(orient="index"))),
        "peak_gflops": measured.peak / 1e9,
        "loss_differences": measured.differences,
        **provenance,
    }
    files["speed.json"] = json.dumps(numbers, indent=2).encode()
    files["report.md"] = render(summary, measured, extent, provenance).encode()
    for name, content in files.items():
        write_whole(out / name, content)
    return out / "report.md"


def write_networks(out: Path, timed: pd.DataFrame, extent: NetworkExtent) -> Path:
    """Write the table of networks anew into a report that is there."""
    report = out / "report.md"
    section = network_section(timed, extent)
    write_whole(out / "networks.csv", timed.to_csv(index=False).encode())
    write_whole(report, with_section(report.read_text("utf-8"), section).encode())
    return report


def render(
    summary: pd.DataFrame, measured: Measurements, extent: Extent, provenance: dict[str, Any]
) -> str:
    """Return the report as Markdown."""
    sections = [
        Section("Over the number of runs", _plot(measured.sweep)),
        Section(HEADING, network_section(measured.networks, extent.networks)),
        Section("What it takes", _resources(summary, measured)),
        Section("The work", _work(measured, extent)),
        Section("Methods", _methods(summary)),
        Section("Configurations tried", _tried(measured.tried, summary)),
        Section("Reproduce", code_block(_REPRODUCE, language="bash")),
        Section("Machine and versions", _provenance(provenance)),
    ]
    opening = paragraphs(_headline(summary), _ratios(summary))
    return join_sections("Speed", opening=opening, sections=sections)


def _headline(summary: pd.DataFrame) -> str:
    ours: dict[str, Any] = summary.loc[FORKING].to_dict()
    than_jax = (
        f" and {_times(ours['vs_jax'])} the jax lockstep trainer" if JAX in summary.index else ""
    )
    text = (
        f"A run-epoch of the founding study, evaluated on all of its data, takes "
        f"{number(ours['ms'])} ms with forking: **{_times(ours['vs_keras'])} the speed of the "
        f"one-process Keras `fit` loop**, {_times(ours['vs_keras_tuned'])} that of the cheapest "
        f"Keras that does the same work{than_jax}."
    )
    missing = "jax is not installed here, so the jax trainer is left out." if not than_jax else ""
    return paragraphs(text, missing)


def _ratios(summary: pd.DataFrame) -> str:
    rows = [
        [
            row["label"],
            spread(row["ms"], row["ms_low"], row["ms_high"]),
            *(_times(row[name]) for name in ("vs_keras", "vs_keras_tuned", "vs_jax")),
        ]
        for row in summary.to_dict("records")
    ]
    columns = ["", "ms a run-epoch", "against Keras", "against tuned Keras", "against jax"]
    note = (
        "Median of the rounds (least to most). Ratios above 1 are faster; each is the median of "
        "the ratios within a round."
    )
    return paragraphs(table(rows, columns=columns), note)


def _plot(sweep: pd.DataFrame) -> str:
    most = max(sweep["runs"])
    return paragraphs(
        f"![Milliseconds a run-epoch over 1 to {most:,} runs](figures/runs.svg)",
        "Few runs leave the processor idle between small operations; many share what a step "
        "costs. Forking gains most while the variants of a seed are still the same run. Bands "
        "show the least and the most where a training was short enough to be repeated.",
    )


def _resources(summary: pd.DataFrame, measured: Measurements) -> str:
    rows = [
        [
            row["label"],
            number(row["cpu_ms"]),
            _times(row["cpu_vs_keras"]),
            _times(row["cpu_vs_jax"]),
            number(row["rows_per_run"]),
            f"{row['memory']:.0f}",
            number(row["first_call"]),
            number(row["gflops"]),
            f"{100 * row['share_of_peak']:.2g} %",
        ]
        for row in summary.to_dict("records")
    ]
    columns = [
        "", "processor ms a run-epoch", "against Keras", "against jax", "rows trained a run",
        "peak memory of a process, MiB", "first call, s", "GFLOP/s", "share of peak",
    ]  # fmt: skip
    return paragraphs(
        table(rows, columns=columns),
        "Processor time is summed over all processes; other programs on the machine disturb it "
        "less than the clock. Rows trained a run: epochs of rows of weights for each epoch of a "
        "run delivered; below 1 where runs share rows, above 1 where rows of stopped runs train "
        "on. The first call traces and compiles, and is not in the times.",
        f"The peak is {measured.peak / 1e9:.0f} GFLOP/s: the fastest float32 product of two large "
        "matrices on one core, times the cores. Operations are those of the network's matrix "
        "products, 2 m k n each: forward, twice again for the gradients (none of the inputs), and "
        "the evaluations.",
    )


def _work(measured: Measurements, extent: Extent) -> str:
    largest = max(measured.differences.values(), default=0.0)
    return paragraphs(
        bullets(
            "The founding study: its data (600 training, 200 validation and 200 test rows), Dense "
            "64-32-16 and one output, Adam at 0.01, batches of 32, float32.",
            "After every epoch loss and accuracy on all training, validation and test rows; then "
            "the policies of the study's five variants.",
            f"A round trains {extent.seeds} seeds with all variants for {extent.epochs} epochs, or "
            f"until early stopping ends a run; only the epochs that a run lasts are counted. "
            f"Methods that train one run at a time train one run a process, of "
            f"{extent.single_epochs} epochs, since an epoch costs the same in each run.",
            f"{extent.rounds} round{'s' if extent.rounds > 1 else ''}, each method once a round "
            "in turn, all processes started and warm.",
        ),
        f"**The work is equal.** Before timing, three seeds of all variants are trained for "
        f"{EPOCHS} epochs with a patience of 1, so that rates are cut and runs stop. All "
        f"methods that train the same start from the same weights and batches, must deliver "
        f"the same epochs, and every loss must agree with our engine's within {TOLERANCE:g}. The "
        f"largest difference was {largest:.1e}.",
    )


def _methods(summary: pd.DataFrame) -> str:
    """Describe each method and its configuration."""
    descriptions = {
        LOOP: "`fit` on arrays with `validation_data`, the study's callbacks, and one more that "
        "evaluates training and test rows in one compiled call (`Model.evaluate` twice an epoch "
        "would more than double the time). It shuffles for itself.",
        LOOP_LESS: "the same without the evaluation of training and test rows: less work.",
        TUNED: "the cheapest way to do the same work with `fit` that was found: "
        "`steps_per_execution` runs a whole epoch in one call, batches come from `tf.data`, "
        "validation is one batch.",
        TUNED_ALL: "the same in one process a core, runs divided among them.",
        SKLEARN: "**not the same training**: same sizes, steps and Adam, but nothing is evaluated "
        "after an epoch and there are no callbacks. A run a process.",
        JAX: "`vmap` over runs, `scan` over batches, `jit` around an epoch with its evaluations. "
        "Policies decide on the host; every row trains to the end, as in a scan over all epochs.",
        JAX_DROPPING: "the same, but rows of runs that have stopped are dropped, a variant's "
        "worth at a time (every size compiles anew): what a plain trainer could still gain.",
        LOCKSTEP: "the population engine with a row of weights for every run.",
        FORKING: "the population engine as studies use it: runs of a seed share a row of weights "
        "until their learning rates differ. Results are the same to the last bit.",
    }
    return bullets(
        *(
            f"**{row['label']}**: {descriptions[str(key)]} Best with {row['configuration']}."
            for key, row in summary.to_dict("index").items()
        )
    )


def _tried(tried: pd.DataFrame, summary: pd.DataFrame) -> str:
    if tried.empty:
        return "None: the first of each was taken."
    rows = [
        [summary.loc[t["method"], "label"], t["configuration"], number(t["ms"])]
        for t in tried.to_dict("records")
    ]
    note = "Shorter trainings than those timed, so only to be compared within a method."
    return paragraphs(table(rows, columns=["", "configuration", "ms a run-epoch"]), note)


def _provenance(provenance: dict[str, Any]) -> str:
    values = {**provenance["machine"], **provenance["versions"]}
    return table([[name, str(value)] for name, value in values.items()], columns=["", "value"])


def _versions() -> dict[str, str]:
    known = versions()
    for name in ("jax", "jaxlib"):
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            known[name] = "not installed"
    return known


def _times(ratio: float) -> str:
    if pd.isna(ratio):
        return "-"
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2f} times"
