"""The section `[[variants]]` of a study: what may stop training, and what sets the LR."""

from collections.abc import Iterator, Mapping
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
    """What is watched."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """A change of no more than this is no improvement."""
    patience: Count = 0
    """Epochs without an improvement after which training stops."""
    baseline: float | None = None
    """The value that must be bettered."""
    restore_best_weights: bool = True
    """Whether a run ends with the weights of its best epoch."""
    start_from_epoch: Count = 0
    """The first epoch that is watched, from 0."""


class ReduceLRSpec(BaseSpec):
    """Arguments of `finetune.DelayedReduceLROnPlateau`."""

    monitor: Monitor = "val_loss"
    """What is watched."""
    factor: Share = 0.1
    """What the LR is multiplied by."""
    patience: Count = 10
    """Epochs without an improvement after which the LR is cut."""
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    """A change of no more than this is no improvement."""
    cooldown: Count = 0
    """Epochs after a cut that are not counted."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """The LR is not cut below this."""
    start_from_epoch: Count = 0
    """The first epoch that is watched, from 0: the delay."""
    until_epoch: Positive | None = None
    """The epoch from which on the LR is left as it is."""


class SetLRSpec(BaseSpec):
    """Arguments of `SetLearningRate`: set the LR once, for the epochs from `epoch` (from 0) on."""

    epoch: Positive
    """The first epoch with that learning rate, from 0."""
    learning_rate: Annotated[float, Field(gt=0)]
    """The learning rate."""


class BaseScheduleSpec(BaseSpec):
    """Base of all schedules: a linear warm-up.

    For the first `warm_up` epochs the LR rises by equal steps to the one that the schedule begins
    with; the schedule's epochs count from there.
    """

    warm_up: Count = 0
    """Epochs in which the LR rises to the one that the schedule begins with."""


class ConstantSpec(BaseScheduleSpec):
    """The optimizer's LR times `factor`, in every epoch."""

    kind: Literal["constant"]
    """One LR in every epoch."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """What the optimizer's LR is multiplied by."""


class ExponentialSpec(BaseScheduleSpec):
    """The LR times `factor` after each epoch."""

    kind: Literal["exponential"]
    """A lower LR after each epoch."""
    factor: Share = 0.95
    """What the LR is multiplied by after each epoch."""


class CosineSpec(BaseScheduleSpec):
    """Cosine annealing with warm restarts."""

    kind: Literal["cosine"]
    """Cycles, in each of which the LR falls along a cosine."""
    period: Positive = 20
    """Epochs of the first cycle."""
    growth: Annotated[float, Field(ge=1)] = 1.0
    """How many times as long each further cycle lasts."""
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How many times as high the peak of each further cycle is."""
    floor: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The lowest LR, as a share of the optimizer's."""


class OneCycleSpec(BaseScheduleSpec):
    """One cycle of `epochs`: up to the optimizer's LR in the share `rise` of them, then down.

    `epochs` is set here, not taken from the study's budget, so that a variant has the same schedule
    under every budget.
    """

    kind: Literal["one_cycle"]
    """The LR rises to the optimizer's, and falls again."""
    epochs: Annotated[int, Field(ge=2)]
    """Epochs of the cycle; the LR then stays."""
    rise: Share = 0.3
    """Share of the epochs in which the LR rises."""
    initial_divisor: Annotated[float, Field(ge=1)] = 25.0
    """The LR begins at the optimizer's over this."""
    final_divisor: Annotated[float, Field(ge=1)] = 250_000.0
    """The LR ends at the optimizer's over this."""


ScheduleSpec = Annotated[
    ConstantSpec | ExponentialSpec | CosineSpec | OneCycleSpec, Field(discriminator="kind")
]


class CallbackSpec(UserFileSpec):
    """A Keras callback of the user's."""

    callback: Annotated[str, Field(pattern=IMPORT_PATH)]
    """Where it is, as `module:class`."""
    args: dict[str, Any] = Field(default={})
    """Its arguments."""


def _leaves(tree: Mapping[str, Any], *above: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, *above, key)
        else:
            yield ".".join((*above, key)), value


class VariantSpec(BaseSpec):
    """A named way to train: policies, and Keras callbacks of the user's that act after them.

    `StudySpec.resolve` applies what it sets otherwise than the study.
    """

    name: Name
    """What tables and figures call it."""
    early_stopping: EarlyStoppingSpec | None = None
    """Early stopping, with the arguments of `keras.callbacks.EarlyStopping`."""
    reduce_lr: ReduceLRSpec | None = None
    """LR reduction on plateau, with the arguments of `ReduceLROnPlateau` and a delay."""
    set_lr: SetLRSpec | None = None
    """Another learning rate from an epoch on."""
    schedule: ScheduleSpec | None = None
    """A schedule, which sets the LR by the epoch alone."""
    callbacks: tuple[CallbackSpec, ...] = ()
    """Keras callbacks of your own; `keras.Model.fit` then trains the variant run by run."""
    model: Annotated[dict[str, Any], Overrides(ModelSpec)] = Field(default={})
    """Keys of [model] that the variant sets otherwise than the study."""
    training: Annotated[dict[str, Any], Overrides(TrainingSpec)] = Field(default={})
    """Keys of [training] that the variant sets otherwise than the study."""
    _network_folder: str | None = PrivateAttr(default=None)

    @property
    def bare(self) -> bool:
        """Whether the variant is the study's network and training, with nothing added."""
        return self == VariantSpec(name=self.name)

    @property
    def settings(self) -> dict[str, Any]:
        """What the variant adds to the study, or sets otherwise, by dotted path.

        A policy with nothing but defaults stands there by its name, with an empty table.
        """
        own = self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        return dict(_leaves(own))

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
