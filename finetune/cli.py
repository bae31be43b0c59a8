"""The command line: parse, call, print."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from finetune.errors import FinetuneError
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
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

Spec = Annotated[
    str | None,
    typer.Argument(
        help="A study file in TOML, or the name of a shipped study [founding].", show_default=False
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key by its dotted path, as training.epochs=50 or "
        "variants.2.reduce_lr.patience=1 (variants count from 0).",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Worker processes; 0 trains in this process. [default: one a core]",
        show_default=False,
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Train on the Dask cluster at this address.",
        show_default=False,
    ),
]
Expect = Annotated[
    str | None,
    typer.Option(metavar="VERDICT", help="Exit with 1 unless this is the verdict."),
]


@app.command()
def run(
    spec: Spec = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the report and the results. [default: reports/NAME]", show_default=False
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Seeds to train, 0 to N-1, instead of the study's.")
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="Who trains.")] = "population",
    workers: Workers = None,
    dask: Dask = None,
    overrides: Overrides = None,
) -> None:
    """Train what is missing of a study, then analyse it and write its report."""
    changes = [*(overrides or []), *([f"seeds={seeds}"] if seeds else [])]
    study = load_spec(spec, overrides=changes)
    from finetune.progress import RunProgress
    from finetune.study import Options, run_study

    with RunProgress(_err).shown() as progress:
        results = run_study(
            study,
            out or Path("reports") / study.name,
            engine=engine,
            options=Options(
                workers=workers,
                address=dask,
                command=shlex.join(["finetune", *sys.argv[1:]]),
                on_plan=progress.plan,
                on_progress=progress.update,
            ),
        )
    _finish(results)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder.")],
) -> None:
    """Write a study's report anew from its stored results."""
    from finetune.study import read_study

    _finish(read_study(folder))


def _finish(results: "Results") -> None:
    from finetune.stats.wording import sentence

    if results.verdict:
        _out.print(sentence(results.verdict))
    _out.print(f"Report: {results.folder / 'report.md'}")
    if results.failed:
        _err.print(f"{results.failed} of {len(results.runs)} runs failed; the report names them")
        raise typer.Exit(3)


def main() -> None:
    """Run the command line; errors that a user can cause are told in one line."""
    try:
        app()
    except FinetuneError as error:
        _err.print(f"finetune: {error}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _err.print("finetune: interrupted; everything finished is stored, run again to continue")
        sys.exit(130)
