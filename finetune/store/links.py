"""Links in a study's folder, which may come from a stranger: none is followed."""

from collections.abc import Iterable
from pathlib import Path

from finetune.errors import StoreError

_STORE = (
    "", "identity", "runs", "epochs", "trials",
    "set-aside", "set-aside/runs", "set-aside/epochs", "set-aside/trials",
)  # fmt: skip
_REPORT = (
    "store", "tables", "figures", "report.md", "report.html", "verdict.json", "manifest.json",
    "tuned.json", "search.db", "search.db-journal", "search.db-wal", "search.db-shm",
)  # fmt: skip


def refuse_links_of_store(folder: Path) -> None:
    """Refuse a store that is a link or has one where it reads, writes, moves or removes.

    Shards are left out: one that is a link is damaged, and is set aside as such.

    Raises:
        StoreError: It names the first link.
    """
    _refuse(folder, _STORE)


def refuse_links_of_study(folder: Path) -> None:
    """Refuse links where a study's report and search are read or written.

    The folder itself may be one: its user has chosen it.

    Raises:
        StoreError: It names the first link.
    """
    _refuse(folder, _REPORT)


def _refuse(folder: Path, names: Iterable[str]) -> None:
    for path in (folder / name for name in names):
        if path.is_symlink():
            raise StoreError(
                f"DIR: {str(path)!r} is a link; allowed in a study's folder are files and folders "
                "of its own; remove the link, or choose another folder"
            )
