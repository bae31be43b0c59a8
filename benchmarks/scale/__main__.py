"""`python -m benchmarks.scale`: measure a cluster and a store, and write the report."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.scale.measurements import Extent, measure
from benchmarks.scale.report import write_report
from finetune.cli.terminal import answer

_QUICK = Extent(seeds=4, rounds=1, chunks=5, stores=(2, 3))


def scale(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/scale"),
    quick: Annotated[bool, typer.Option("--quick", help="Short; the times mean nothing.")] = False,
) -> None:
    """Measure what a study costs on a cluster and on disk, and project far larger ones."""
    started, extent = time.perf_counter(), _QUICK if quick else Extent()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    print(write_report(out, measure(extent, say), extent))


if __name__ == "__main__":
    answer(lambda: typer.run(scale))
