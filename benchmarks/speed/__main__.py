"""`python -m benchmarks.speed`: time everything and write the report."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.log import elapsed_log
from benchmarks.speed.report import write_report
from benchmarks.speed.rounds import Extent, measure
from finetune.cli.terminal import run_program

_QUICK = Extent(seeds=2, epochs=3, single_epochs=2, trial_epochs=0, rounds=1, cores=1, sweep=(0, 1))


def speed(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/speed"),
    rounds: Annotated[int | None, typer.Option(min=1, help="Interleaved rounds.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Short; the times mean nothing.")] = False,
) -> None:
    """Time the engines, plain Keras, scikit-learn and jax on the founding study."""
    extent = _QUICK if quick else Extent()
    extent = replace(extent, rounds=rounds or extent.rounds)
    print(write_report(out, measure(extent, elapsed_log()), extent))


if __name__ == "__main__":
    run_program(lambda: typer.run(speed))
