"""Do these training callbacks help, and can you prove it?"""

from typing import TYPE_CHECKING, Any

from finetune.errors import FinetuneError
from finetune.spec import StudySpec
from finetune.study_file import load_spec

if TYPE_CHECKING:
    from finetune.policies.reduce_lr import DelayedReduceLROnPlateau

__all__ = ["DelayedReduceLROnPlateau", "FinetuneError", "StudySpec", "load_spec"]


def __getattr__(name: str) -> Any:
    """Load what needs Keras only when it is asked for, so that the rest answers at once."""
    if name == "DelayedReduceLROnPlateau":
        from finetune.policies.reduce_lr import DelayedReduceLROnPlateau

        return DelayedReduceLROnPlateau
    raise AttributeError(f"module 'finetune' has no attribute {name!r}")
