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

from finetune.cli import main

# Files and folders are opened, renamed, removed and made by what Python audits by these names.
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


def forked(
    command: Sequence[str],
    folder: Path,
    *,
    touch: int = 1,
    kill_after: float | None = None,
    full_disk: bool = False,
) -> Ended:
    """Run `finetune COMMAND` in a fork of this process.

    Args:
        command: Its arguments.
        folder: Where touches count.
        touch: The one with which the disturbance comes.
        kill_after: Seconds from then to SIGKILL.
        full_disk: From then on no file can grow.
    """
    (heard, says), (marks, mark) = os.pipe(), os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.dup2(says, 1)
        os.dup2(says, 2)
        _watch(folder, touch, mark, full_disk=full_disk)
        os._exit(_run(command))
    os.close(says)
    os.close(mark)
    # At the end of the process the pipe is closed, and nothing is left to be killed.
    if kill_after is not None and os.read(marks, 1):
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    said, touches = _all(heard), len(_all(marks))
    return Ended(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode(), touches)


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
