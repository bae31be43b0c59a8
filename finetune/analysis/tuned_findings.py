"""What tuning bought, what lies at the edge of its range, and what random search reached."""

from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from finetune.analysis.tuned import Tuned, TunedArm
from finetune.spec.dimensions import RangeSpec

# A winner this near to the end of its range, as a share of the range, lies at its edge.
_EDGE = 0.02
# By the last key of a path. Of Keras's callbacks, a patience of 0 acts like one of 1.
_LOWEST_POSSIBLE = {"patience": 1, "start_from_epoch": 0, "dropout": 0, "batch_size": 1}


@dataclass(frozen=True)
class Edge:
    """A winner's parameter that lies at an end of the range it was searched in.

    Attributes:
        arm: Name of the arm.
        parameter, value: What lies there; the parameter by its path.
        end: Which end it is.
        searched: The range.
        bounded: Whether no value beyond that end is possible at all.
    """

    arm: str
    parameter: str
    value: float
    end: Literal["low", "high"]
    searched: RangeSpec
    bounded: bool


@dataclass(frozen=True)
class Gain:
    """What tuning changed against the study's own setting of an arm, on the fresh seeds.

    Attributes:
        untuned: Name of the study's own variant.
        before, after: Mean of the objective, not tuned and tuned.
        test_loss: The row of `stats.comparison.compare`, tuned minus not tuned.
    """

    untuned: str
    before: float
    after: float
    test_loss: dict[str, Any]

    @property
    def carries_over(self) -> bool:
        """Whether a better objective is shown to come with a better test loss, or none is due."""
        return self.after >= self.before or self.test_loss["high"] < 0


@dataclass(frozen=True)
class Reached:
    """What the winners of several searches came to: median, lowest and highest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class RandomSearch:
    """The random searches of an arm, by one sampler, against its own search.

    Attributes:
        arm, sampler: Whose, and by which sampler.
        searches: How many.
        searched, fresh: What their winners came to in the search and on fresh seeds.
        beaten_searched, beaten_fresh: How many have a winner worse than that of the search itself.
    """

    arm: str
    sampler: str
    searches: int
    searched: Reached
    fresh: Reached
    beaten_searched: int
    beaten_fresh: int


def edge_of(value: float, searched: RangeSpec) -> Literal["low", "high"] | None:
    """Return the end of its range at which a value lies, if within 2 % of either.

    It is measured on the scale of the range; a range of a single value has no ends.
    """
    if searched.low == searched.high:
        return None
    share = searched.share(value)
    return "low" if share <= _EDGE else "high" if share >= 1 - _EDGE else None


def edges(tuned: Tuned) -> list[Edge]:
    """Find the winners' parameters that lie at an edge of their range; a list has no edges."""
    return [
        Edge(arm.name, path, arm.setting[path], end, searched, bounded=_is_lowest(arm, path))
        for arm in tuned.arms
        for path, searched in arm.space.items()
        if isinstance(searched, RangeSpec) and (end := edge_of(arm.setting[path], searched))
    ]


def _is_lowest(arm: TunedArm, path: str) -> bool:
    return arm.setting[path] == _LOWEST_POSSIBLE.get(path.rpartition(".")[-1])


def contrast_in_test_loss(
    tuned: Tuned, treatment: str, control: str | None
) -> dict[str, Any] | None:
    """Return the comparison of two variants in test loss; None where they were not compared."""
    for row in tuned.contrasts:
        if (row["metric"], row["treatment"], row["control"]) == ("test_loss", treatment, control):
            return row
    return None


def gains(tuned: Tuned) -> list[Gain]:
    """Compare each tuned arm with the study's own setting of it, where it has one."""
    return [
        Gain(arm.untuned, arm.untuned_fresh.mean, arm.fresh.mean, row)
        for arm in tuned.arms
        if arm.untuned and arm.untuned_fresh
        if (row := contrast_in_test_loss(tuned, arm.name, arm.untuned))
    ]


def random_searches(tuned: Tuned) -> list[RandomSearch]:
    """Summarise what random search found at the same budget, by arm and sampler."""
    return [
        _summarise(arm, sampler, [row for row in tuned.baseline if _is(row, arm.name, sampler)])
        for arm in tuned.arms
        for sampler in sorted({row["sampler"] for row in tuned.baseline if row["arm"] == arm.name})
    ]


def _is(row: dict[str, Any], arm: str, sampler: str) -> bool:
    return (row["arm"], row["sampler"]) == (arm, sampler)


def _summarise(arm: TunedArm, sampler: str, rows: list[dict[str, Any]]) -> RandomSearch:
    searched, fresh = ([row[name] for row in rows] for name in ("searched", "fresh"))
    return RandomSearch(
        arm=arm.name,
        sampler=sampler,
        searches=len(rows),
        searched=_reached(searched),
        fresh=_reached(fresh),
        beaten_searched=sum(value > arm.searched for value in searched),
        beaten_fresh=sum(value > arm.fresh.mean for value in fresh),
    )


def _reached(values: list[float]) -> Reached:
    return Reached(median(values), min(values), max(values))
