"""The options that commands of the command line share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from finetune.errors import SpecError

Verdict = Literal["supported", "refuted", "inconclusive", "not tested"]

Spec = Annotated[
    str | None,
    typer.Argument(
        help="A study file in TOML, or the name of a shipped study (default: founding).",
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key by its dotted path, as training.epochs=50 or "
        "variants.2.reduce_lr.patience=1 (variants count from 0).",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Worker processes; 0 trains in this process (default: one a core).",
        show_default=False,
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Train on the Dask cluster at this address.",
        show_default=False,
    ),
]
ReturnResults = Annotated[
    bool,
    typer.Option(
        "--return-results",
        help="The cluster's workers give results back instead of writing them to the folder, "
        "where they do not share it.",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        metavar="I/N",
        help="Train the I-th of N parts of the seeds and write no report, as a job of an array "
        "does; run without it once all parts are in one folder.",
        show_default=False,
    ),
]
Memory = Annotated[
    str,
    typer.Option(
        metavar="SIZE",
        help="What training may use beside the libraries, as 2GB; with --dask each worker.",
    ),
]
Imports = Annotated[
    bool,
    typer.Option(
        " /--no-imports",
        help="For a stranger's study: refuse any module:name in it, and files outside its folder.",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Train without asking, however much it takes.")]
Expect = Annotated[
    Verdict | None,
    typer.Option(metavar="VERDICT", help="Exit with 1 unless this is the verdict."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the report and the results.", show_default="reports/NAME"),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Optuna's storage, as sqlite:///search.db or postgresql+psycopg://user@host/name.",
        show_default="search.db in the folder",
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        min=1, help="Seeds to train, 0 to N-1, instead of the study's.", show_default=False
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(min=1, help="Trials of each arm, instead of the study's.", show_default=False),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder.")]
File = Annotated[Path, typer.Argument(help="The new file.")]
Data = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Your table: CSV, TSV, Parquet or NPZ.", show_default=False),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column to predict.", show_default=False),
]
Judged = Annotated[
    str | None,
    typer.Argument(
        metavar="[DIR_OR_SPEC]",
        help="A study's folder, or a study to run first (default: founding).",
        show_default=False,
    ),
]


def parse_shard(text: str) -> tuple[int, int]:
    """Read I/N, as 3/8; give the two.

    Raises:
        SpecError: They are no whole numbers with 1 <= I <= N.
    """
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return int(number), int(of)
    raise SpecError(
        f"--shard: received {text!r}; allowed is I/N with 1 <= I <= N, as 3/8 for the third of "
        "eight parts"
    )
