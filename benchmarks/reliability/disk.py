"""Fill the disk at any moment of a study or a search, make room, and resume."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import begin
from benchmarks.reliability.lanes import in_lanes
from benchmarks.reliability.studies import Left, left_in, tables
from benchmarks.reliability.writes import Undisturbed, arguments, undisturbed

_PATHS = ("study", "study", "search")
_DISK_BYTES = 4 * 2**20
_NO_DISK = {
    "what": "full tmpfs",
    "tried": 0,
    "lost": 0,
    "wrong": 0,
    "said": "this user may not mount a tmpfs",
}


def full_disks(count: int) -> list[dict[str, Any]]:
    """Fill the disk so often; give a row each time.

    From the touch of the folder on that is tried, no file can grow (`RLIMIT_FSIZE`). Where a small
    disk may be mounted, that one is filled too, a tenth as often.
    """
    with tempfile.TemporaryDirectory() as scratch:
        known = {path: undisturbed(path, Path(scratch) / path) for path in sorted(set(_PATHS))}

        def one(number: int) -> list[dict[str, Any]]:
            path = _PATHS[number % len(_PATHS)]
            touch = 1 + number * known[path].touches // count
            folder = Path(scratch) / f"full-{number}"
            try:
                found = _limited(path, known[path], folder, touch=touch)
                return [{"what": f"full disk amid a {path}", "touch": touch, "tried": 1, **found}]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        rows = in_lanes(one, range(count))
        with small_disk(Path(scratch) / "disk") as disk:
            if not disk:
                return [*rows, _NO_DISK]
            for path, sound in known.items():
                rows += _small(path, sound, disk / path, -(-count // 20))
        return rows


def _limited(path: str, known: Undisturbed, folder: Path, *, touch: int) -> dict[str, Any]:
    full = begin(arguments(path, folder), folder, touch=touch, full_disk=True).end()
    after = left_in(folder)
    # What is only read once all is written meets no limit.
    told = full.told_in_one_line or not full.code
    return {
        "code": full.code,
        "said": _last(full.said),
        **_resumed(path, known, folder, after, told),
    }


def _resumed(path: str, known: Undisturbed, folder: Path, full: Left, told: bool) -> dict[str, Any]:
    """Resume with room on the disk; give what was lost and what is wrong."""
    again = begin(arguments(path, folder), folder).end()
    same = not again.code and tables(folder) == known.tables
    lost = left_in(folder).lost_since(full) + full.damaged
    return {"runs_stored": len(full.runs), "lost": lost, "wrong": int(not (told and same))}


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """Give a disk of 4 MiB in memory; None where this user may not mount one."""
    place.mkdir()
    mounted = False
    with suppress(OSError):
        command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(place)]
        mounted = not subprocess.run(command, check=False, capture_output=True).returncode
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


def _small(path: str, known: Undisturbed, folder: Path, count: int) -> list[dict[str, Any]]:
    """Leave too little room on a small disk, from none to all but a little of what is needed."""
    ballast = folder.with_name("ballast")
    empty = _free(folder.parent)
    ended = begin(arguments(path, folder), folder).end()
    assert not ended.code, ended.said
    needed = empty - _free(folder.parent)
    rows = []
    for free in np.linspace(0, needed - 4096, count).astype(int):
        shutil.rmtree(folder)
        with ballast.open("wb") as file, suppress(OSError):
            file.write(bytes(int(empty - free)))
        full = begin(arguments(path, folder), folder).end()
        ballast.unlink()
        after = left_in(folder)
        found = _resumed(path, known, folder, after, full.told_in_one_line)
        about = {"what": f"full tmpfs amid a {path}", "free_bytes": int(free), "tried": 1}
        rows.append({**about, "code": full.code, "said": _last(full.said), **found})
    shutil.rmtree(folder)
    return rows


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def _last(said: str) -> str:
    return said.splitlines()[-1] if said else ""
