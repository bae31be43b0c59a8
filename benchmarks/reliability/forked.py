"""The command line in a forked process, disturbed once it has touched its folder so many times.

A fork of a process that has loaded everything begins in no time, so that hundreds can be killed.
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

from finetune.cli.app import main

# What Python calls these, in its audit events, when a file or folder is opened, renamed and so on.
_TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.link")

_SECONDS_AT_MOST = 120
_BROKEN = 70


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, or minus the signal; what it said; its touches."""

    code: int
    said: str
    touches: int

    @property
    def killed(self) -> bool:
        """Whether it was killed rather than came to its end."""
        return self.code == -signal.SIGKILL

    @property
    def told_in_one_line(self) -> bool:
        """Whether it gave up as it should where a user can help: exit code 2 and one line."""
        lines = [line for line in self.said.splitlines() if line.startswith("finetune: ")]
        return self.code == 2 and len(lines) == 1 and "Traceback" not in self.said


class Begun(NamedTuple):
    """A process that runs, and the pipes by which it is heard."""

    child: int
    heard: int
    marks: int

    def end(self) -> Ended:
        """Wait for its end."""
        said, touches = _all(self.heard), len(_all(self.marks))
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        return Ended(code, said.decode(), touches)

    def kill_after(self, seconds: float) -> None:
        """Kill it so long after the touch it was begun with, where it lives to see that."""
        # At the end of the process the pipe is closed, and nothing is left to be killed.
        if os.read(self.marks, 1):
            time.sleep(seconds)
            os.kill(self.child, signal.SIGKILL)


def begin(
    command: Sequence[str],
    folder: Path,
    *,
    touch: int = 1,
    full_disk: bool = False,
    wait: float = 0.0,
) -> Begun:
    """Begin `finetune COMMAND` in a fork of this process.

    Args:
        command: Its arguments.
        folder: Where touches count.
        touch: From which on it tells of them.
        full_disk: From then on no file can grow.
        wait: Seconds until it really begins.
    """
    (heard, says), (marks, mark) = os.pipe(), os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        os.dup2(says, 1)
        os.dup2(says, 2)
        time.sleep(wait)
        _watch(folder, touch, mark, full_disk=full_disk)
        os._exit(_run(command))
    os.close(says)
    os.close(mark)
    return Begun(child, heard, marks)


def _watch(folder: Path, touch: int, mark: int, *, full_disk: bool) -> None:
    root, count = str(folder), 0

    def see(event: str, arguments: tuple) -> None:
        nonlocal count
        if event in _TOUCHES and str(arguments[0]).startswith(root):
            count += 1
            if count == touch and full_disk:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            if count >= touch:
                os.write(mark, b".")

    sys.addaudithook(see)
    # One that hangs is ended too, and is seen by its code.
    signal.alarm(_SECONDS_AT_MOST)


def _run(command: Sequence[str]) -> int:
    sys.argv = ["finetune", *command]
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = _BROKEN
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _all(pipe: int) -> bytes:
    with os.fdopen(pipe, "rb") as file:
        return file.read()
