"""The section `[training]` of a study: optimizer, loss, metrics, weights, batches, epochs."""

import reprlib
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from finetune.spec.base import BaseSpec, Name, Positive
from finetune.spec.metrics import MetricName

Accuracy = Literal[
    "binary_accuracy", "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"
]


def _check_class_weight(value: Any) -> Any:
    """Say in one line what is wrong, where pydantic would say it of each kind that is allowed."""
    if value is None or value == "balanced":
        return value
    weights = list(value.values()) if isinstance(value, dict) else []
    wrong = [one for one in weights if type(one) not in (int, float) or not 0 <= one < float("inf")]
    if wrong or not any(weights):
        raise ValueError(
            f'received {reprlib.repr(wrong[0] if wrong else value)}; allowed are "balanced" and a '
            "table of a weight for each class, 0 or more and not all 0, as { yes = 2.0, no = 0.5 }"
        )
    return {name: float(weight) for name, weight in value.items()}


ClassWeight = Annotated[
    Literal["balanced"] | dict[str, float] | None, BeforeValidator(_check_class_weight)
]


# The splits of which there are curves: those that are evaluated after every epoch.
Curves = Literal["all", "validation"]


class OptimizerSpec(BaseSpec):
    """An optimizer of Keras's."""

    name: Name = "adam"
    """Its name in `keras.optimizers`, in lower case."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    """The learning rate that training begins with."""
    args: dict[str, Any] = Field(default={})
    """Its further arguments, as { weight_decay = 1e-4 }."""


class TrainingSpec(BaseSpec):
    """How every run is trained, whatever its variant; what is measured defaults by the task."""

    optimizer: OptimizerSpec = OptimizerSpec()
    """The optimizer and its learning rate."""
    loss: Name | None = None
    """A function of `keras.losses`; by default what is usual for the task."""
    accuracy: Accuracy | None = None
    """The second metric, a function of `keras.metrics`; by default what is usual for the task."""
    metrics: tuple[MetricName, ...] | None = None
    """What is measured besides, of each split whole, after every epoch."""
    class_weight: ClassWeight = None
    """That of `keras.Model.fit`, by the names of the classes, of which those that are not named
    have 1; "balanced" gives each class the same sum of weights over the training rows."""
    batch_size: Positive = 32
    """Rows in a batch."""
    # The store counts epochs in 32 bits.
    epochs: Annotated[int, Field(ge=1, lt=2**31)] = 100
    """Epochs at most."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of all computation."""

    @model_validator(mode="after")
    def _names_each_metric_once(self) -> Self:
        names = self.metrics or ()
        repeated = [name for name in names if names.count(name) > 1]
        if repeated:
            raise ValueError(
                f"metrics names {repeated[0]!r} {names.count(repeated[0])} times; allowed is once; "
                "leave the others out"
            )
        return self
