"""Fill the disk at any moment of a study or a search, make room, and resume."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from benchmarks.reliability.events import Events
from benchmarks.reliability.forks import Outcome, start_fork
from benchmarks.reliability.parallel import run_parallel
from benchmarks.reliability.study import read_state, read_tables
from benchmarks.reliability.writes import Undisturbed, arguments, run_undisturbed

_COMMANDS = ("study", "study", "search")
_DISK_BYTES = 4 * 2**20
_NO_DISK = {
    "kind": "full tmpfs",
    "tried": 0,
    "lost": 0,
    "errors": 0,
    "output": "this user may not mount a tmpfs",
}


def fill_disks(count: int) -> Events:
    """Fill the disk so often; return an event each time.

    From one file operation in the folder on no file can grow (`RLIMIT_FSIZE`). Where a small disk
    may be mounted, that one is filled too, a tenth as often.
    """
    with tempfile.TemporaryDirectory() as scratch:
        expected = {
            name: run_undisturbed(name, Path(scratch) / name) for name in sorted(set(_COMMANDS))
        }

        def work(number: int) -> Events:
            name = _COMMANDS[number % len(_COMMANDS)]
            first = 1 + number * expected[name].operations // count
            folder = Path(scratch) / f"full-{number}"
            try:
                return [_fill_at(name, expected[name], folder, first=first)]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        events = run_parallel(work, range(count))
        with small_disk(Path(scratch) / "disk") as disk:
            if not disk:
                return [*events, _NO_DISK]
            for name, undisturbed in expected.items():
                events += _fill_small_disk(name, undisturbed, disk / name, -(-count // 20))
        return events


def _fill_at(name: str, expected: Undisturbed, folder: Path, *, first: int) -> dict:
    """Let no file grow from one file operation on, then resume."""
    full = start_fork(arguments(name, folder), folder, first=first, full_disk=True).wait()
    # What is only read once all is written meets no limit.
    as_expected = full.is_user_error or not full.code
    return _resume(name, expected, folder, full, as_expected) | {"kind": f"full disk amid a {name}"}


def _resume(
    name: str, expected: Undisturbed, folder: Path, full: Outcome, as_expected: bool
) -> dict:
    """Run the command again with room on the disk; count what was lost and went wrong."""
    before = read_state(folder)
    again = start_fork(arguments(name, folder), folder).wait()
    same = not again.code and read_tables(folder) == expected.tables
    return {
        "tried": 1,
        "lost": read_state(folder).lost_since(before) + before.damaged,
        "errors": int(not (as_expected and same)),
        "output": "\n".join(full.output.splitlines()[-1:]),
    }


@contextmanager
def small_disk(mount_point: Path) -> Iterator[Path | None]:
    """Mount a disk of 4 MiB in memory until the block ends; None where this user may not."""
    mount_point.mkdir()
    mounted = False
    with suppress(OSError):
        command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(mount_point)]
        mounted = not subprocess.run(command, check=False, capture_output=True).returncode
    try:
        yield mount_point if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(mount_point)], check=True)


def _fill_small_disk(name: str, expected: Undisturbed, folder: Path, count: int) -> Events:
    """Leave too little room on a small disk, from none to all but a little of what is needed."""
    ballast = folder.with_name("ballast")
    empty = _free_bytes(folder.parent)
    run_undisturbed(name, folder)
    needed = empty - _free_bytes(folder.parent)
    events = []
    for free in np.linspace(0, needed - 4096, count).astype(int):
        shutil.rmtree(folder)
        with ballast.open("wb") as file, suppress(OSError):
            file.write(bytes(int(empty - free)))
        full = start_fork(arguments(name, folder), folder).wait()
        ballast.unlink()
        event = _resume(name, expected, folder, full, full.is_user_error)
        events.append(event | {"kind": f"full tmpfs amid a {name}"})
    shutil.rmtree(folder)
    return events


def _free_bytes(disk: Path) -> int:
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize
