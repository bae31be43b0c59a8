"""What every command does with the terminal: print, show progress, tell errors in one line."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from finetune.errors import FinetuneError

if TYPE_CHECKING:
    from finetune.results import Results
    from finetune.training import Options

# Names that a user chose are printed as they are, square brackets and colons too.
OUT = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
ERR = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def answer(application: Callable[[], Any]) -> None:
    """Run a command line; errors that a user can cause are told in one line."""
    try:
        application()
    except FinetuneError as error:
        ERR.print(f"finetune: {error}")
        sys.exit(error.exit_code)
    except SystemExit as stop:
        # Typer turns an interrupt into this code, without a word.
        if stop.code == 130:
            ERR.print("finetune: interrupted; all that was finished is stored; run again to go on")
        raise


@contextmanager
def training_options(
    *,
    workers: int | None = None,
    dask: str | None = None,
    memory: str = "2GB",
    command: str | None = None,
) -> "Iterator[Options]":
    """Give the options of a training, whose progress is shown while the block runs."""
    # Late, since these load what `--help` and the errors of a spec must not wait for.
    from finetune.progress import RunProgress
    from finetune.training import Options, parse_memory

    with RunProgress(ERR).shown() as progress:
        yield Options(
            workers=workers,
            address=dask,
            memory=parse_memory(memory),
            command=command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            on_note=ERR.print,
            on_plan=progress.plan,
            on_progress=progress.update,
        )


def tell_results(results: "Results") -> None:
    """Print a study's verdict and where its report is; exit with 3 if runs failed."""
    from finetune.stats.wording import sentence

    for note in results.manifest.get("notes", ()):
        ERR.print(f"Note: {note}")
    if results.verdict:
        OUT.print(sentence(results.verdict))
    OUT.print(f"Report: {results.folder / 'report.md'}")
    if results.failed:
        ERR.print(f"{results.failed} of {len(results.runs)} runs failed; the report names them")
        sys.exit(3)
