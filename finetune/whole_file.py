"""Files that are there in full or not at all, whenever the program is killed."""

import os
from contextlib import suppress
from pathlib import Path

from finetune.errors import StoreError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, no other.

    Raises:
        StoreError: the folder or the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"cannot write {path}: {reason}; what is stored is kept; make room, or choose another "
            "folder, and run again"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
