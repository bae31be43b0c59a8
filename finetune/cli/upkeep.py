"""The commands that train no study: a file to start from, upkeep of a folder, workers."""

from pathlib import Path
from typing import Annotated

import typer

from finetune.cli import options as given
from finetune.cli.terminal import ERR, OUT, tell_results
from finetune.studies.starter import write_starter


def init(
    file: given.File = Path("study.toml"), data: given.Data = None, target: given.Target = None
) -> None:
    """Write a commented study file to start from."""
    write_starter(file, data=data, target=target)
    OUT.print(f"Wrote {file}; edit it, then: finetune run {file}")


def report(folder: given.Folder) -> None:
    """Write a study's report anew from its stored results."""
    from finetune.studies.run import read_study

    tell_results(read_study(folder))


def compact(folder: given.Folder) -> None:
    """Merge the many small files of a study's store into few; no number changes."""
    from finetune.store.compaction import compact as merge

    done = merge(folder / "store", on_note=ERR.print)
    OUT.print(
        f"{done.shards_before} shards of {done.bytes_before / 1e6:.1f} MB are now "
        f"{done.shards_after} of {done.bytes_after / 1e6:.1f} MB"
    )


def worker(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Of the Dask scheduler, as tcp://host:8786.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, of one thread each (default: one a core).")
    ] = None,
) -> None:
    """Serve a Dask scheduler with workers set up for training, until they are stopped.

    Further options go to `dask worker`, as --interface ib0, --death-timeout 60 or --tls-cert FILE.
    """
    from finetune.execution.cluster import serve

    serve(address, workers=workers, options=context.args)
