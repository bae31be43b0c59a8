"""A whole study: checked, frozen, with a recipe for each variant that identifies its runs."""

import re
from collections import Counter
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from finetune.errors import SpecError
from finetune.spec.base import BaseSpec, Positive
from finetune.spec.claims import ClaimSpec
from finetune.spec.data import DataSpec
from finetune.spec.model import ModelSpec
from finetune.spec.recipes import (
    NUMERICS_VERSION,
    data_inputs,
    digest,
    model_inputs,
    training_inputs,
    variant_inputs,
)
from finetune.spec.search import MapSpec, SearchSpec
from finetune.spec.seeds import Source
from finetune.spec.training import TrainingSpec
from finetune.spec.variants import VariantSpec


def _check_no_device(name: str) -> str:
    """Raise where Windows would take the name for a device, which it does whatever its suffix."""
    if re.match(r"(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)", name, re.IGNORECASE):
        raise ValueError(
            f"received {name!r}; allowed is a name that can be a folder's everywhere, which those "
            "of Windows's devices cannot; choose another"
        )
    return name


# It is also the name of the report's folder.
StudyName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_-])?$"),
    AfterValidator(_check_no_device),
]


class StudySpec(BaseSpec):
    """A study: data, model, training, variants, the claim, and how many seeds."""

    name: StudyName
    seeds: Positive = 100
    vary: tuple[Source, ...] = ("init", "order")
    data: DataSpec
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    # At most this many, since every two of them are compared.
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
            for field, pair in pairs.items():
                _check_pair(field, pair, names)
        return self

    def with_epochs(self, epochs: int) -> "StudySpec":
        """Return the study with another epoch budget."""
        training = self.training.model_copy(update={"epochs": epochs})
        return self.model_copy(update={"training": training})

    def variant(self, name: str) -> VariantSpec:
        """Return the variant of that name.

        Raises:
            SpecError: No variant has that name.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        names = ", ".join(repr(variant.name) for variant in self.variants)
        raise SpecError(f"variants: received {name!r}; allowed are {names}")

    def recipe(self, variant: VariantSpec, engine: str, *, replicate: int = 0) -> str:
        """Return the digest of all that determines the numbers of a variant's runs, but the seed.

        Names, the number of seeds, the claim and the search leave it as it is, so a renamed study,
        an added variant or more seeds reuse every run that is stored.

        Args:
            variant: Whose runs.
            engine: Name of the engine that trains the variant.
            replicate: Of the batch order, as in the A/A check.
        """
        inputs = {
            **self._problem_inputs(),
            "policies": variant_inputs(variant),
            "engine": engine,
            "numerics": NUMERICS_VERSION,
            "replicate": replicate,
        }
        return digest(inputs)

    @property
    def problem(self) -> str:
        """The digest of what all variants share: data, model, training and what varies."""
        return digest(self._problem_inputs())

    def _problem_inputs(self) -> dict[str, Any]:
        return {
            "data": data_inputs(self.data),
            "model": model_inputs(self.model),
            "training": training_inputs(self.training),
            "vary": sorted(set(self.vary)),
        }


def _check_pair(field: str, pair: tuple[str, str], names: list[str]) -> None:
    for name in pair:
        if name not in names:
            raise ValueError(
                f"{field}: names the variant {name!r}; allowed are {', '.join(map(repr, names))}"
            )
    if pair[0] == pair[1]:
        raise ValueError(
            f"{field}: compares {pair[0]!r} with itself; allowed are two different variants"
        )
