"""Studies that `keras.Model.fit` alone trains exactly: some show once their network is built."""

from collections.abc import Callable
from typing import TypeVar

from finetune.engines.registry import get_engine
from finetune.errors import NeedsFitError
from finetune.execution.progress import Progress
from finetune.models.measured import check_measured_early
from finetune.spec.study import StudySpec

T = TypeVar("T")


def train_exactly(
    train: Callable[[StudySpec], T], spec: StudySpec, *, engine: str, progress: Progress
) -> tuple[T, StudySpec]:
    """Train a study; where its network turns out to need `fit`, train it by that instead.

    Where tasks are trained, maybe on another machine, the network is built for the first time; a
    plan must not wait for that.

    Returns:
        What `train` returns, and the study that was trained, in which `model.fit_only` says why.

    Raises:
        SpecError: The study watches or claims of what it says itself is not measured.
        FinetuneError: Training failed.
    """
    check_measured_early(spec)
    _say(fit_notes(spec, engine), progress)
    try:
        return train(spec), spec
    except NeedsFitError as found:
        model = spec.model.model_copy(update={"fit_only": str(found)})
        spec = spec.model_copy(update={"model": model})
    _say(fit_notes(spec, engine), progress)
    return train(spec), spec


def fit_notes(spec: StudySpec, engine: str) -> list[str]:
    """Say why the wanted engine leaves variants to `fit`; of own callbacks the report tells."""
    wanted = get_engine(engine)
    reasons = [
        wanted.why_not(variant, spec.resolve(variant))
        for variant in spec.variants
        if not variant.callbacks
    ]
    return [f"Trained by keras.Model.fit, run by run: {r}" for r in dict.fromkeys(reasons) if r]


def _say(notes: list[str], progress: Progress) -> None:
    for note in notes:
        progress.note(note)
