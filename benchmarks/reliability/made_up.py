"""The command line with training and figures made up, so that a study takes a moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from unittest.mock import patch

from tests import made_runs

# What commands load late; a fork of this process finds it loaded.
_LATE = ("compaction", "progress", "search.tuned_study", "study")


@contextmanager
def training_made_up() -> Iterator[None]:
    """Make up training as the tests do, none of it failed, and figures of a few bytes."""
    for name in _LATE:
        import_module(f"finetune.{name}")
    with (
        made_runs.made_up(),
        patch.object(made_runs, "FAILED_SHARE", 0.0),
        patch("finetune.report.render.figure_files", _figures),
        patch("finetune.studies.search.tuned_files", lambda tables, *, tuned: {}),
    ):
        yield


def _figures(tables: object, *, names: list[str]) -> dict[str, bytes]:
    return {f"{name}.svg": b"<svg/>" for name in names}
