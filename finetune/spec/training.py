"""The section `[training]` of a study: optimizer, loss, batches, epochs."""

from typing import Annotated, Any, Literal

from pydantic import Field

from finetune.spec.base import BaseSpec, Name, Positive

Accuracy = Literal[
    "binary_accuracy", "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"
]


class OptimizerSpec(BaseSpec):
    """A Keras optimizer by name; `args` are its further arguments."""

    name: Name = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    args: dict[str, Any] = Field(default={})


class TrainingSpec(BaseSpec):
    """How every run is trained, whatever its variant; `loss` and `accuracy` default by the task.

    `loss` names a function of `keras.losses`, `accuracy` one of `keras.metrics`.
    """

    optimizer: OptimizerSpec = OptimizerSpec()
    loss: Name | None = None
    accuracy: Accuracy | None = None
    batch_size: Positive = 32
    # The store counts epochs in 32 bits.
    epochs: Annotated[int, Field(ge=1, lt=2**31)] = 100
    dtype: Literal["float32", "float64"] = "float32"
