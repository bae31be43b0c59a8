"""The first import of TensorFlow in a process, without the lines that its C++ code prints."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryFile

# Lines of the C++ logger, as "I0000 00:00:1795612870.381155    4171 port.cc:153] oneDNN ...", and
# the one that announces them.
_LOG_LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ .*\.cc:\d+\]"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] .*\.cc:\d+\]"
    rb"|To enable the following instructions: "
)


@cache
def import_tensorflow() -> None:
    """Import TensorFlow and start its runtime.

    TensorFlow 2.21 prints several lines while it loads, before it reads TF_CPP_MIN_LOG_LEVEL or
    any other setting. They alone are kept from the user.
    """
    with _log_lines_dropped():
        import tensorflow as tf

        # Devices are looked for at the first operation, which is reported too.
        tf.constant(0)


@contextmanager
def _log_lines_dropped() -> Iterator[None]:
    """Hold back standard error while the block runs; then write it without C++ log lines.

    The file descriptor itself is redirected, since C++ knows no `sys.stderr`. What other threads
    write meanwhile comes late, but it comes.
    """
    with TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _LOG_LINE.match(line)))
