"""The options about seeds: a number of them, or as many as the claims need."""

from typing import Annotated

import typer

from finetune.errors import SpecError

Seeds = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Seeds to train, 0 to N-1, instead of the study's.",
        show_default=False,
    ),
]
UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Train seeds in steps, judge the claims after each, and end when all are decided: as "
        "many as it takes, with the error rate of one look.",
    ),
]
From = Annotated[
    int | None,
    typer.Option(
        "--from",
        min=1,
        metavar="N",
        help="With --until-decided: seeds of the first step (default: 20).",
        show_default=False,
    ),
]
To = Annotated[
    int | None,
    typer.Option(
        "--to",
        min=1,
        metavar="N",
        help="With --until-decided: seeds at most (default: 300).",
        show_default=False,
    ),
]


def seeds_override(
    seeds: int | None, until_decided: bool, *, first: int | None, to: int | None
) -> list[str]:
    """Return the override of a study that the options about seeds stand for; none without any.

    Raises:
        SpecError: They do not go together.
    """
    ends = {key: number for key, number in (("from", first), ("to", to)) if number is not None}
    if ends and not until_decided:
        name = next(iter(ends))
        raise SpecError(
            f"--{name}: received {ends[name]} without --until-decided; allowed is both; add "
            "--until-decided, or give --seeds N for a fixed number"
        )
    if until_decided and seeds:
        raise SpecError(
            f"--seeds: received {seeds} with --until-decided; allowed is one of the two; give "
            f"--to {seeds} for at most so many"
        )
    if until_decided:
        return [f"seeds={{{', '.join(f'{key} = {number}' for key, number in ends.items())}}}"]
    return [f"seeds={seeds}"] if seeds else []
