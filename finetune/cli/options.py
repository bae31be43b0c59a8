"""The options that commands share, each defined once, and how a command takes them."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from finetune.engines.base import DEFAULT_MEMORY_SIZE
from finetune.engines.registry import engine_names, get_engine
from finetune.errors import SpecError
from finetune.spec.claims import VerdictName
from finetune.spec.study_file import shipped_names


def _complete_study(start: str) -> list[str]:
    """Return the shipped studies and the study files here whose names begin so, for a shell."""
    files = sorted(map(str, Path().glob("*.toml")))
    return [name for name in (*shipped_names(), *files) if name.startswith(start)]


Spec = Annotated[
    str | None,
    typer.Argument(
        metavar="SPEC",
        autocompletion=_complete_study,
        help="A study file in TOML, or the name of a shipped study (default: founding).",
        show_default=False,
    ),
]
SpecOrFolder = Annotated[
    str | None,
    typer.Argument(
        metavar="DIR_OR_SPEC",
        help="A study's folder, or a study to run first (default: founding).",
        show_default=False,
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder.")]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the report and the results (default: reports/NAME).",
        show_default=False,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        parser=lambda name: get_engine(name).name,
        metavar=f"[{'|'.join(engine_names())}]",
        help="What trains the runs: many of them at once in one graph, or keras.Model.fit one "
        "after another.",
    ),
]
Slice = Annotated[
    str | None,
    typer.Option(
        "--slice",
        metavar="I/N",
        help="Train the I-th of N slices of the seeds and write no report, as a job of an array "
        "does; run without it once all slices are in one folder.",
        show_default=False,
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Trials of each arm, instead of the study's.", show_default=False
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where Optuna keeps trials, as sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME "
        "(default: search.db in the folder).",
        show_default=False,
    ),
]
Baseline = Annotated[
    bool,
    typer.Option("--baseline", help="Search at random too, five times at the same budget."),
]
ClaimName = Annotated[
    str | None,
    typer.Option(
        "--claim",
        metavar="NAME",
        help="The claim that --expect is about (default: the first).",
        show_default=False,
    ),
]
Expect = Annotated[
    VerdictName | None,
    typer.Option(metavar="VERDICT", help="Exit with 1 unless this is the verdict on the claim."),
]
Form = Annotated[
    str, typer.Argument(metavar="FORMAT", help="tensorboard, mlflow or csv.", show_default=False)
]
ExportOut = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Where to; for mlflow the URI of a tracking server, too (default: "
        "exports/NAME/FORMAT).",
        show_default=False,
    ),
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write it there instead.", show_default=False),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The new file.")]
Data = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Your table: CSV, TSV, Parquet or NPZ.", show_default=False),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column to predict.", show_default=False),
]
Address = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="Of the Dask scheduler, as tcp://host:8786.")
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="Processes, of one thread each (default: one a core).",
        show_default=False,
    ),
]


def _check_path(no_imports: bool) -> bool:
    """Return the option's value; raise where modules in the current folder may have been imported.

    Raises:
        SpecError: Python has had the current folder on its path since it started.
    """
    program = getattr(sys.modules["__main__"], "__spec__", None)
    by_module = program is not None and program.name.startswith("finetune.")
    unsafe = by_module and not sys.flags.safe_path
    here = Path.cwd()
    if no_imports and (unsafe or any(Path(folder).resolve() == here for folder in sys.path)):
        raise SpecError(
            "--no-imports: the current folder is on Python's path, so that modules in it are "
            "imported; allowed is a path without it: start `finetune` or `python -P -m finetune`, "
            "in another folder than those in PYTHONPATH"
        )
    return no_imports


NoImports = Annotated[
    bool,
    typer.Option(
        "--no-imports",
        callback=_check_path,
        help="For an untrusted study: refuse any module:name in it, and files outside its folder.",
    ),
]
Version = Annotated[
    bool, typer.Option("--version", is_eager=True, help="Print the version and exit.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Train without asking, however much it takes.")]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", help="Print only what was found, warnings and errors; no progress."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key by its dotted path, as training.epochs=50 or variants.2.name=late "
        "(variants count from 0).",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class TrainingOptions:
    """The options of every command that trains a study."""

    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Worker processes; 0 trains in this process (default: one a core).",
            show_default=False,
        ),
    ] = None
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Train on the Dask cluster at this address.", show_default=False
        ),
    ] = None
    return_results: Annotated[
        bool,
        typer.Option(
            "--return-results",
            help="The cluster's workers return results instead of writing them to the folder, "
            "where they do not share it.",
        ),
    ] = False
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="What training may use beside the libraries; with --dask each worker.",
        ),
    ] = DEFAULT_MEMORY_SIZE
    overrides: Overrides = None
    no_imports: NoImports = False
    yes: Yes = False
    quiet: Quiet = False


def with_training_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose parameter `options` is, on the command line, an option a field."""
    kinds = get_type_hints(TrainingOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=kinds[one.name],
        )
        for one in fields(TrainingOptions)
    ]
    signature = inspect.signature(command)
    others = [one for one in signature.parameters.values() if one.name != "options"]

    @wraps(command)
    def wrapper(**values: Any) -> None:
        options = TrainingOptions(**{one.name: values.pop(one.name) for one in shared})
        command(options=options, **values)

    # Typer reads a command's options from its signature.
    wrapper.__signature__ = signature.replace(parameters=[*others, *shared])  # pyright: ignore
    return wrapper


def parse_slice(text: str) -> tuple[int, int]:
    """Return I and N of I/N, as 3/8.

    Raises:
        SpecError: They are no whole numbers with 1 <= I <= N.
    """
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return int(number), int(of)
    raise SpecError(
        f"--slice: received {text!r}; allowed is I/N with 1 <= I <= N, as 3/8 for the third of "
        "eight slices"
    )
