"""The command line: parse, call, print."""

from pathlib import Path
from typing import Annotated

import typer

from finetune import command_options as given
from finetune.console import ERR, OUT, answer, tell_results, training_options
from finetune.spec import EngineName
from finetune.starter import write_starter
from finetune.study_file import load_spec

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
    memory: given.Memory = "2GB",
    overrides: given.Overrides = None,
) -> None:
    """Train what is missing of a study, then analyse it and write its report."""
    changes = [*(overrides or []), *([f"seeds={seeds}"] if seeds else [])]
    study = load_spec(spec, overrides=changes)
    from finetune.study import run_study

    with training_options(workers=workers, dask=dask, memory=memory) as options:
        folder = out or Path("reports") / study.name
        results = run_study(study, folder, engine=engine, options=options)
    tell_results(results)


@app.command("map")
def map_(
    spec: given.Spec = None,
    out: given.Out = None,
    workers: given.Workers = None,
    dask: given.Dask = None,
    memory: given.Memory = "2GB",
    overrides: given.Overrides = None,
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
def search(
    spec: given.Spec = None,
    out: given.Out = None,
    trials: given.Trials = None,
    storage: given.Storage = None,
    workers: given.Workers = None,
    dask: given.Dask = None,
    memory: given.Memory = "2GB",
    overrides: given.Overrides = None,
) -> None:
    """Tune both arms of the claim at equal budgets, and judge the winners on fresh seeds."""
    changes = [*(overrides or []), *([f"search.trials={trials}"] if trials else [])]
    study = load_spec(spec, overrides=changes)
    from finetune.search.tuned_study import search_study

    with training_options(workers=workers, dask=dask, memory=memory) as options:
        folder = out or Path("reports") / study.name
        found = search_study(study, folder, storage=storage, options=options)
    for arm in found.tuned.arms:
        setting = ", ".join(f"{name} {value:.3g}" for name, value in arm.setting.items())
        OUT.print(f"{arm.name}: {setting}")
    OUT.print(f"Tuned: {found.tuned.conclusion}")
    tell_results(found.study)


@app.command()
def claim(target: given.Judged = None, expect: given.Expect = None) -> None:
    """Print the verdict on a study's claim."""
    from finetune.study import read_study, run_study

    if target and (Path(target) / "manifest.json").exists():
        results = read_study(Path(target))
    else:
        study = load_spec(target)
        with training_options() as options:
            results = run_study(study, Path("reports") / study.name, options=options)
    tell_results(results)
    found = results.verdict.verdict if results.verdict else "none"
    if expect and found != expect:
        ERR.print(f"finetune: the verdict is {found!r}, expected was {expect!r}")
        raise typer.Exit(1)


@app.command()
def init(
    file: given.File = Path("study.toml"), data: given.Data = None, target: given.Target = None
) -> None:
    """Write a commented study file to start from."""
    write_starter(file, data=data, target=target)
    OUT.print(f"Wrote {file}; edit it, then: finetune run {file}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder.")],
) -> None:
    """Write a study's report anew from its stored results."""
    from finetune.study import read_study

    tell_results(read_study(folder))


def main() -> None:
    """Run the command line."""
    answer(app)
