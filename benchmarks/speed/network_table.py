"""The table of networks in the report, which can be made anew alone."""

import re

import pandas as pd

from benchmarks.speed.network_rounds import REPEATS, NetworkExtent
from benchmarks.speed.networks import NETWORKS
from finetune.report.markdown import number, paragraphs, table

HEADING = "Networks"


def network_section(timed: pd.DataFrame, extent: NetworkExtent) -> str:
    """Return the section's text."""
    columns = [
        "", "tuned `fit`, all cores", "jax, lockstep", "finetune", "against `fit`", "meant",
        "against jax", "rows trained a run", "share of peak", "what limits it",
    ]  # fmt: skip
    rows = [_cells(row) for row in timed.to_dict("records")]
    return paragraphs(
        f"Milliseconds a delivered run-epoch, of {extent.seeds} seeds of the founding study's five "
        "variants; medians of "
        f"{extent.rounds} round{'s' if extent.rounds > 1 else ''}, all contestants in turn. "
        "Ratios above 1 are faster. `fit` trains one run a process for "
        f"{extent.single_epochs} epochs, in the faster of its configurations with and without XLA; "
        f"of {REPEATS} such trainings a round the fastest counts.",
        table(rows, columns=columns),
        "The share of the peak counts products and convolutions as `fit` computes them, for every "
        "row trained. A dash: the jax trainer cannot express the network; "
        + "; ".join(_without_jax())
        + ".",
    )


def with_section(report: str, section: str) -> str:
    """Return a report with the section in the place of its former one, or at the end."""
    heading = f"## {HEADING}\n"
    made = f"{heading}\n{section.strip()}\n\n"
    pattern = re.compile(rf"^{heading}.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if not pattern.search(report):
        return f"{report.rstrip()}\n\n{made}"
    return pattern.sub(lambda _: made, report, count=1)


def _cells(row: dict) -> list[str]:
    network = NETWORKS[row["network"]]
    return [
        f"{network.label}, {network.epochs} epochs",
        number(row["fit"]),
        number(row["jax"]) if pd.notna(row["jax"]) else "-",
        number(row["ours"]),
        _times(row["vs_fit"]),
        _times(network.target) if network.target else "",
        _times(row["vs_jax"]) if pd.notna(row["vs_jax"]) else "-",
        number(row["rows_per_run"]),
        f"{100 * row['share_of_peak']:.3g} %",
        network.limit,
    ]


def _without_jax() -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for network in NETWORKS.values():
        if network.why_not_jax:
            by_reason.setdefault(network.why_not_jax, []).append(network.label)
    return [f"{reason} ({', '.join(labels)})" for reason, labels in by_reason.items()]


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2g} times"
