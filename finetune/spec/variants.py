"""The section `[[variants]]` of a study: what may stop training, and what sets the LR."""

from collections.abc import Mapping
from functools import reduce
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from finetune.spec.base import IMPORT_PATH, BaseSpec, Count, Name, Positive, Share, UserFileSpec
from finetune.spec.merging import Overrides, merge, merged_keys
from finetune.spec.metrics import Monitor
from finetune.spec.model import ModelSpec
from finetune.spec.training import TrainingSpec


class EarlyStoppingSpec(BaseSpec):
    """Arguments of `keras.callbacks.EarlyStopping`; best weights are restored by default."""

    monitor: Monitor = "val_loss"
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    patience: Count = 0
    baseline: float | None = None
    restore_best_weights: bool = True
    start_from_epoch: Count = 0


class ReduceLRSpec(BaseSpec):
    """Arguments of `finetune.DelayedReduceLROnPlateau`."""

    monitor: Monitor = "val_loss"
    factor: Share = 0.1
    patience: Count = 10
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    cooldown: Count = 0
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    start_from_epoch: Count = 0
    until_epoch: Positive | None = None


class SetLRSpec(BaseSpec):
    """Arguments of `SetLearningRate`: set the LR once, for the epochs from `epoch` (from 0) on."""

    epoch: Positive
    learning_rate: Annotated[float, Field(gt=0)]


class BaseScheduleSpec(BaseSpec):
    """Base of all schedules: a linear warm-up.

    For the first `warm_up` epochs the LR rises by equal steps to the one that the schedule begins
    with; the schedule's epochs count from there.
    """

    warm_up: Count = 0


class ConstantSpec(BaseScheduleSpec):
    """The optimizer's LR times `factor`, in every epoch."""

    kind: Literal["constant"]
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1


class ExponentialSpec(BaseScheduleSpec):
    """The LR times `factor` after each epoch."""

    kind: Literal["exponential"]
    factor: Share = 0.95


class CosineSpec(BaseScheduleSpec):
    """Cosine annealing with warm restarts.

    The first cycle lasts `period` epochs; each further one lasts `growth` times as long, and its
    peak is `decay` times as high. `floor` is the lowest LR, as a share of the optimizer's.
    """

    kind: Literal["cosine"]
    period: Positive = 20
    growth: Annotated[float, Field(ge=1)] = 1.0
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    floor: Annotated[float, Field(ge=0, lt=1)] = 0.0


class OneCycleSpec(BaseScheduleSpec):
    """One cycle of `epochs`: up to the optimizer's LR in the share `rise` of them, then down.

    The LR begins at the optimizer's over `initial_divisor` and ends at that over `final_divisor`,
    where it stays. `epochs` is set here, not taken from the study's budget, so that a variant has
    the same schedule under every budget.
    """

    kind: Literal["one_cycle"]
    epochs: Annotated[int, Field(ge=2)]
    rise: Share = 0.3
    initial_divisor: Annotated[float, Field(ge=1)] = 25.0
    final_divisor: Annotated[float, Field(ge=1)] = 250_000.0


ScheduleSpec = Annotated[
    ConstantSpec | ExponentialSpec | CosineSpec | OneCycleSpec, Field(discriminator="kind")
]


class CallbackSpec(UserFileSpec):
    """A Keras callback of the user's, `module:class`; `args` are its arguments."""

    callback: Annotated[str, Field(pattern=IMPORT_PATH)]
    args: dict[str, Any] = Field(default={})


class VariantSpec(BaseSpec):
    """A named way to train: policies, and Keras callbacks of the user's that act after them.

    `model` and `training` hold the keys of these two sections that the variant sets otherwise than
    the study; `StudySpec.resolve` applies them.
    """

    name: Name
    early_stopping: EarlyStoppingSpec | None = None
    reduce_lr: ReduceLRSpec | None = None
    set_lr: SetLRSpec | None = None
    schedule: ScheduleSpec | None = None
    callbacks: tuple[CallbackSpec, ...] = ()
    model: Annotated[dict[str, Any], Overrides(ModelSpec)] = Field(default={})
    training: Annotated[dict[str, Any], Overrides(TrainingSpec)] = Field(default={})
    _network_folder: str | None = PrivateAttr(default=None)

    @property
    def bare(self) -> bool:
        """Whether the variant is the study's network and training, with nothing added."""
        return self == VariantSpec(name=self.name)

    @property
    def learning_rate(self) -> float | None:
        """The learning rate that the variant gives the optimizer; None where the study's holds."""
        return self.training.get("optimizer", {}).get("learning_rate")

    @property
    def network_folder(self) -> str | None:
        """The folder in which the file of the variant's own network was found."""
        return self._network_folder

    def with_network_file(self, *, folder: str, content: str) -> "VariantSpec":
        """Return a copy that knows the file of its own network: its folder and its SHA-256."""
        variant = self.model_copy(update={"model": {**self.model, "content": content}})
        variant._network_folder = folder
        return variant

    def __hash__(self) -> int:
        # Dictionaries have no hash; what is equal has the same name.
        return hash(self.name)

    def reducing(self, *, name: str | None = None, **changed: Any) -> "VariantSpec":
        """Return the variant with arguments of `reduce_lr` changed; the others stay, or default."""
        policy = (self.reduce_lr or ReduceLRSpec()).model_copy(update=changed)
        return self.model_copy(update={"name": name or self.name, "reduce_lr": policy})

    def with_values(
        self,
        values: Mapping[str, Any],
        *,
        name: str | None = None,
        at: tuple[str | int, ...] = (),
    ) -> "VariantSpec":
        """Return the variant with other values at dotted paths, as "reduce_lr.factor".

        Args:
            values: By path, each below a policy that the variant has, `model` or `training`.
            name: Of the returned variant; by default as here.
            at: Where errors say that the values stand.

        Raises:
            ValidationError: A policy does not allow a value; `StudySpec.resolve` checks the others.
        """
        changed: dict[str, Any] = {}
        for path, value in values.items():
            key, *keys = path.split(".")
            tree = reduce(lambda inner, outer: {outer: inner}, reversed(keys), value)
            found = changed.get(key, getattr(self, key))
            if isinstance(found, BaseSpec):
                changed[key] = merge(found, tree, at=(*at, key))
            else:
                changed[key] = merged_keys(found, tree)
        return self.model_copy(update={"name": name or self.name, **changed})

    @model_validator(mode="after")
    def _one_policy_sets_the_rate(self) -> Self:
        others = [name for name in ("reduce_lr", "set_lr") if getattr(self, name)]
        if self.schedule and others:
            raise ValueError(
                f"{self.name!r} has schedule = {self.schedule.kind} beside {' and '.join(others)}; "
                "allowed is one of them, since a schedule sets the LR anew after each epoch; make "
                "two variants of it"
            )
        return self
