"""The command line: parse, call, print."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from finetune.cli import options as given
from finetune.cli.terminal import (
    ERR,
    answer,
    study_to_train,
    tell_map,
    tell_part,
    tell_results,
    tell_search,
    training_options,
)
from finetune.cli.upkeep import compact, init, report, worker
from finetune.planning.estimate import estimate_map, estimate_run, estimate_search
from finetune.spec.study import EngineName

app = typer.Typer(
    help="Do these training callbacks help, and can you prove it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run(
    spec: given.Spec = None,
    out: given.Out = None,
    seeds: given.Seeds = None,
    engine: Annotated[EngineName, typer.Option(help="Who trains.")] = "population",
    workers: given.Workers = None,
    dask: given.Dask = None,
    return_results: given.ReturnResults = False,
    memory: given.Memory = "2GB",
    overrides: given.Overrides = None,
    imports: given.Imports = True,
    yes: given.Yes = False,
    shard: given.Shard = None,
) -> None:
    """Train what is missing of a study, then analyse it and write its report."""
    changes = [*(overrides or []), *([f"seeds={seeds}"] if seeds else [])]
    cost = partial(estimate_run, engine=engine)
    study = study_to_train(spec, changes, imports=imports, yes=yes, estimate=cost)
    from finetune.studies.run import run_study, train_part

    folder, part = out or Path("reports") / study.name, shard and given.parse_shard(shard)
    with training_options(
        workers=workers, dask=dask, return_results=return_results, memory=memory
    ) as options:
        if part:
            left = train_part(study, folder, *part, engine=engine, options=options)
            tell_part(*part, left=left)
        else:
            results = run_study(study, folder, engine=engine, options=options)
            tell_results(results)


@app.command("map")
def map_(
    spec: given.Spec = None,
    out: given.Out = None,
    workers: given.Workers = None,
    dask: given.Dask = None,
    return_results: given.ReturnResults = False,
    memory: given.Memory = "2GB",
    overrides: given.Overrides = None,
    imports: given.Imports = True,
    yes: given.Yes = False,
) -> None:
    """Judge the claim over a grid of factor, patience and delay, and draw the map."""
    changes = overrides or []
    study = study_to_train(spec, changes, imports=imports, yes=yes, estimate=estimate_map)
    from finetune.studies.claim_map import map_claim

    with training_options(
        workers=workers, dask=dask, return_results=return_results, memory=memory
    ) as options:
        mapped = map_claim(study, out or Path("reports") / f"{study.name}-map", options=options)
    tell_map(mapped)


@app.command()
def search(
    spec: given.Spec = None,
    out: given.Out = None,
    trials: given.Trials = None,
    storage: given.Storage = None,
    workers: given.Workers = None,
    dask: given.Dask = None,
    return_results: given.ReturnResults = False,
    memory: given.Memory = "2GB",
    overrides: given.Overrides = None,
    imports: given.Imports = True,
    yes: given.Yes = False,
) -> None:
    """Tune both arms of the claim at equal budgets, and judge the winners on fresh seeds."""
    changes = [*(overrides or []), *([f"search.trials={trials}"] if trials else [])]
    study = study_to_train(spec, changes, imports=imports, yes=yes, estimate=estimate_search)
    from finetune.studies.search import search_study

    with training_options(
        workers=workers, dask=dask, return_results=return_results, memory=memory
    ) as options:
        folder = out or Path("reports") / study.name
        found = search_study(study, folder, storage=storage, options=options)
    tell_search(found)


@app.command()
def claim(
    target: given.Judged = None,
    expect: given.Expect = None,
    imports: given.Imports = True,
    yes: given.Yes = False,
) -> None:
    """Print the verdict on a study's claim."""
    from finetune.studies.run import read_study, run_study

    if target and (Path(target) / "manifest.json").exists():
        results = read_study(Path(target))
    else:
        study = study_to_train(target, [], imports=imports, yes=yes, estimate=estimate_run)
        with training_options() as options:
            results = run_study(study, Path("reports") / study.name, options=options)
    tell_results(results)
    found = results.verdict.verdict if results.verdict else "none"
    if expect and found != expect:
        ERR.print(f"finetune: the verdict is {found!r}, expected was {expect!r}")
        raise typer.Exit(1)


for command in (report, init, compact):
    app.command()(command)
# What follows the address may be any option of `dask worker`.
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(worker)


def main() -> None:
    """Run the command line."""
    answer(app)
