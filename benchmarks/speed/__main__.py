"""`python -m benchmarks.speed`: time everything and write the report."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.log import elapsed_log
from benchmarks.speed.network_rounds import NetworkExtent, time_networks
from benchmarks.speed.report import write_networks, write_report
from benchmarks.speed.rounds import Extent, measure, peak_of
from finetune.cli.terminal import run_program

_SHORT = {"seeds": 2, "epochs": 3, "single_epochs": 2, "trial_epochs": 0, "rounds": 1}
_QUICK_NETWORKS = NetworkExtent(networks=("founding", "cnn-8"), **_SHORT)
_QUICK = Extent(cores=1, sweep=(0, 1), networks=_QUICK_NETWORKS, **_SHORT)


def speed(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/speed"),
    rounds: Annotated[int | None, typer.Option(min=1, help="Interleaved rounds.")] = None,
    networks: Annotated[
        bool,
        typer.Option("--networks", help="Only the table of networks, into a report."),
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Short; the times mean nothing.")] = False,
) -> None:
    """Time the engines, plain Keras, scikit-learn and jax on the founding study and on networks."""
    extent, log = _QUICK if quick else Extent(), elapsed_log()
    if rounds:
        timed = replace(extent.networks, rounds=rounds)
        extent = replace(extent, rounds=rounds, networks=timed)
    if networks:
        peak = peak_of(extent.cores)
        timed = time_networks(extent.networks, log, cores=extent.cores, peak=peak)
        print(write_networks(out, timed, extent.networks))
    else:
        print(write_report(out, measure(extent, log), extent))


if __name__ == "__main__":
    run_program(lambda: typer.run(speed))
