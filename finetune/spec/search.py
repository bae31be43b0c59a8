"""The sections `[search]`, a search's space and budget, and `[map]`, the grid of a claim map."""

from typing import Annotated, Literal

from pydantic import Field

from finetune.spec.base import BaseSpec, Count, Positive, Share
from finetune.spec.search_space import DEFAULT_SPACE, Space


class SearchSpec(BaseSpec):
    """What a search may choose, by its path in a variant, and the search's budget."""

    trials: Positive = 64
    """Trials of each arm."""
    seeds: Positive = 20
    """Seeds of each trial, which no other runs use; the objective is a mean over them."""
    # A batch is proposed whole, also where fewer trials are left.
    batch: Annotated[int, Field(ge=1, le=1000)] = 8
    """Trials that are proposed at once."""
    seed: Count = 0
    """Seed of the sampler."""
    objective: Literal["final_val_loss", "best_val_loss"] = "final_val_loss"
    """What trials are compared by: the validation loss that a run ends with, or its best."""
    space: Space = Field(default=dict(DEFAULT_SPACE))
    """What may be chosen, by dotted paths in a variant, as "reduce_lr.factor" = [0.05, 0.95]."""


class MapSpec(BaseSpec):
    """The grid of a claim map: every combination of factor, patience and delay."""

    factor: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.1, 0.3, 0.5, 0.8)
    """Factors that the LR is multiplied by."""
    patience: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 3, 5, 10)
    """Patiences, in epochs."""
    delay: Annotated[tuple[Positive, ...], Field(min_length=1)] = (10, 20)
    """The control's `start_from_epoch`, in epochs."""
    seeds: Positive = 40
    """Seeds of each combination."""
