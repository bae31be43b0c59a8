"""Errors that a user can cause, each one line: field, value received, what is allowed, remedy."""

import re
import unicodedata

# Unicode categories: control, format (direction), surrogate, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Of category Cf, but harmless: they join letters and emoji.
_JOINERS = "\u200c\u200d"

_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def escape_unprintable(text: object) -> str:
    """Replace every character that would not print as itself by its escape, as in `repr`.

    A terminal obeys control characters, a direction mark reverses what follows it, and XML
    forbids the code points that Unicode will never assign. The result is one line.
    """
    return "".join(repr(c)[1:-1] if _is_unprintable(c) else c for c in str(text))


def _is_unprintable(character: str) -> bool:
    if unicodedata.category(character) in _UNPRINTABLE:
        return character not in _JOINERS
    code = ord(character)
    # U+FFFE and U+FFFF of every plane, and U+FDD0 to U+FDEF, are never assigned.
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def escape_lines(text: str) -> str:
    """Do the same for a text of several lines, which stay apart."""
    return "\n".join(map(escape_unprintable, text.split("\n")))


def one_line(text: object) -> str:
    """Return a text with every run of white space, line breaks too, as one space.

    Colours are left out, in which Keras writes some of its messages.
    """
    return " ".join(_COLOUR.sub("", str(text)).split())


def describe_exception(problem: BaseException) -> str:
    """Describe an exception in one line: its type and, where it has one, its message."""
    return ": ".join(filter(None, (type(problem).__name__, one_line(problem))))


class FinetuneError(Exception):
    """Base of every error that a user can cause; the command line prints it without a traceback.

    Its message is one line of printable characters, whatever the user's own names hold.
    """

    exit_code = 2

    def __init__(self, message: str = ""):
        super().__init__(escape_unprintable(message))


class SpecError(FinetuneError):
    """A study file, an override or an argument is not valid."""


class DataError(FinetuneError):
    """The data of a study cannot be loaded or split."""


class EngineError(FinetuneError):
    """An engine cannot train this model or optimizer exactly, and refuses it by name."""


class NeedsFitError(EngineError):
    """A network is such that `keras.Model.fit` alone trains it exactly; the message says why."""


class StoreError(FinetuneError):
    """The result store cannot be read or written."""


class ClusterError(FinetuneError):
    """A Dask cluster cannot be reached, or its workers may not train this study."""


class TrainingError(FinetuneError):
    """Tasks failed at every try, so that some runs are missing; finished runs are stored."""

    exit_code = 3
