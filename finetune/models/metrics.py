"""Which metrics fit a target and a loss."""

from collections.abc import Iterable

from finetune.errors import SpecError
from finetune.models.losses import is_classification
from finetune.spec.data import TargetTask
from finetune.spec.metrics import KERAS_METRICS, METRICS, OWN_METRICS, REGRESSION_METRICS, metric_of
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

_TARGETS: dict[TargetTask, str] = {
    "binary": "two classes",
    "multiclass": "more than two classes",
    "regression": "numbers for regression",
}


def fitting_metrics(
    wanted: tuple[str, ...] | None, *, task: TargetTask, loss: str
) -> tuple[str, ...]:
    """Return the metrics to measure: those wanted, or those that are usual for the task.

    Raises:
        SpecError: One is not defined for the task, or needs probabilities that the loss does not
            make of the network's outputs.
    """
    if wanted is None:
        return REGRESSION_METRICS if task == "regression" else ()
    for name in wanted:
        if task not in METRICS[name].tasks:
            own, others = (
                ", ".join(known for known, metric in some.items() if task in metric.tasks)
                for some in (OWN_METRICS, KERAS_METRICS)
            )
            raise SpecError(
                f"training.metrics: received {name!r}, but the target has {_TARGETS[task]}; "
                f"allowed are {own} and, of keras.metrics, {others}; leave it out, or set data.task"
            )
        if METRICS[name].of_probabilities and not is_classification(loss):
            raise SpecError(
                f"training.metrics: received {name!r} with the loss {loss!r}, whose outputs are no "
                "probabilities; allowed with it are 'auc' and functions of one output; leave out "
                "training.loss to follow the task"
            )
    return wanted


def check_monitored(spec: StudySpec, variants: Iterable[VariantSpec]) -> None:
    """Check that the further metrics that policies monitor are measured.

    Args:
        spec: The study, with the metrics that these variants are trained with.
        variants: Those to check.

    Raises:
        SpecError: One is not; Keras would warn, and never stop or cut.
    """
    measured = spec.training.metrics or ()
    names = [variant.name for variant in spec.variants]
    for variant in variants:
        place = names.index(variant.name) if variant.name in names else variant.name
        for field in ("early_stopping", "reduce_lr"):
            policy = getattr(variant, field)
            name = metric_of(policy.monitor) if policy else ""
            if name in METRICS and name not in measured:
                known = ", ".join(repr(f"val_{one}") for one in ("loss", *measured))
                raise SpecError(
                    f"variants.{place}.{field}.monitor: received {policy.monitor!r}, which is not "
                    f"measured; allowed is what is: {known}; add {name!r} to training.metrics"
                )
