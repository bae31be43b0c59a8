"""Do these training callbacks help, and can you prove it?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from finetune.errors import FinetuneError
from finetune.spec import StudySpec
from finetune.study_file import load_spec

if TYPE_CHECKING:
    from finetune.api import run
    from finetune.array_study import compare
    from finetune.policies.reduce_lr import DelayedReduceLROnPlateau
    from finetune.results import Results

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
    "DelayedReduceLROnPlateau": "finetune.policies.reduce_lr",
    "Results": "finetune.results",
    "compare": "finetune.array_study",
    "run": "finetune.api",
}


def __getattr__(name: str) -> Any:
    """Give a public name that is loaded late."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'finetune' has no attribute {name!r}")
