"""The sections `[search]`, a search's space and budget, and `[map]`, the grid of a claim map."""

from typing import Annotated, Literal

from pydantic import Field

from finetune.spec.base import BaseSpec, Count, Positive, Share
from finetune.spec.search_space import DEFAULT_SPACE, Space


class SearchSpec(BaseSpec):
    """What a search may choose, by its path in a variant, and the search's budget.

    `trials` is the number for each arm, `batch` how many are proposed at once, `seed` the
    sampler's. The objective is a mean over `seeds` seeds that no other runs use.
    """

    trials: Positive = 64
    seeds: Positive = 20
    # A batch is proposed whole, also where fewer trials are left.
    batch: Annotated[int, Field(ge=1, le=1000)] = 8
    seed: Count = 0
    objective: Literal["final_val_loss", "best_val_loss"] = "final_val_loss"
    space: Space = Field(default=dict(DEFAULT_SPACE))


class MapSpec(BaseSpec):
    """The grid of a claim map: every combination of factor, patience and delay.

    `delay` is the control's `start_from_epoch`; it and `patience` are in epochs. `seeds` is the
    number of seeds of each combination.
    """

    factor: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.1, 0.3, 0.5, 0.8)
    patience: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 3, 5, 10)
    delay: Annotated[tuple[Positive, ...], Field(min_length=1)] = (10, 20)
    seeds: Positive = 40
