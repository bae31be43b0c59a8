"""The section `[checks]`: which checks a study has, and how large they are."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from finetune.spec.base import BaseSpec


def _check_wanted(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, int) and value >= 1):
        return value
    raise ValueError(
        f"received {value!r}; allowed is true, false or a number of seeds, at least 1; "
        "false leaves the check out"
    )


# True: as large as is usual and the limit leaves. A number of seeds is kept as it is.
Wanted = Annotated[bool | Annotated[int, Field(ge=1)], BeforeValidator(_check_wanted)]


class ChecksSpec(BaseSpec):
    """Which checks are trained beside the study's own runs, and at how many seeds.

    Together they take at most half as many runs as the study; for that those that are `true` are
    shortened or left out, variance first, then the probe, then the A/A check.
    """

    same_again: Wanted = True
    """The first claim's control again in another batch order, the A/A check."""
    probe: Wanted = True
    """The first claim's treatment going on after training, at its own LR and at the base LR."""
    parity: Wanted = True
    """Some variants trained by the reference engine, `keras.Model.fit`."""
    variance: Wanted = True
    """The first claim's two variants where one source of randomness varies at a time."""
