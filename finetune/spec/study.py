"""A whole study: checked, frozen, with a recipe for each variant that identifies its runs."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from finetune.errors import SpecError
from finetune.spec.base import PRINTABLE, BaseSpec, Name
from finetune.spec.checks import ChecksSpec
from finetune.spec.claimed import check_claim
from finetune.spec.claims import ClaimSpec, UnderfitsSpec
from finetune.spec.data import DataSpec
from finetune.spec.looks import Look, SeedRange, Seeds
from finetune.spec.merging import merge
from finetune.spec.model import DENSE_KEYS, ModelSpec
from finetune.spec.recipes import (
    NUMERICS_VERSION,
    data_inputs,
    digest,
    model_inputs,
    training_inputs,
    variant_inputs,
)
from finetune.spec.search import MapSpec, SearchSpec
from finetune.spec.search_space import applies
from finetune.spec.seeds import Source
from finetune.spec.training import Curves, TrainingSpec
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

# Where errors say that a value of a search's space stands.
_SPACE = ("search", "space")


class StudySpec(BaseSpec):
    """A study: data, model, training, variants, claims, and how many seeds."""

    name: StudyName
    """Of the study, and of the folder of its report."""
    description: Annotated[str, Field(max_length=300, pattern=PRINTABLE)] | None = None
    """What the study asks, in a sentence."""
    seeds: Seeds = 100
    """How many times each variant is trained; a range for as many as the claims need."""
    vary: tuple[Source, ...] = ("init", "order")
    """What differs from seed to seed."""
    data: DataSpec
    """Where the rows come from and how they are split."""
    model: ModelSpec = ModelSpec()
    """The network."""
    training: TrainingSpec = TrainingSpec()
    """How every run is trained."""
    # At most this many, since every two of them are compared.
    variants: Annotated[tuple[VariantSpec, ...], Field(min_length=1, max_length=1000)]
    """What is compared; the first without callbacks is what the others are compared with."""
    claims: Annotated[tuple[ClaimSpec, ...], Field(max_length=100)] = ()
    """What is said of two variants before anything runs."""
    contrasts: tuple[tuple[Name, Name], ...] | None = None
    """Pairs of variants to compare, each [first, second]; by default those of the claims, and every
    other variant with the first that adds nothing."""
    checks: ChecksSpec = ChecksSpec()
    """What is trained beside the study's own runs, which the trust in it rests on."""
    search: SearchSpec = SearchSpec()
    """What `finetune search` tunes, and its budget."""
    map: MapSpec = MapSpec()
    """The grid of `finetune map`."""

    @model_validator(mode="after")
    def _weighs_rows_in_one_way(self) -> Self:
        weighs_classes = any(self.resolve(one).training.class_weight for one in self.variants)
        if self.data.weight is not None and weighs_classes:
            raise ValueError(
                "data.weight and training.class_weight are both there; allowed is one of the two, "
                "as in keras.Model.fit; multiply them into the column that data.weight names"
            )
        return self

    @model_validator(mode="after")
    def _split_can_vary(self) -> Self:
        if self.data.time and "split" in self.vary:
            raise ValueError(
                "vary: received 'split', but data.time splits the rows, and the latest are the "
                "same for every seed; allowed with it are init, order and data; leave 'split' out"
            )
        return self

    @model_validator(mode="after")
    def _overrides_fit(self) -> Self:
        for number, variant in enumerate(self.variants):
            model = self.resolve(variant).model
            own = model.own
            ignored = sorted(DENSE_KEYS & set(variant.model))
            if own and ignored:
                raise ValueError(
                    f"variants.{number}.model.{ignored[0]}: is of the dense network, but this "
                    f"variant has {own!r}; allowed is one of the two; leave the key out"
                )
        return self

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        names = [variant.name for variant in self.variants]
        _check_unique("variants", names)
        _check_unique("claims", [claim.name for claim in self.claims if claim.name])
        pairs = {f"claims.{i}": (one.treatment, one.control) for i, one in enumerate(self.claims)}
        for index, pair in enumerate(self.contrasts or ()):
            pairs[f"contrasts.{index}"] = pair
        for field, pair in pairs.items():
            _check_pair(field, pair, names)
        return self

    @model_validator(mode="after")
    def _claims_can_be_judged(self) -> Self:
        for number, claim in enumerate(self.claims):
            arms = {
                name: self.resolve(self.variant(name)).training
                for name in (claim.treatment, claim.control)
            }
            check_claim(claim, arms, field=f"claims.{number}")
        return self

    @model_validator(mode="after")
    def _checks_have_no_further_seeds(self) -> Self:
        for name, wanted in self.checks:
            if wanted > self.n_seeds:
                raise ValueError(
                    f"checks.{name}: received {wanted}; allowed is true, false or at most the "
                    f"study's number of seeds, {self.n_seeds}; lower it, or raise seeds"
                )
        return self

    @model_validator(mode="after")
    def _has_claims_to_decide(self) -> Self:
        if self.looks and not self.claims:
            raise ValueError(
                "seeds: received a range, which ends when every claim is decided, but the study "
                "makes no claim; allowed is a number of seeds; give one, or add [[claims]]"
            )
        return self

    @model_validator(mode="after")
    def _space_fits(self) -> Self:
        for path, dimension in self.search.space.items():
            for arm in self.arms:
                for value in dimension.ends if applies(path, arm) else ():
                    self._check_value(arm, path, value)
        return self

    def _check_value(self, arm: VariantSpec, path: str, value: Any) -> None:
        """Raise where an arm cannot have a value of the search's space."""
        resolved = self._resolve(arm.with_values({path: value}, at=_SPACE), at=_SPACE)
        own = resolved.model.factory or resolved.model.architecture
        if own and path.startswith("model.") and path.split(".")[1] in DENSE_KEYS:
            raise ValueError(
                f"search.space.{path}: is of the dense network, but {arm.name!r} has {own!r}; "
                "allowed is one of the two; leave the path out"
            )
        if self.data.weight is not None and resolved.training.class_weight:
            raise ValueError(
                f"search.space.{path}: is a class weight beside data.weight; allowed is one of the "
                "two, as in keras.Model.fit; leave the path out"
            )

    @property
    def n_seeds(self) -> int:
        """How many seeds there are at most."""
        return self.seeds.to if isinstance(self.seeds, SeedRange) else self.seeds

    @property
    def looks(self) -> tuple[Look, ...]:
        """At how many seeds claims are judged, and with which level; none for a fixed number."""
        return self.seeds.looks if isinstance(self.seeds, SeedRange) else ()

    @property
    def arms(self) -> tuple[VariantSpec, ...]:
        """The first claim's treatment and control, which a search tunes; none without a claim."""
        claim = self.claim
        return (self.variant(claim.treatment), self.variant(claim.control)) if claim else ()

    @property
    def claim(self) -> ClaimSpec | None:
        """The first claim, whose two variants the checks are about; None without any."""
        return self.claims[0] if self.claims else None

    @property
    def underfits(self) -> UnderfitsSpec | None:
        """The first claim that a variant underfits, which a map is about."""
        return next((one for one in self.claims if isinstance(one, UnderfitsSpec)), None)

    def epochs_of(self, variant: str) -> int:
        """Return the epoch budget of the variant of that name."""
        return self.resolve(self.variant(variant)).training.epochs

    def claim_name(self, claim: ClaimSpec) -> str:
        """Return the name that tells a claim from the study's others: its own, or its kind."""
        if claim.name:
            return claim.name
        alike = [one for one in self.claims if one.kind == claim.kind and not one.name]
        return claim.kind if len(alike) < 2 else f"{claim.kind} {alike.index(claim) + 1}"

    def stopping_early(self, variants: Iterable[str]) -> tuple[str, ...]:
        """Return those of some variants, by name, that have early stopping."""
        return tuple(name for name in variants if self.variant(name).early_stopping)

    def resolve(self, variant: VariantSpec) -> "StudySpec":
        """Return the study with the network and the training of a variant as its own."""
        if not (variant.model or variant.training):
            return self
        names = [one.name for one in self.variants]
        at = names.index(variant.name) if variant.name in names else variant.name
        return self._resolve(variant, at=("variants", at))

    def _resolve(self, variant: VariantSpec, *, at: tuple[str | int, ...]) -> "StudySpec":
        """Return the resolved study; `at` is where errors say that the overrides stand."""
        model = self.model
        if variant.model:
            model = merge(model, variant.model, at=(*at, "model"))
            folder = variant.network_folder or self.model.folder
            if folder and model.content:
                model = model.with_file(folder=folder, content=model.content)
            model = model.beginning_like(self.model)
        training = merge(self.training, variant.training, at=(*at, "training"))
        return self.model_copy(update={"model": model, "training": training})

    def with_epochs(self, epochs: int) -> "StudySpec":
        """Return the study with another epoch budget, for variants without one of their own."""
        training = self.training.model_copy(update={"epochs": epochs})
        return self.model_copy(update={"training": training})

    def with_learning_rate(self, learning_rate: float) -> "StudySpec":
        """Return the study with another LR, for variants without one of their own."""
        optimizer = self.training.optimizer.model_copy(update={"learning_rate": learning_rate})
        training = self.training.model_copy(update={"optimizer": optimizer})
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

    def recipe(
        self, variant: VariantSpec, engine: str, *, replicate: int = 0, curves: Curves = "all"
    ) -> str:
        """Return the digest of all that determines the numbers of a variant's runs, but the seed.

        Names, the number of seeds, claims and the search leave it as it is, so a renamed study,
        an added variant or more seeds reuse every run that is stored.

        Args:
            variant: Whose runs.
            engine: Name of the engine that trains the variant.
            replicate: Of the batch order, as in the A/A check.
            curves: Which splits are evaluated after every epoch.
        """
        inputs = {
            **self.resolve(variant)._problem_inputs(),
            "policies": variant_inputs(variant),
            "engine": engine,
            "numerics": NUMERICS_VERSION,
            "replicate": replicate,
            **({} if curves == "all" else {"curves": curves}),
        }
        return digest(inputs)

    @property
    def problem(self) -> str:
        """The digest of data, model, training and what varies: variants may have others."""
        return digest(self._problem_inputs())

    def _problem_inputs(self) -> dict[str, Any]:
        return {
            "data": data_inputs(self.data),
            "model": model_inputs(self.model),
            "training": training_inputs(self.training),
            "vary": sorted(set(self.vary)),
        }


def _check_unique(field: str, names: list[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(
                f"{field}: the name {name!r} is used {count} times; allowed is once each; "
                "rename all but one"
            )


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
