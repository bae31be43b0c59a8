"""The command line: parse, call, print."""

from functools import partial
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from finetune.cli import options as option
from finetune.cli import seeds as seeds_options
from finetune.cli.options import (
    TrainingOptions,
    parse_slice,
    with_training_options,
)
from finetune.cli.terminal import console, error_console, run_program
from finetune.cli.training import Services, start_early
from finetune.engines.registry import DEFAULT
from finetune.planning.estimate import estimate_map, estimate_run, estimate_search
from finetune.store.manifest import MANIFEST_FILE
from finetune.studies.load import load_spec
from finetune.studies.starter import write_starter

if TYPE_CHECKING:
    from finetune.studies.results import Results
    from finetune.studies.tables import StudyTables

# Plain help wraps at any width; the boxes of rich cut off what is too wide for them.
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: option.Version = False) -> None:
    """Does this really help your training, and can you prove it?"""
    if version:
        console.print(f"finetune {distribution_version('finetune')}")
    elif context.invoked_subcommand is None:
        console.print(context.get_help())


@app.command()
@with_training_options
def run(
    context: typer.Context,
    spec: option.Spec = None,
    out: option.Out = None,
    seeds: seeds_options.Seeds = None,
    until_decided: seeds_options.UntilDecided = False,
    from_: seeds_options.From = None,
    to: seeds_options.To = None,
    engine: option.Engine = DEFAULT.name,
    slice_: option.Slice = None,
    *,
    options: TrainingOptions,
) -> None:
    """Train what is missing of a study, then analyse it and write its report."""
    services: Services = context.obj
    wanted = seeds_options.seeds_override(seeds, until_decided, first=from_, to=to)
    changes = [*(options.overrides or ()), *wanted]
    study = services.load_study(
        spec, options, overrides=changes, estimate=partial(estimate_run, engine=engine)
    )
    wanted_slice = parse_slice(slice_) if slice_ else None
    folder = out or Path("reports") / study.name
    with services.training(options) as how:
        start_early(how, folder, tasks=study.looks[0].seeds if study.looks else study.n_seeds)
        from finetune.cli.results import print_results, print_slice
        from finetune.studies.run import run_study, train_slice

        if wanted_slice:
            left = train_slice(study, folder, *wanted_slice, engine=engine, options=how)
            print_slice(*wanted_slice, left=left)
        else:
            results = run_study(study, folder, engine=engine, options=how)
            print_results(results, quiet=options.quiet)


@app.command("map")
@with_training_options
def map_(
    context: typer.Context,
    spec: option.Spec = None,
    out: option.Out = None,
    *,
    options: TrainingOptions,
) -> None:
    """Judge the claim over a grid of factor, patience and delay, and draw the map."""
    services: Services = context.obj
    study = services.load_study(spec, options, estimate=estimate_map)
    folder = out or Path("reports") / f"{study.name}-map"
    with services.training(options) as how:
        start_early(how, folder, tasks=study.map.seeds)
        from finetune.cli.results import print_map
        from finetune.studies.claim_map import map_claim

        print_map(map_claim(study, folder, options=how), quiet=options.quiet)


@app.command()
@with_training_options
def search(
    context: typer.Context,
    spec: option.Spec = None,
    out: option.Out = None,
    trials: option.Trials = None,
    storage: option.Storage = None,
    baseline: option.Baseline = False,
    *,
    options: TrainingOptions,
) -> None:
    """Tune both arms of the claim at equal budgets, and judge the winners on fresh seeds."""
    services: Services = context.obj
    changes = [*(options.overrides or ()), *([f"search.trials={trials}"] if trials else [])]
    study = services.load_study(spec, options, overrides=changes, estimate=estimate_search)
    folder = out or Path("reports") / study.name
    with services.training(options) as how:
        start_early(how, folder, tasks=study.search.seeds)
        from finetune.cli.results import print_search
        from finetune.studies.search import search_study

        found = search_study(study, folder, storage=storage, baseline=baseline, options=how)
    print_search(found, quiet=options.quiet)


@app.command()
def claim(
    context: typer.Context,
    target: option.SpecOrFolder = None,
    name: option.ClaimName = None,
    expect: option.Expect = None,
    no_imports: option.NoImports = False,
    yes: option.Yes = False,
    quiet: option.Quiet = False,
) -> None:
    """Print the verdicts on a study's claims; with --expect, check that on one of them."""
    options = TrainingOptions(no_imports=no_imports, yes=yes, quiet=quiet)
    judged = _judged(target, context.obj, options)
    from finetune.cli.results import print_results, print_tables
    from finetune.studies.results import Results

    verdict = judged.verdict_on(name) if name else judged.verdict
    if isinstance(judged, Results):
        print_results(judged, quiet=quiet)
    else:
        print_tables(judged, quiet=quiet)
    found = verdict.verdict if verdict else "none"
    if expect and found != expect:
        error_console.print(f"finetune: the verdict is {found!r}, expected was {expect!r}")
        raise typer.Exit(1)


def _judged(
    target: str | None, services: Services, options: TrainingOptions
) -> "Results | StudyTables":
    """Return what is judged: a folder's stored runs, else its tables; or a study, run first."""
    from finetune.studies.run import read_study, run_study
    from finetune.studies.tables import has_store, read_tables

    folder = Path(target or "")
    if target and (folder / MANIFEST_FILE).exists():
        if has_store(folder):
            return read_study(folder, figures=services.figures)
        return read_tables(folder)
    study = services.load_study(target, options, estimate=estimate_run)
    with services.training(options) as how:
        return run_study(study, Path("reports") / study.name, options=how)


@app.command()
def report(context: typer.Context, folder: option.Folder, quiet: option.Quiet = False) -> None:
    """Write a study's report anew from its stored results, or from report.md its page."""
    from finetune.cli.results import print_page, print_results
    from finetune.studies.run import read_study
    from finetune.studies.tables import has_store, renew_page_alone

    if has_store(folder):
        print_results(read_study(folder, figures=context.obj.figures), quiet=quiet)
    else:
        print_page(renew_page_alone(folder), quiet=quiet)


@app.command("list")
def list_() -> None:
    """List the studies that come with the package, and what each asks."""
    from finetune.cli.show import shipped_text

    console.print(shipped_text())


@app.command()
def show(
    spec: option.Spec = None,
    overrides: option.Overrides = None,
    no_imports: option.NoImports = False,
) -> None:
    """Print a study with all its defaults, and what its variants differ in; train nothing."""
    from finetune.cli.show import study_text

    study = load_spec(spec, overrides=overrides or (), imports=not no_imports)
    console.print(study_text(study), end="")


@app.command()
def schema(out: option.SchemaFile = None) -> None:
    """Print the JSON Schema of study files, which editors complete and check by."""
    from finetune.spec.schema import schema_text
    from finetune.store.atomic import write_whole

    if out:
        write_whole(out, schema_text().encode())
    else:
        console.print(schema_text(), end="")


@app.command()
def init(
    file: option.File = Path("study.toml"), data: option.Data = None, target: option.Target = None
) -> None:
    """Write a commented study file to start from."""
    write_starter(file, data=data, target=target)
    console.print(f"Wrote {file}; edit it, then: finetune run {file}")


@app.command()
def export(form: option.Form, folder: option.Folder, out: option.ExportOut = None) -> None:
    """Write a study for another tool, a run a variant: TensorBoard, MLflow, or CSV."""
    from finetune.studies.export.formats import export_study

    console.print(export_study(folder, form, out=out))


@app.command()
def compact(folder: option.Folder) -> None:
    """Merge the many small files of a study's store into few; no number changes."""
    from finetune.store.compaction import compact as merge

    done = merge(folder / "store", on_note=error_console.print)
    console.print(
        f"{done.shards_before} shards of {done.bytes_before / 1e6:.1f} MB are now "
        f"{done.shards_after} of {done.bytes_after / 1e6:.1f} MB"
    )


# What follows the address may be any option of `dask worker`.
@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker(
    context: typer.Context, address: option.Address, workers: option.Processes = None
) -> None:
    """Serve a Dask scheduler with workers set up for training, until they are stopped.

    Further options go to `dask worker`, as --interface ib0, --death-timeout 60 or --tls-cert FILE.
    """
    from finetune.execution.connection import serve

    serve(address, workers=workers, options=context.args)


# Those that click would make of the help end where they do not fit in a line.
for command in app.registered_commands:
    command.short_help = (command.callback.__doc__ or "").partition("\n")[0]


def main(services: Services | None = None) -> None:
    """Run the command line."""
    options = {"obj": services or Services(), "prog_name": "finetune", "standalone_mode": False}
    run_program(lambda: app(**options))
