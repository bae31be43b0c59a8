"""From measurements to the numbers that the report shows; pure functions on DataFrames."""

import pandas as pd

from benchmarks.speed.methods import JAX, LOOP, TUNED
from benchmarks.speed.rounds import Measurements

# What others are compared with, and the column of the ratio.
BASES = {LOOP: "vs_keras", TUNED: "vs_keras_tuned", JAX: "vs_jax"}


def summarise(measured: Measurements) -> pd.DataFrame:
    """Summarise each method in a row, in the order in which they are timed.

    Columns: `ms`, `ms_low`, `ms_high` (milliseconds a delivered run-epoch: median, least, most
    over rounds); `cpu_ms` (of the processor, all workers); a ratio for each of `BASES`, and the
    same by processor time with `cpu_` in front; `rows_per_run` (row-epochs trained for each
    run-epoch delivered); `gflops` (of the machine) and `share_of_peak`; and the facts measured
    once.
    """
    rounds = with_rates(measured.rounds)
    by = rounds.groupby("method", sort=False)
    table = by["ms"].agg(ms="median", ms_low="min", ms_high="max")
    table["cpu_ms"] = by["cpu_ms"].median()
    for base, name in BASES.items():
        table[name] = _ratios(rounds, "ms", base)
        table[f"cpu_{name}"] = _ratios(rounds, "cpu_ms", base)
    epochs = pd.DataFrame(by[["row_epochs", "run_epochs"]].sum())
    table["rows_per_run"] = epochs["row_epochs"] / epochs["run_epochs"]
    facts = pd.DataFrame.from_dict(measured.facts, orient="index")
    table = table.join(facts)
    table["gflops"] = table["operations"] * table["rows_per_run"] / (table["ms"] * 1e6)
    table["share_of_peak"] = table["gflops"] * 1e9 / measured.peak
    return table


def with_rates(timings: pd.DataFrame) -> pd.DataFrame:
    """Add `ms` and `cpu_ms`, milliseconds a delivered run-epoch, by the clock and the processor."""
    return timings.assign(
        ms=1e3 * timings["wall"].div(timings["run_epochs"]),
        cpu_ms=1e3 * timings["cpu"].div(timings["run_epochs"]),
    )


def _ratios(rounds: pd.DataFrame, column: str, base: str) -> pd.Series:
    """Compute how many times faster than `base` each method is: the median over rounds.

    Each round is compared with the same round, so that a slow minute of the machine counts for
    both sides.
    """
    wide = rounds.pivot_table(index="round", columns="method", values=column)
    if base not in wide:
        return pd.Series(float("nan"), index=wide.columns)
    return wide.rdiv(wide[base], axis=0).median()
