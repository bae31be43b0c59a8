"""Regular files alone: a pipe would keep a reader waiting, and a device may never end."""

import os
import stat
from errno import EINVAL
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# Windows has neither.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def check_regular(file: Path, *, follow: bool = True) -> None:
    """Check, opening nothing, that a path is a regular file; a link to one counts if followed.

    Raises:
        OSError: It is not there, or is something else, which the error names.
    """
    _check(os.stat(file, follow_symlinks=follow), file)  # noqa: PTH116  as `os.fstat` below


def open_regular(file: Path, *, follow: bool = True) -> BufferedReader:
    """Open a regular file to read its bytes.

    Args:
        file: Its path.
        follow: Whether the last part of the path may be a link.

    Raises:
        OSError: It is not there, may not be read, or is something else, which the error names.
    """
    # Opening alone does something to some devices, so that the path is checked before.
    check_regular(file, follow=follow)

    def opened_at_once(path: str, flags: int) -> int:
        return os.open(path, flags | _AT_ONCE | (0 if follow else _NO_LINK))

    opened = open(file, "rb", opener=opened_at_once)  # noqa: SIM115  Path has no opener
    try:
        # Something else may have taken the file's place since.
        _check(os.fstat(opened.fileno()), file)
    except OSError:
        opened.close()
        raise
    return opened


def read_regular(file: Path, *, follow: bool = True) -> bytes:
    """Return what a regular file holds; see `open_regular`.

    Raises:
        OSError: It is not there, may not be read, or is something else, which the error names.
    """
    with open_regular(file, follow=follow) as opened:
        return opened.read()


def _check(status: os.stat_result, file: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise OSError(EINVAL, f"it is {kind}; allowed is a regular file", str(file))
