"""Run the suite of studies, and say in one table what it finds: `python -m benchmarks`."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.forest import forest_files
from benchmarks.overview import overview
from benchmarks.verdicts import read_verdicts, split_early
from finetune.claims.words import sentence
from finetune.cli.terminal import console, run_program
from finetune.cli.training import Services
from finetune.errors import SpecError
from finetune.report.html.page import REPORT_FILE, renew_page, write_page
from finetune.spec.study_file import shipped_names
from finetune.store.atomic import write_whole
from finetune.studies.claim_map import map_claim
from finetune.studies.load import load_spec
from finetune.studies.run import run_study

# The map is of the founding study; the smoke study shows that an installation works, no more.
MAP = "claim-map"
_NOT_BY_DEFAULT = ("smoke",)


def suite() -> list[str]:
    """Return the names of what the suite runs when none is named."""
    return [*(name for name in shipped_names() if name not in _NOT_BY_DEFAULT), MAP]


def run_suite(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Studies to run (default: the whole suite)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
) -> None:
    """Run studies of the suite, training only what is missing, and write the overview."""
    chosen = names or suite()
    known = [*suite(), *_NOT_BY_DEFAULT]
    for name in chosen:
        if name not in known:
            raise SpecError(f"NAME: received {name!r}; allowed: {', '.join(known)}")
    for name in chosen:
        console.print(f"== {name}")
        _run(name, out / name)
    write_overview(out)
    console.print(f"Overview: {out / 'README.md'}")


def write_overview(out: Path) -> None:
    """Write the overview of all reports in a folder, with its forest plot, and all pages."""
    early, _ = split_early(read_verdicts(out, suite()))
    if not early.empty:
        for name, image in forest_files(early).items():
            write_whole(out / "figures" / name, image)
    text = overview(out, studies=suite())
    write_whole(out / "README.md", text.encode())
    write_page(out, text, name="index.html")
    for report in out.glob(f"*/{REPORT_FILE}"):
        renew_page(report.parent)


def _run(name: str, folder: Path) -> None:
    command = "finetune map" if name == MAP else f"finetune run {name}"
    with Services().training(command=command) as options:
        if name == MAP:
            verdicts = map_claim(load_spec(), folder, options=options).table["verdict"]
            console.print(
                ", ".join(f"{n} {verdict}" for verdict, n in verdicts.value_counts().items())
            )
            return
        results = run_study(load_spec(name), folder, options=options)
    for verdict in results.analysis.verdicts:
        console.print(sentence(verdict))


if __name__ == "__main__":
    run_program(lambda: typer.run(run_suite))
