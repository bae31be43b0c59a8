"""What the commands that train have in common: the study, a question if it takes much, a bar."""

import math
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from finetune.cli.options import TrainingOptions
from finetune.cli.terminal import confirm, error_console
from finetune.errors import SpecError
from finetune.planning.estimate import CostEstimate
from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec

# Late elsewhere, since these load what `--help` and the errors of a study must not wait for.
if TYPE_CHECKING:
    from finetune.execution.base import Executor
    from finetune.execution.training import Options


def _choose_executor(*arguments: Any, **options: Any) -> "Executor":
    from finetune.execution.choice import choose_executor

    return choose_executor(*arguments, **options)


def start_early(options: "Options", folder: Path, *, tasks: int) -> None:
    """Start workers for a folder that is new, which has everything to train.

    They load TensorFlow while this process loads what analyses and draws.
    """
    # What is wrong with a folder is told when its store is opened.
    with suppress(OSError):
        if folder.exists():
            return
    options.executor.start(tasks)


@dataclass(frozen=True)
class Services:
    """What the commands use of the world around them; whoever starts them may hand in another.

    Attributes:
        choose_executor: Returns the executor for what the user wants, as `choose_executor` does.
        confirm: Asks the user a question; returns None where nobody is there to ask.
        figures: Whether reports have figures.
    """

    choose_executor: Callable[..., "Executor"] = _choose_executor
    confirm: Callable[[str], bool | None] = confirm
    figures: bool = True

    def load_study(
        self,
        path: str | None,
        options: TrainingOptions,
        *,
        overrides: Iterable[str] | None = None,
        estimate: Callable[[StudySpec], CostEstimate],
    ) -> StudySpec:
        """Read a study, and ask the user first where it would take much.

        Args:
            path: As in `load_spec`.
            options: Of the command line.
            overrides: Instead of those among the options.
            estimate: Returns what the study would take.

        Raises:
            FinetuneError: The study cannot be read, or takes much and nobody is there to ask.
        """
        if overrides is None:
            overrides = options.overrides or ()
        study = load_spec(path, overrides=overrides, imports=not options.no_imports)
        if not options.yes:
            self._confirm_cost(estimate(study))
        return study

    def _confirm_cost(self, estimate: CostEstimate) -> None:
        from finetune.store.machine import machine

        memory = machine()["memory_gib"]
        if not estimate.exceeds(memory * 2**30 if memory else math.inf):
            return
        answer = self.confirm(f"{estimate}. Train it?")
        if answer is None:
            raise SpecError(
                f"{estimate}; allowed without a question are 2 hours, 10 GB of disk and this "
                "machine's memory; train less, or give --yes"
            )
        if not answer:
            raise typer.Exit(2)

    @contextmanager
    def training(
        self, wanted: TrainingOptions | None = None, *, command: str | None = None
    ) -> "Iterator[Options]":
        """Choose the executor, and show progress while the block runs.

        Args:
            wanted: The options of the command line; by default none is set.
            command: For the report; by default the one that was called.
        """
        from finetune.cli.progress import ProgressBar
        from finetune.execution.progress import SILENT
        from finetune.execution.training import Options, parse_memory

        wanted = wanted or TrainingOptions()
        memory = parse_memory(wanted.memory)
        # As a module, `python -m finetune`, the program is called __main__.py.
        called = shlex.join(["finetune", *sys.argv[1:]])
        shown = nullcontext(SILENT) if wanted.quiet else ProgressBar(error_console)
        with (
            shown as progress,
            self.choose_executor(
                wanted.workers,
                address=wanted.dask,
                return_results=wanted.return_results,
                on_note=progress.note,
            ) as executor,
        ):
            yield Options(
                executor,
                progress,
                memory=memory,
                command=command or called,
                figures=self.figures,
            )
