"""The sections `[search]`, a search's ranges and budget, and `[map]`, the grid of a claim map."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from finetune.spec.base import BaseSpec, Count, Positive, Share


class SearchSpec(BaseSpec):
    """The range [low, high] of each parameter that a search tunes, and the search's budget.

    `trials` is the number for each arm, `batch` how many are proposed at once, `seed` the
    sampler's. The objective is a mean over `seeds` seeds that no other runs use. `patience` and
    `start_from_epoch` are in epochs.
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


class MapSpec(BaseSpec):
    """The grid of a claim map: every combination of factor, patience and delay.

    `delay` is the control's `start_from_epoch`; it and `patience` are in epochs. `seeds` is the
    number of seeds of each combination.
    """

    factor: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.1, 0.3, 0.5, 0.8)
    patience: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 3, 5, 10)
    delay: Annotated[tuple[Positive, ...], Field(min_length=1)] = (10, 20)
    seeds: Positive = 40
