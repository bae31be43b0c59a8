"""What may lie where a file should: it must be named at once, and neither waited for nor read."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _socket(path: Path) -> Path:
    # The path of a socket may have no more than some hundred characters.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(before)
    return path


def _device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


# Each makes one at a path, where nothing is; the name is the word for it in messages.
SPECIAL_FILES: dict[str, Callable[[Path], Path]] = {
    "a pipe": _pipe,
    "a socket": _socket,
    "a device": _device,
    "a folder": _folder,
}
