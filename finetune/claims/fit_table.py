"""The fit table: what a change in the training metric and in the test metric are together."""

from collections.abc import Iterable

from finetune.claims.metric_comparison import Level

# (training, test) of the treatment, compared with the control.
FIT_TABLE: dict[tuple[Level, Level], str] = {
    ("worse", "worse"): "underfit",
    ("worse", "equal"): "slower fit, harmless",
    ("worse", "better"): "less overfit",
    ("equal", "worse"): "generalises worse",
    ("equal", "equal"): "no effect",
    ("equal", "better"): "generalises better",
    ("better", "worse"): "more overfit",
    ("better", "equal"): "faster fit, no gain",
    ("better", "better"): "better fit",
}


def possible_outcomes(train: Iterable[Level], test: Iterable[Level]) -> tuple[str, ...]:
    """Return the outcomes that the possible levels of the training and the test metric leave."""
    tests = tuple(test)
    return tuple(FIT_TABLE[first, second] for first in train for second in tests)


def outcome_label(possible: tuple[str, ...]) -> str:
    """Return the outcome, both that are left, or "undetermined" where more are."""
    return " or ".join(possible) if len(possible) <= 2 else "undetermined"
