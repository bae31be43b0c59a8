"""A study, as data: checked, frozen, and known by the digest of its recipe."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Source = Literal["init", "order", "split", "data"]
EngineName = Literal["population", "keras"]

# Part of every digest. Raise it when a change to the code changes the numbers that runs produce.
NUMERICS_VERSION = 1

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
StudyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Monitor = Literal["val_loss", "val_accuracy", "loss"]


class Part(BaseModel):
    """Base of every part of a spec: frozen, exact types, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataSpec(Part):
    """Where the rows come from and how they are split; shares are of all rows."""

    source: Name
    args: dict[str, Any] = {}
    test_size: Share = 0.2
    val_size: Share = 0.2
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.test_size + self.val_size >= 1:
            raise ValueError(
                f"test_size + val_size is {self.test_size + self.val_size:g}; allowed is less than "
                "1, so that training rows are left; lower one of them"
            )
        return self


class ModelSpec(Part):
    """The default network: Dense layers and one output layer fitted to the task."""

    hidden: tuple[Positive, ...] = (64, 32, 16)
    activation: Name = "relu"
    factory: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None


class OptimizerSpec(Part):
    """A Keras optimizer by name; `args` are its further arguments."""

    name: Name = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    args: dict[str, Any] = {}


class TrainingSpec(Part):
    """How every run is trained, whatever its variant."""

    optimizer: OptimizerSpec = OptimizerSpec()
    loss: Name = "binary_crossentropy"
    batch_size: Positive = 32
    epochs: Positive = 100
    dtype: Literal["float32", "float64"] = "float32"


class EarlyStoppingSpec(Part):
    """Arguments of `keras.callbacks.EarlyStopping`, which restores the best weights here."""

    monitor: Monitor = "val_loss"
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    patience: Count = 0
    baseline: float | None = None
    restore_best_weights: bool = True
    start_from_epoch: Count = 0


class ReduceLRSpec(Part):
    """Arguments of `finetune.DelayedReduceLROnPlateau`."""

    monitor: Monitor = "val_loss"
    factor: Share = 0.1
    patience: Count = 10
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    cooldown: Count = 0
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    start_from_epoch: Count = 0
    until_epoch: Positive | None = None


class SetLRSpec(Part):
    """The learning rate is set to a value once, for the epochs from `epoch` (from 0) on."""

    epoch: Positive
    learning_rate: Annotated[float, Field(gt=0)]


class VariantSpec(Part):
    """A named set of callback policies."""

    name: Name
    early_stopping: EarlyStoppingSpec | None = None
    reduce_lr: ReduceLRSpec | None = None
    set_lr: SetLRSpec | None = None


class Margins(Part):
    """Differences too small to matter, absolute, per metric."""

    train_loss: Annotated[float, Field(gt=0)] = 0.01
    test_loss: Annotated[float, Field(gt=0)] = 0.005
    train_accuracy: Annotated[float, Field(gt=0)] = 0.01
    test_accuracy: Annotated[float, Field(gt=0)] = 0.005


class ClaimSpec(Part):
    """The claim under test: `treatment` underfits compared with `control`.

    `contrasts` is the family of pairs of variants that are compared besides, [first, second].
    """

    treatment: Name
    control: Name
    contrasts: tuple[tuple[Name, Name], ...] | None = None
    margins: Margins = Margins()
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05


class SearchSpec(Part):
    """What the search may choose, from [low, high] of each parameter, and at which cost."""

    trials: Positive = 64
    seeds: Positive = 20
    factor: tuple[Share, Share] = (0.05, 0.95)
    patience: tuple[Positive, Positive] = (1, 15)
    start_from_epoch: tuple[Count, Count] = (1, 40)

    @model_validator(mode="after")
    def _ranges_hold_something(self) -> Self:
        for name in ("factor", "patience", "start_from_epoch"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    f"{name} is the empty range [{low}, {high}]; allowed is [low, high] with "
                    "low <= high; swap the two"
                )
        return self


class MapSpec(Part):
    """The grid of the claim map: every factor, patience and delay (the control's start)."""

    factor: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.1, 0.3, 0.5, 0.8)
    patience: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 3, 5, 10)
    delay: Annotated[tuple[Positive, ...], Field(min_length=1)] = (10, 20)
    seeds: Positive = 40


class StudySpec(Part):
    """Everything a study is: data, model, training, variants, the claim, and how many seeds."""

    name: StudyName
    seeds: Positive = 100
    vary: tuple[Source, ...] = ("init", "order")
    data: DataSpec
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    variants: Annotated[tuple[VariantSpec, ...], Field(min_length=1)]
    claim: ClaimSpec | None = None
    search: SearchSpec = SearchSpec()
    map: MapSpec = MapSpec()

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        names = [variant.name for variant in self.variants]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"variants: the name {name!r} is used {names.count(name)} times; allowed is "
                    "once each; rename all but one"
                )
        if self.claim:
            pairs = {"claim": (self.claim.treatment, self.claim.control)}
            for index, pair in enumerate(self.claim.contrasts or ()):
                pairs[f"claim.contrasts.{index}"] = pair
            for place, pair in pairs.items():
                _check_pair(place, pair, names)
        return self

    def with_epochs(self, epochs: int) -> "StudySpec":
        """Give the same study with another epoch budget."""
        training = self.training.model_copy(update={"epochs": epochs})
        return self.model_copy(update={"training": training})

    def variant(self, name: str) -> VariantSpec:
        """Give the variant of that name."""
        return next(variant for variant in self.variants if variant.name == name)

    def recipes(self, engine: EngineName) -> dict[str, str]:
        """Give the recipe of every variant, by its name."""
        return {variant.name: self.recipe(variant, engine) for variant in self.variants}

    def recipe(self, variant: VariantSpec, engine: EngineName, *, replicate: int = 0) -> str:
        """Give the digest of all that determines the numbers of a variant's runs, but the seed.

        Names, the number of seeds, the claim and the search leave it as it is, so a renamed study,
        an added variant or more seeds reuse every run that is stored.
        """
        parts = {
            **self._problem_parts(),
            "policies": {
                kind: _said(policy) for kind, policy in variant if isinstance(policy, Part)
            },
            "engine": engine,
            "numerics": NUMERICS_VERSION,
            "replicate": replicate,
        }
        return digest(parts)

    @property
    def problem(self) -> str:
        """The digest of what all variants share: data, model, training and what varies."""
        return digest(self._problem_parts())

    def _problem_parts(self) -> dict[str, Any]:
        return {
            "data": _said(self.data),
            "model": _said(self.model),
            "training": _said(self.training),
            "vary": sorted(set(self.vary)),
        }


def _check_pair(place: str, pair: tuple[str, str], names: list[str]) -> None:
    for name in pair:
        if name not in names:
            raise ValueError(
                f"{place}: names the variant {name!r}; allowed are {', '.join(map(repr, names))}"
            )
    if pair[0] == pair[1]:
        raise ValueError(
            f"{place}: compares {pair[0]!r} with itself; allowed are two different variants"
        )


def _said(part: Part) -> dict[str, Any]:
    """Give what differs from the defaults, so that a key added later leaves old digests alone."""
    return part.model_dump(mode="json", exclude_defaults=True)


def digest(parts: Mapping[str, Any]) -> str:
    """Give 16 hexadecimal digits that name the content, whatever the order of its keys."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
