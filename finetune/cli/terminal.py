"""What every command does with the terminal: print, ask, and end with an error in one line."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console

from finetune.errors import FinetuneError, escape_lines, one_line
from finetune.execution.other_packages import escape_messages

# Of click, or of the copy of it in newer versions of typer, which exports no name for it.
UsageError: Any = typer.BadParameter.__base__


class _Terminal(Console):
    """Prints names that a user chose as they are, and obeys nothing in them."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, texts with their control characters as escapes.

        Raises:
            FinetuneError: It cannot be written.
        """
        shown = (escape_lines(text) if isinstance(text, str) else text for text in objects)
        try:
            super().print(*shown, **options)
        except OSError as error:
            raise _refused(error) from error

    def on_broken_pipe(self) -> None:
        """Raise the error that rich is handling, instead of ending the program without a word."""
        raise  # noqa: PLE0704


# Square brackets and colons are no styles here.
console = _Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False)
error_console = _Terminal(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def _refused(error: OSError) -> FinetuneError:
    # What is written to no file is written to the terminal, or where its output was sent.
    return FinetuneError(
        f"{error.filename or 'output'}: {error.strerror or error}; all that was finished is "
        "stored; mend that and run again to go on"
    )


def run_program(program: Callable[[], Any]) -> None:
    """Call a program; where it raises what a user can mend, print that in one line and exit."""
    escape_messages()
    try:
        _check_current_folder()
        with _output_written():
            code = program()
        sys.exit(code if isinstance(code, int) else 0)
    except UsageError as error:
        _refuse_usage(error)
    except FinetuneError as error:
        # Where nothing can be written the exit code alone tells.
        with suppress(FinetuneError):
            error_console.print(f"finetune: {error}")
        sys.exit(error.exit_code)
    except SystemExit as stop:
        # Typer turns an interrupt into this code, without a word.
        if stop.code == 130:
            error_console.print(
                "finetune: interrupted; all that was finished is stored; run again to go on"
            )
        raise


def _refuse_usage(error: Any) -> NoReturn:
    """Exit after one line for an option or argument that the command line cannot be read with."""
    path = error.ctx.command_path if error.ctx else "finetune"
    message = error.format_message().rstrip(".")
    error_console.print(f"finetune: {one_line(message)}; see `{path} --help`")
    sys.exit(error.exit_code)


def _check_current_folder() -> None:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError as error:
        raise FinetuneError(
            f"current folder: {error.strerror}; allowed is one that exists; change to another"
        ) from error


@contextmanager
def _output_written() -> Iterator[None]:
    """Write out what the block prints, also where it fails.

    Raises:
        FinetuneError: The system refuses that, or anything else that the block does.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        raise _refused(error) from error
    finally:
        _discard_unwritten()


def _discard_unwritten() -> None:
    """Discard output that cannot be written; Python would try once more when it ends, and fail."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError), Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def confirm(question: str) -> bool | None:
    """Return the user's answer to a question; None where nobody is there to ask."""
    if not (sys.stdin.isatty() and error_console.is_terminal):
        return None
    return typer.confirm(question, err=True)
