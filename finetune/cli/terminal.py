"""What every command does with the terminal: print, show progress, tell errors in one line."""

import math
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from finetune.errors import FinetuneError, SpecError, printable
from finetune.planning.estimate import CostEstimate
from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec

if TYPE_CHECKING:
    from finetune.execution.training import Options
    from finetune.studies.claim_map import ClaimMap
    from finetune.studies.results import Results
    from finetune.studies.search import SearchResults


class _Terminal(Console):
    """Prints names that a user chose as they are, and obeys nothing in them."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, texts with their control characters as escapes."""
        shown = (_lines(object) if isinstance(object, str) else object for object in objects)
        super().print(*shown, **options)


# Square brackets and colons are no styles here.
OUT = _Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False)
ERR = _Terminal(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


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


def study_to_train(
    path: str | None,
    overrides: Iterable[str],
    *,
    imports: bool,
    yes: bool,
    estimate: Callable[[StudySpec], CostEstimate],
) -> StudySpec:
    """Read a study, as `load_spec` does; unless `yes`, ask first where it would take much.

    Raises:
        FinetuneError: The study cannot be read, or takes much and nobody is there to ask.
    """
    study = load_spec(path, overrides=overrides, imports=imports)
    if not yes:
        _ask(estimate(study))
    return study


def _ask(estimate: CostEstimate) -> None:
    from finetune.store.machine import machine

    memory = machine()["memory_gib"]
    if not estimate.exceeds(memory * 2**30 if memory else math.inf):
        return
    if not (sys.stdin.isatty() and ERR.is_terminal):
        raise SpecError(
            f"{estimate}; allowed without a question are 2 hours, 10 GB of disk and this machine's "
            "memory; ask for less, or say --yes"
        )
    ERR.print(f"{estimate}.")
    if not typer.confirm("Train it?", err=True):
        raise typer.Exit(2)


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


@contextmanager
def training_options(
    *,
    workers: int | None = None,
    dask: str | None = None,
    return_results: bool = False,
    memory: str = "2GB",
    command: str | None = None,
) -> "Iterator[Options]":
    """Give the options of a training, whose progress is shown while the block runs."""
    # Late, since these load what `--help` and the errors of a spec must not wait for.
    from finetune.cli.progress import RunProgress
    from finetune.execution.training import Options, parse_memory

    with RunProgress(ERR).shown() as progress:
        yield Options(
            workers=workers,
            address=dask,
            return_results=return_results,
            memory=parse_memory(memory),
            command=command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            on_note=ERR.print,
            on_plan=progress.plan,
            on_progress=progress.update,
        )


def tell_map(mapped: "ClaimMap") -> None:
    """Print how many settings have each verdict, and where the report is."""
    for verdict, count in mapped.table["verdict"].value_counts().items():
        OUT.print(f"{verdict}: {count} of {len(mapped.table)} settings")
    OUT.print(f"Report: {mapped.folder / 'report.md'}")


def tell_search(found: "SearchResults") -> None:
    """Print what was tuned, what came of it, and the verdict of the study."""
    for arm in found.tuned.arms:
        setting = ", ".join(f"{name} {value:.3g}" for name, value in arm.setting.items())
        OUT.print(f"{arm.name}: {setting}")
    OUT.print(f"Tuned: {found.tuned.conclusion}")
    tell_results(found.study)


def tell_part(number: int, of: int, *, left: int) -> None:
    """Print what is still to be done once a part of a study is trained."""
    OUT.print(f"Part {number} of {of} is stored; {left} runs of the study are not in this folder.")
    OUT.print("Once all are: the same command without --shard writes the report.")


def tell_results(results: "Results") -> None:
    """Print a study's verdict and where its report is; exit with 3 if runs failed."""
    from finetune.claims.words import sentence

    for note in results.manifest.get("notes", ()):
        ERR.print(f"Note: {note}")
    if results.verdict:
        OUT.print(sentence(results.verdict))
    OUT.print(f"Report: {results.folder / 'report.md'}")
    if results.failed:
        ERR.print(f"{results.failed} of {len(results.runs)} runs failed; the report names them")
        sys.exit(3)
