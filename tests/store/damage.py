"""Ways in which a file can be damaged, by a disk or a person."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def _flip_a_bit(file: Path) -> None:
    """Flip one amid the data, which leaves the file's structure as it is."""
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)


def _invert_bytes(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:8] + bytes(byte ^ 255 for byte in content[8:68]) + content[68:])


def _replace_by_another(file: Path) -> None:
    shutil.copyfile(min(set(file.parent.iterdir()) - {file}), file)


def _replace_by_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _link_to(name: str) -> Callable[[Path], None]:
    def link(file: Path) -> None:
        file.unlink()
        file.symlink_to(name.format(file.name))

    return link


DAMAGES: dict[str, Callable[[Path], None]] = {
    "one bit flipped": _flip_a_bit,
    "bytes inverted": _invert_bytes,
    "cut short": lambda file: os.truncate(file, file.stat().st_size // 2),
    "emptied": lambda file: os.truncate(file, 0),
    "made longer": lambda file: file.write_bytes(file.read_bytes() + b"more"),
    "another shard in its place": _replace_by_another,
    "a folder in its place": _replace_by_a_folder,
    "a link to nowhere in its place": _link_to("nowhere"),
    "a link to itself in its place": _link_to("{}"),
    "removed": Path.unlink,
}


def content_of(file: Path) -> object:
    """Return what distinguishes a file, a link or a folder; None where there is nothing."""
    if file.is_symlink():
        return str(file.readlink())
    if file.is_dir():
        return sorted(file.iterdir())
    return file.read_bytes() if file.exists() else None
