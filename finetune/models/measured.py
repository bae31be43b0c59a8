"""What a study measures, and whether its callbacks watch and its claims judge anything else."""

from collections.abc import Iterator
from typing import Any

from finetune.errors import SpecError
from finetune.models.losses import is_classification
from finetune.spec.claims import ClaimSpec, UnderfitsSpec
from finetune.spec.metrics import METRICS, metric_of
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

# Keras's names for the accuracy in the logs of `fit`.
_ACCURACIES = ("val_accuracy", "accuracy")


def check_measured(spec: StudySpec) -> None:
    """Check that everything that is watched or claimed of is measured.

    Args:
        spec: The study, with the loss and the accuracy that it is trained with.

    Raises:
        SpecError: A callback watches an accuracy, or a claim is about one, where none is
            measured; Keras would warn, and never stop or cut.
    """
    _check_claimed_metrics(spec)
    if spec.training.accuracy:
        return
    loss = spec.training.loss
    reason = f"with the loss {loss!r}" if loss else "of a target of numbers"
    for field, received, remedy in _uses_of_accuracy(spec):
        raise SpecError(
            f"{field}: received {received}, but {reason} no accuracy is measured; allowed is what "
            f"is measured: loss, val_loss, and in claims train_loss and test_loss; {remedy}"
        )


def check_measured_early(spec: StudySpec) -> None:
    """Check it before the data are read, where the study itself says that there is no accuracy.

    Raises:
        SpecError: See `check_measured`.
    """
    loss = spec.training.loss
    if spec.data.task == "regression" or (loss and not is_classification(loss)):
        check_measured(spec)


def _check_claimed_metrics(spec: StudySpec) -> None:
    """Raise where a claim is about a metric that the task has not, as MAE of classes."""
    # Where a variant measures others than its study, the study itself has been checked for it.
    measured, own = spec.training.metrics, any("metrics" in v.training for v in spec.variants)
    if measured is None or own:
        return
    for number, claim in enumerate(spec.claims):
        for field, column in _claimed_of(claim):
            name = metric_of(column)
            if name in METRICS and column != name and name not in measured:
                raise SpecError(
                    f"claims.{number}.{field}: received {column!r}, which is not measured; add "
                    f"{name!r} to training.metrics, or name another"
                )


def _uses_of_accuracy(spec: StudySpec) -> Iterator[tuple[str, str, str]]:
    """Yield where an accuracy is used: the field, its value, and what to do instead."""
    instead = "watch val_loss"
    if spec.data.task != "regression":
        instead += ", or set training.accuracy where the target has classes"
    for number, variant in enumerate(spec.variants):
        for field, monitor in _monitors(variant):
            if monitor in _ACCURACIES:
                yield f"variants.{number}.{field}", repr(monitor), instead
    for number, claim in enumerate(spec.claims):
        for field, name in _claimed_of(claim):
            if metric_of(name) == "accuracy":
                yield f"claims.{number}.{field}", repr(name), "name another, or leave it out"


def _claimed_of(claim: ClaimSpec) -> Iterator[tuple[str, str]]:
    """Yield every metric that a claim names, by its key in the claim."""
    if not isinstance(claim, UnderfitsSpec):
        yield "metric", claim.metric
        return
    # What equals a default was hardly written with an accuracy in mind.
    for name in claim.margins.model_dump(exclude_defaults=True, exclude={"shares"}):
        yield f"margins.{name}", name


def _monitors(variant: VariantSpec) -> Iterator[tuple[str, Any]]:
    """Yield what each callback of a variant watches, by its key in the variant."""
    for name in ("early_stopping", "reduce_lr"):
        if policy := getattr(variant, name):
            yield f"{name}.monitor", policy.monitor
    for number, callback in enumerate(variant.callbacks):
        yield f"callbacks.{number}.args.monitor", callback.args.get("monitor")
