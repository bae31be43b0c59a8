"""Files that are there in full or not at all, whenever the program is killed."""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from finetune.errors import StoreError

_SUFFIX = ".partial"

# A write takes seconds: what is older was left by a writer that was killed.
_ABANDONED_AFTER_SECONDS = 3600


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, no other.

    Raises:
        StoreError: the folder or the file cannot be written.
    """
    # Writers on several machines may share the folder, so that a process id would not do.
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(partial, content)
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"cannot write {path}: {reason}; what is stored is kept; make room, or choose another "
            "folder, and run again"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def remove_partial_files(folder: Path) -> None:
    """Remove what killed writers left in a folder; no reader has ever seen it.

    Raises:
        OSError: the folder cannot be read or written.
    """
    for partial in folder.glob(f".*{_SUFFIX}"):
        # Another program may have removed it.
        with suppress(FileNotFoundError):
            if is_abandoned(partial):
                partial.unlink()


def is_abandoned(file: Path) -> bool:
    """Return whether a file is so old that whatever began to write it has ended since.

    Raises:
        FileNotFoundError: it is gone.
    """
    return time.time() - file.stat().st_mtime > _ABANDONED_AFTER_SECONDS


def write_synced(file: Path, content: bytes) -> None:
    """Write a file that nobody reads yet, so that it outlasts a loss of power.

    Raises:
        OSError: the file cannot be written.
    """
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """Keep new names in a folder through a loss of power, where the system offers that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
