"""What can go wrong, told in one line: field, value received, what is allowed, the remedy."""


class FinetuneError(Exception):
    """Base of every error that a user can cause; the command line prints it without a traceback."""

    exit_code = 2


class SpecError(FinetuneError):
    """A study file, an override or an argument does not say something that can be run."""


class DataError(FinetuneError):
    """The data of a study cannot be loaded or split as asked."""


class EngineError(FinetuneError):
    """An engine cannot train this model or optimizer exactly, and so refuses it by name."""


class StoreError(FinetuneError):
    """The result store cannot be read or written."""
