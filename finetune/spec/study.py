"""A study, as data: checked, frozen, and known by the digest of its recipe."""

import re
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from finetune.errors import SpecError
from finetune.spec.base import BaseSpec, Positive
from finetune.spec.claims import ClaimSpec
from finetune.spec.data import DataSpec
from finetune.spec.model import ModelSpec
from finetune.spec.recipes import (
    NUMERICS_VERSION,
    data_parts,
    digest,
    model_parts,
    policy_parts,
    training_parts,
)
from finetune.spec.search import MapSpec, SearchSpec
from finetune.spec.seeds import Source
from finetune.spec.training import TrainingSpec
from finetune.spec.variants import VariantSpec

EngineName = Literal["population", "keras"]

# The slow one first.
ENGINES: tuple[EngineName, ...] = ("keras", "population")


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


class StudySpec(BaseSpec):
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
            "policies": policy_parts(variant),
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
            "data": data_parts(self.data),
            "model": model_parts(self.model),
            "training": training_parts(self.training),
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
