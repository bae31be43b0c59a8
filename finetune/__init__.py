"""Do these training callbacks help, and can you prove it?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from finetune.errors import FinetuneError
from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec

if TYPE_CHECKING:
    from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
    from finetune.studies.api import run
    from finetune.studies.compare import compare
    from finetune.studies.results import Results

__all__ = [
    "DelayedReduceLROnPlateau",
    "FinetuneError",
    "Results",
    "StudySpec",
    "compare",
    "load_spec",
    "run",
]

# What takes long to load is loaded only when it is asked for, so that the rest answers at once.
_LATE = {
    "DelayedReduceLROnPlateau": "finetune.callbacks.reduce_lr",
    "Results": "finetune.studies.results",
    "compare": "finetune.studies.compare",
    "run": "finetune.studies.api",
}


def __getattr__(name: str) -> Any:
    """Return a public name that is loaded late."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'finetune' has no attribute {name!r}")
