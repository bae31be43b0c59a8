"""What every command does with the terminal: print, ask, and end with an error in one line."""

import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from finetune.errors import FinetuneError, escape_unprintable


class _Terminal(Console):
    """Prints names that a user chose as they are, and obeys nothing in them."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, texts with their control characters as escapes."""
        shown = (_lines(object) if isinstance(object, str) else object for object in objects)
        super().print(*shown, **options)


# Square brackets and colons are no styles here.
console = _Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False)
error_console = _Terminal(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def _lines(text: str) -> str:
    return "\n".join(map(escape_unprintable, text.split("\n")))


def run_program(program: Callable[[], Any]) -> None:
    """Call a program; where it raises what a user can mend, print that in one line and exit."""
    try:
        program()
    except FinetuneError as error:
        error_console.print(f"finetune: {error}")
        sys.exit(error.exit_code)
    except SystemExit as stop:
        # Typer turns an interrupt into this code, without a word.
        if stop.code == 130:
            error_console.print(
                "finetune: interrupted; all that was finished is stored; run again to go on"
            )
        raise


def confirm(question: str) -> bool | None:
    """Return the user's answer to a question; None where nobody is there to ask."""
    if not (sys.stdin.isatty() and error_console.is_terminal):
        return None
    return typer.confirm(question, err=True)
