"""The section `[checks]`: which checks a study has, and how large they are."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from finetune.spec.base import BaseSpec


def _check_wanted(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, int) and value >= 1):
        return value
    raise ValueError(
        f"received {value!r}; allowed is true, false or a number of seeds, at least 1; "
        "false leaves the check out"
    )


# True: as large as is usual and the limit leaves. A number of seeds is kept as it is.
Wanted = Annotated[bool | int, BeforeValidator(_check_wanted)]


class ChecksSpec(BaseSpec):
    """Which checks are trained beside the study's own runs, and at how many seeds.

    Together they take at most half as many runs as the study; for that those that are `true` are
    shortened or left out, variance first, then the probe, then the A/A check.

    Attributes:
        same_again: The first claim's control again in another batch order, the A/A check.
        probe: That claim's treatment going on after training, at its own LR and at the base LR.
        parity: Some variants by the reference engine.
        variance: The claim's two variants where one source of randomness varies at a time.
    """

    same_again: Wanted = True
    probe: Wanted = True
    parity: Wanted = True
    variance: Wanted = True
