"""Learning-rate schedules as a Keras callback."""

from typing import Any

import keras
from pydantic import TypeAdapter, ValidationError

from finetune.policies.schedule import schedule_factor
from finetune.spec.messages import dotted
from finetune.spec.variants import ScheduleSpec

_SCHEDULE: TypeAdapter[ScheduleSpec] = TypeAdapter(ScheduleSpec)


@keras.saving.register_keras_serializable(package="finetune")
class LearningRateSchedule(keras.callbacks.Callback):
    """Set the learning rate of every epoch to a share of the one that training begins with.

    As `ReduceLROnPlateau` does, it sets the rate for an epoch at the end of the one before.

    Args:
        kind: "constant", "exponential", "cosine" or "one_cycle".
        arguments: Those of the kind, and `warm_up`; see `finetune.spec.variants`.

    Raises:
        ValueError: An argument is unknown, missing or not allowed.
    """

    def __init__(self, kind: str, **arguments: Any):
        super().__init__()
        try:
            self.spec = _SCHEDULE.validate_python({"kind": kind, **arguments})
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            field = dotted(wrong["loc"]) if wrong["loc"] else "kind"
            raise ValueError(f"{field}: received {wrong['input']!r}; {wrong['msg']}") from error
        self._base = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Take the optimizer's learning rate as the base, and set that of the first epoch."""
        model: Any = self.model
        rate: Any = keras.ops.convert_to_numpy(model.optimizer.learning_rate)
        self._base = float(rate)
        self._set_for(0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate of the epoch that follows."""
        self._set_for(epoch + 1)

    def _set_for(self, epoch: int) -> None:
        model: Any = self.model
        model.optimizer.learning_rate = self._base * schedule_factor(self.spec, epoch)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal callback."""
        return self.spec.model_dump()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        """Make a callback from what `get_config` returned."""
        return cls(**config)
