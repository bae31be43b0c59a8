"""`python -m benchmarks.validity`: count false decisions and write the report."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.log import elapsed_log
from benchmarks.validity.measurements import Extent, measure
from benchmarks.validity.report import write_report
from finetune.cli.terminal import run_program

_QUICK = Extent(studies=200)


def validity(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/validity"),
    studies: Annotated[int | None, typer.Option(min=10, help="Drawn for each row.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Short; the rates mean little.")] = False,
) -> None:
    """Count how often verdicts are wrong where the truth is known, and how many seeds they take."""
    extent = _QUICK if quick else Extent()
    extent = replace(extent, studies=studies or extent.studies)
    print(write_report(out, measure(extent, elapsed_log()), extent))


if __name__ == "__main__":
    run_program(lambda: typer.run(validity))
