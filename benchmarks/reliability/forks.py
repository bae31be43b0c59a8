"""The command line in forks of this process, disturbed after so many file operations.

A fork of a process that has loaded everything starts in no time, so that hundreds can be killed.
Only a process without TensorFlow may fork: `python -m benchmarks.reliability` loads none.
"""

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# Commands load these late; a fork should find them loaded.
import finetune.store.compaction
import finetune.studies.run
import finetune.studies.search  # noqa: F401
from benchmarks.reliability.simulated_training import SIMULATED
from finetune.cli.app import main

# Python's audit events of the operations that change a folder or open a file in it.
_OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.link")

_MAX_SECONDS = 120
_UNEXPECTED_ERROR = 70


@dataclass(frozen=True)
class Outcome:
    """How a process ended.

    Attributes:
        code: Exit code, or minus the signal.
        output: Standard output and error together.
        operations: File operations in its folder, from the first that was to be counted.
    """

    code: int
    output: str
    operations: int

    @property
    def killed(self) -> bool:
        """Whether it was killed before its end."""
        return self.code == -signal.SIGKILL

    @property
    def is_user_error(self) -> bool:
        """Whether it ended as for what a user can mend: exit code 2 and one line."""
        lines = [line for line in self.output.splitlines() if line.startswith("finetune: ")]
        return self.code == 2 and len(lines) == 1 and "Traceback" not in self.output


class Fork(NamedTuple):
    """A running fork: its process id, and the pipes of its output and of its file operations."""

    pid: int
    output: int
    operations: int

    def wait(self) -> Outcome:
        """Wait for its end."""
        output, operations = _read_all(self.output), len(_read_all(self.operations))
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return Outcome(code, output.decode(), operations)

    def kill_after(self, seconds: float) -> None:
        """Kill it so long after the first operation that counts, unless it has ended before."""
        # The pipe is closed at the end of the process; nothing is read then.
        if os.read(self.operations, 1):
            time.sleep(seconds)
            os.kill(self.pid, signal.SIGKILL)


def start_fork(
    command: Sequence[str],
    folder: Path,
    *,
    first: int = 1,
    full_disk: bool = False,
    delay: float = 0.0,
) -> Fork:
    """Start `finetune COMMAND` in a fork of this process, with simulated training.

    Args:
        command: Its arguments.
        folder: Where file operations count.
        first: Number of the first operation that counts, from 1.
        full_disk: Whether no file can grow from that operation on.
        delay: Seconds before the command runs.
    """
    (output, write_output), (operations, write_operation) = os.pipe(), os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        os.dup2(write_output, 1)
        os.dup2(write_output, 2)
        # Elsewhere than this program's own modules, which `--no-imports` would refuse.
        os.chdir(folder.parent)
        time.sleep(delay)
        _watch(folder, first, write_operation, full_disk=full_disk)
        os._exit(_run(command))
    os.close(write_output)
    os.close(write_operation)
    return Fork(pid, output, operations)


def _watch(folder: Path, first: int, pipe: int, *, full_disk: bool) -> None:
    root, count = str(folder), 0

    def on_event(event: str, arguments: tuple) -> None:
        nonlocal count
        if event in _OPERATIONS and str(arguments[0]).startswith(root):
            count += 1
            if count == first and full_disk:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            if count >= first:
                os.write(pipe, b".")

    sys.addaudithook(on_event)
    # A command that hangs is ended too, and shows by its code.
    signal.alarm(_MAX_SECONDS)


def _run(command: Sequence[str]) -> int:
    sys.argv = ["finetune", *command]
    try:
        main(SIMULATED)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = _UNEXPECTED_ERROR
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _read_all(pipe: int) -> bytes:
    with os.fdopen(pipe, "rb") as file:
        return file.read()
