"""A study, as data: checked, frozen, and known by the digest of its recipe."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from finetune.data_spec import DataSpec
from finetune.errors import SpecError
from finetune.part import FUNCTION, PRINTABLE, Count, Located, Name, Part, Positive, Share
from finetune.policy_spec import VariantSpec

Source = Literal["init", "order", "split", "data"]
Units = Annotated[int, Field(ge=1, le=10**6)]
EngineName = Literal["population", "keras"]

# The slow one first.
ENGINES: tuple[EngineName, ...] = ("keras", "population")

# Part of every digest. Raise it when a change to the code changes the numbers that runs produce.
NUMERICS_VERSION = 1

Accuracy = Literal[
    "binary_accuracy", "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"
]


def _no_device(name: str) -> str:
    """Refuse what Windows takes for a device, not a folder, with whatever suffix."""
    if re.match(r"(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)", name, re.IGNORECASE):
        raise ValueError(
            f"received {name!r}; allowed is a name that can be a folder's everywhere, which those "
            "of Windows's devices cannot; choose another"
        )
    return name


# The folder of the report has it too.
StudyName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_-])?$"),
    AfterValidator(_no_device),
]


class ModelSpec(Located):
    """The network: Dense layers and an output layer fitted to the task, or one of the user's own.

    `batch_normalization` stands between each hidden layer and its activation, `dropout` (a share)
    after it. `factory` is `module:function(input_shape, n_outputs)`; `architecture` a file with a
    network as Keras writes it, `keras.Model.to_json`.
    """

    hidden: Annotated[tuple[Units, ...], Field(max_length=1000)] = (64, 32, 16)
    activation: Name = "relu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    batch_normalization: bool = False
    factory: Annotated[str, Field(pattern=FUNCTION)] | None = None
    architecture: Annotated[str, Field(min_length=1, max_length=1000, pattern=PRINTABLE)] | None = (
        None
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if self.factory and self.architecture:
            raise ValueError("factory and architecture are both there; allowed is one of the two")
        return self


class OptimizerSpec(Part):
    """A Keras optimizer by name; `args` are its further arguments."""

    name: Name = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    args: dict[str, Any] = Field(default={})


class TrainingSpec(Part):
    """How every run is trained, whatever its variant; `loss` and `accuracy` None follow the task.

    `accuracy` names what the second metric counts: a function of `keras.metrics`.
    """

    optimizer: OptimizerSpec = OptimizerSpec()
    loss: Name | None = None
    accuracy: Accuracy | None = None
    batch_size: Positive = 32
    # The store counts them in 32 bits.
    epochs: Annotated[int, Field(ge=1, lt=2**31)] = 100
    dtype: Literal["float32", "float64"] = "float32"


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
    """What the search may choose, from [low, high] of each parameter, and at which cost.

    `trials` are those of each arm, `batch` those that are asked at once; `seed` is the sampler's.
    The objective is a mean over the search's own `seeds`.
    """

    trials: Positive = 64
    seeds: Positive = 20
    # A batch is proposed whole, also where fewer trials are left.
    batch: Annotated[int, Field(ge=1, le=1000)] = 8
    seed: Count = 0
    objective: Literal["final_val_loss", "best_val_loss"] = "final_val_loss"
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
    # All are compared with each other.
    variants: Annotated[tuple[VariantSpec, ...], Field(min_length=1, max_length=1000)]
    claim: ClaimSpec | None = None
    search: SearchSpec = SearchSpec()
    map: MapSpec = MapSpec()

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        names = [variant.name for variant in self.variants]
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(
                    f"variants: the name {name!r} is used {count} times; allowed is once each; "
                    "rename all but one"
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
        """Give the variant of that name.

        Raises:
            SpecError: There is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        names = ", ".join(repr(variant.name) for variant in self.variants)
        raise SpecError(f"variants: received {name!r}; allowed are {names}")

    def recipes(self, engine: EngineName) -> dict[str, str]:
        """Give the recipe of every variant, by its name."""
        return {variant.name: self.recipe(variant, engine) for variant in self.variants}

    def recipe(self, variant: VariantSpec, engine: EngineName, *, replicate: int = 0) -> str:
        """Give the digest of all that determines the numbers of a variant's runs, but the seed.

        Names, the number of seeds, the claim and the search leave it as it is, so a renamed study,
        an added variant or more seeds reuse every run that is stored. `engine` is the one that is
        wanted; the digest names the one that trains the variant.
        """
        parts = {
            **self._problem_parts(),
            "policies": _said_of_policies(variant),
            "engine": engine_for(variant, engine),
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
            "data": _said_of_data(self.data),
            "model": _said_of_model(self.model),
            "training": _said_of_training(self.training),
            "vary": sorted(set(self.vary)),
        }


def engine_for(variant: VariantSpec, wanted: EngineName) -> EngineName:
    """Give the engine that trains a variant: the user's own callbacks run in `fit` alone."""
    return "keras" if variant.callbacks else wanted


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


def _said_of_policies(variant: VariantSpec) -> dict[str, Any]:
    said = _said(variant)
    del said["name"]
    return said


def _said_of_data(data: DataSpec) -> dict[str, Any]:
    """Give what determines the rows: the way they are split, and a file's content, not its path."""
    said = _said(data)
    said.pop("stratify", None)
    if data.stratified:
        said["stratify"] = True
    if data.content and data.kind == "file":
        said["source"] = data.format
    return said


def _said_of_model(model: ModelSpec) -> dict[str, Any]:
    said = _said(model)
    if model.content and model.architecture:
        said["architecture"] = "file"
    return said


def _said_of_training(training: TrainingSpec) -> dict[str, Any]:
    said = _said(training)
    # It is allowed only where the task would choose it anyway, and so it is the same recipe.
    if said.get("loss") == "binary_crossentropy":
        del said["loss"]
    return said


def digest(parts: Mapping[str, Any]) -> str:
    """Give 16 hexadecimal digits that name the content, whatever the order of its keys."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
