"""The command line: parse, call, print."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finetune.command_options import (
    Dask,
    Expect,
    Memory,
    Out,
    Overrides,
    Spec,
    Workers,
)
from finetune.console import ERR, OUT, answer, training_options
from finetune.spec import EngineName
from finetune.study_file import load_spec

if TYPE_CHECKING:
    from finetune.study import Results

app = typer.Typer(
    help="Do these training callbacks help, and can you prove it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.command()
def run(
    spec: Spec = None,
    out: Out = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Seeds to train, 0 to N-1, instead of the study's.")
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="Who trains.")] = "population",
    workers: Workers = None,
    dask: Dask = None,
    memory: Memory = "2GB",
    overrides: Overrides = None,
) -> None:
    """Train what is missing of a study, then analyse it and write its report."""
    changes = [*(overrides or []), *([f"seeds={seeds}"] if seeds else [])]
    study = load_spec(spec, overrides=changes)
    from finetune.study import run_study

    with training_options(workers=workers, dask=dask, memory=memory) as options:
        results = run_study(
            study, out or Path("reports") / study.name, engine=engine, options=options
        )
    _finish(results)


@app.command("map")
def map_(
    spec: Spec = None,
    out: Out = None,
    workers: Workers = None,
    dask: Dask = None,
    memory: Memory = "2GB",
    overrides: Overrides = None,
) -> None:
    """Judge the claim over a grid of factor, patience and delay, and draw the map."""
    study = load_spec(spec, overrides=overrides or [])
    from finetune.claim_map import map_claim

    with training_options(workers=workers, dask=dask, memory=memory) as options:
        mapped = map_claim(study, out or Path("reports") / f"{study.name}-map", options=options)
    for verdict, count in mapped.table["verdict"].value_counts().items():
        OUT.print(f"{verdict}: {count} of {len(mapped.table)} settings")
    OUT.print(f"Report: {mapped.folder / 'report.md'}")


@app.command()
def claim(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[DIR_OR_SPEC]",
            help="A study's folder, or a study to run first (default: founding).",
            show_default=False,
        ),
    ] = None,
    expect: Expect = None,
) -> None:
    """Print the verdict on a study's claim."""
    from finetune.study import read_study, run_study

    if target and (Path(target) / "manifest.json").exists():
        results = read_study(Path(target))
    else:
        study = load_spec(target)
        with training_options() as options:
            results = run_study(study, Path("reports") / study.name, options=options)
    _finish(results)
    found = results.verdict.verdict if results.verdict else "none"
    if expect and found != expect:
        ERR.print(f"finetune: the verdict is {found!r}, expected was {expect!r}")
        raise typer.Exit(1)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder.")],
) -> None:
    """Write a study's report anew from its stored results."""
    from finetune.study import read_study

    _finish(read_study(folder))


def _finish(results: "Results") -> None:
    from finetune.stats.wording import sentence

    for note in results.manifest.get("notes", ()):
        ERR.print(f"Note: {note}")
    if results.verdict:
        OUT.print(sentence(results.verdict))
    OUT.print(f"Report: {results.folder / 'report.md'}")
    if results.failed:
        ERR.print(f"{results.failed} of {len(results.runs)} runs failed; the report names them")
        raise typer.Exit(3)


def main() -> None:
    """Run the command line."""
    answer(app)
