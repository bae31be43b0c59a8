"""`python -m benchmarks.scale`: measure a cluster and a store, and write the report."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.log import elapsed_log
from benchmarks.scale.measurements import Extent, measure
from benchmarks.scale.report import write_report
from finetune.cli.terminal import run_program

_QUICK = Extent(seeds=4, rounds=1, tasks=5, stores=(2, 3))


def scale(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/scale"),
    quick: Annotated[bool, typer.Option("--quick", help="Short; the times mean nothing.")] = False,
) -> None:
    """Measure what a study costs on a cluster and on disk, and project far larger ones."""
    extent = _QUICK if quick else Extent()
    print(write_report(out, measure(extent, elapsed_log()), extent))


if __name__ == "__main__":
    run_program(lambda: typer.run(scale))
