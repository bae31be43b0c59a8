"""Warnings and log lines of other packages, printed as our own lines are: nothing in them acts."""

import logging
import warnings
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from finetune.errors import escape_lines


@cache
def escape_messages() -> None:
    """Escape what other packages warn of and log in this process from now on.

    Keras quotes the names of layers in its warnings, and a name may come from a stranger's file.
    """
    warnings.formatwarning = _escaped(warnings.formatwarning)
    logging.setLogRecordFactory(_with_escaped_message(logging.getLogRecordFactory()))


def _escaped(write: Callable[..., str]) -> Callable[..., str]:
    @wraps(write)
    def wrapped(*arguments: Any, **options: Any) -> str:
        return escape_lines(write(*arguments, **options))

    return wrapped


def _with_escaped_message(
    make: Callable[..., logging.LogRecord],
) -> Callable[..., logging.LogRecord]:
    def wrapped(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = make(*arguments, **options)
        try:
            message = record.getMessage()
        # Arguments that do not fit the message: `logging` reports that when it prints the record.
        except Exception:
            return record
        record.msg, record.args = escape_lines(message), ()
        # A formatter prints this instead of the traceback, which quotes the exception's message.
        if record.exc_info and record.exc_info[0]:
            record.exc_text = escape_lines(logging.Formatter().formatException(record.exc_info))
        return record

    return wrapped
