"""What can go wrong, told in one line: field, value received, what is allowed, the remedy."""

import unicodedata

# Control characters, those of directions, surrogates, and separators of lines and paragraphs.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# These join letters and emoji, and no more.
_JOINERS = "\u200c\u200d"


def printable(text: object) -> str:
    """Give a text in one line, with each character that would act, not show, as its escape.

    A terminal obeys control characters, and a direction reverses what stands after it. What
    Unicode will never have as a character is escaped too, since XML forbids it.
    """
    return "".join(repr(c)[1:-1] if _acts(c) else c for c in str(text))


def _acts(character: str) -> bool:
    if unicodedata.category(character) in _ACTING:
        return character not in _JOINERS
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def in_words(problem: BaseException) -> str:
    """Say an exception in one line: its kind, and its words if it has some."""
    words = " ".join(str(problem).split())
    return ": ".join(filter(None, (type(problem).__name__, words)))


class FinetuneError(Exception):
    """Base of every error that a user can cause; the command line prints it without a traceback.

    Its text is one line that a terminal shows as it is, whatever names of a user's it holds.
    """

    exit_code = 2

    def __init__(self, message: str = ""):
        super().__init__(printable(message))


class SpecError(FinetuneError):
    """A study file, an override or an argument does not say something that can be run."""


class DataError(FinetuneError):
    """The data of a study cannot be loaded or split as asked."""


class EngineError(FinetuneError):
    """An engine cannot train this model or optimizer exactly, and so refuses it by name."""


class StoreError(FinetuneError):
    """The result store cannot be read or written."""


class ClusterError(FinetuneError):
    """A Dask cluster cannot be reached, or its workers may not train this study."""


class TrainingError(FinetuneError):
    """Tasks failed at every try, so that some runs are missing; what was finished is stored."""

    exit_code = 3
