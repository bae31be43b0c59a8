"""The options that commands of the command line share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
Memory = Annotated[
    str,
    typer.Option(metavar="SIZE", help="What training may use beside the libraries, as 2GB."),
]
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
