"""How many seeds: a number, or as many as it takes until every claim is decided.

Whoever judges again and again as seeds come in, and stops at the first decision, decides wrongly
far more often than alpha. So the looks at which a study is judged are fixed beforehand, and each
has a share of alpha; the shares add up to 1, so that all looks together err at most at alpha.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from finetune.spec.base import MAX_COUNT, BaseSpec, Positive

LEAST_FROM, MOST_LOOKS = 5, 20

# Each look has half as many seeds again as the one before.
_GROWTH = 1.5
# From here on numbers of seeds are multiples of five.
_ROUND_FROM = 100


@dataclass(frozen=True)
class Look:
    """One analysis of seeds that accumulate: at how many seeds, and with which share of alpha."""

    seeds: int
    share: float


class SeedRange(BaseSpec):
    """As many seeds as it takes: `from` at first, and at most `to`."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    first: Annotated[int, Field(alias="from", ge=LEAST_FROM, le=MAX_COUNT)] = 20
    """Seeds that are trained before the claims are judged for the first time."""
    to: Annotated[int, Field(ge=LEAST_FROM, le=MAX_COUNT)] = 300
    """Seeds at most."""

    @model_validator(mode="after")
    def _has_looks(self) -> Self:
        if self.to < self.first:
            raise ValueError(f"to, {self.to}, is below from, {self.first}")
        if len(look_sizes(self.first, self.to)) > MOST_LOOKS:
            raise ValueError(
                f"there are more than {MOST_LOOKS} looks from {self.first} to {self.to}"
            )
        return self

    @property
    def looks(self) -> tuple[Look, ...]:
        """The looks: those that `look_sizes` has, with shares that favour none too much.

        Half of alpha is spread evenly, so that plain answers come early, and half goes with the
        square of the seeds, so that little is lost where all of them are needed (measured in
        `benchmarks.validity`).
        """
        sizes = look_sizes(self.first, self.to)
        earlier = (0, *sizes[:-1])
        return tuple(
            Look(size, 0.5 / len(sizes) + 0.5 * (size**2 - before**2) / self.to**2)
            for size, before in zip(sizes, earlier, strict=True)
        )


def look_sizes(first: int, to: int) -> tuple[int, ...]:
    """Return at how many seeds a study is judged: each half as many again, the last at `to`.

    What would come shortly before `to` is left out: a look costs power, and tells little there.
    """
    sizes = [first]
    while sizes[-1] * _GROWTH <= to / 1.2 and len(sizes) <= MOST_LOOKS:
        size = int(sizes[-1] * _GROWTH + 0.5)
        sizes.append(5 * round(size / 5) if size >= _ROUND_FROM else size)
    return (*sizes, to) if to > sizes[-1] else tuple(sizes)


def _read_seeds(value: Any) -> Any:
    if isinstance(value, SeedRange):
        return value
    allowed = (
        f"allowed is a number of seeds, 1 to {MAX_COUNT}, or as many as it takes, as "
        f"{{ from = 20, to = 300 }}, with from at least {LEAST_FROM} and to at least from"
    )
    if isinstance(value, Mapping):
        try:
            return SeedRange.model_validate(value)
        except ValidationError as error:
            raise ValueError(f"{_told(error, value)}; {allowed}") from error
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_COUNT:
        return value
    raise ValueError(f"received {value!r}; {allowed}")


def _told(error: ValidationError, value: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    if first["type"] == "value_error":
        return str(first.get("ctx", {}).get("error"))
    key = first["loc"][0]
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    return f"{key}: received {value.get(str(key))!r}"


Seeds = Annotated[Positive | SeedRange, BeforeValidator(_read_seeds)]
