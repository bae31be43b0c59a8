"""Does this really help your training, and can you prove it?

The rooms of the package, in the order in which data flows through them. A room imports only rooms
that stand before it; `studies` and `cli` are where they meet. The list of import-linter in
pyproject.toml holds to it.

- `errors`: the exceptions a user can cause, each with a message of one line.
- `spec`: a study as data: its sections as frozen models, the TOML file, overrides, recipes (the
  digest of what determines a variant's numbers) and random streams. To add a key, add a field with
  a default: recipes of stored runs then stay as they are.
- `usercode`: the files and functions that a study names: found, fingerprinted, imported or refused.
- `data`: sources, files, preparation and splits: from a `DataSpec` to arrays. To add a file format,
  see `data.files`.
- `models`: the network, its losses and the values that its variables begin with for each seed.
- `policies`: what decides after each epoch, for many runs at once, in NumPy alone. To add one,
  write its spec in `spec.variants`, its policy here and its Keras form in `callbacks`, and enter
  them in `policies.variants` and `callbacks.variants`. A schedule is one spec and one entry in
  `policies.schedule`.
- `callbacks`: the policies in their Keras form, and callbacks of the user's own.
- `engines`: what trains. What every backend shares is free of Keras (`base`, `problem`, `results`);
  each engine is a folder of its own. To add one, write that and enter it in `engines.registry`. A
  metric is a line in `spec.metrics` and a function in `engines.metrics`, for all engines.
- `store`: what is kept on disk: shards of runs, the manifest, files that are whole or not there. To
  keep runs elsewhere, write a class like `store.base.Store` and hand it to `run_study`.
- `planning`: what a study trains, as blocks of runs, its checks, and what that would cost.
- `execution`: who trains tasks: this process, local processes, a Dask cluster. To add an executor,
  write a class like `execution.base.Executor` and hand it in, or enter it in `execution.choice`.
- `stats`: paired differences, intervals, power, ranks: arrays in, numbers out.
- `claims`: kinds of claims, one file each; the verdict and its words. To add one, write its spec in
  `spec.claims` and its rule here, and enter it in `claims.registry`.
- `analysis`: every table, curve and verdict of a study, computed once; nothing is drawn.
- `report`: what an analysis looks like. A section and a figure are one object in one file each,
  entered in `report.sections.registry` and `report.figures.registry`.
- `search`: any key of a variant tuned by Optuna, at equal budgets, and judged on other seeds.
- `studies`: what the commands and the Python interface do: run, map, search, compare, export. To
  export to another tool, write a function as in `studies.export` and enter it in its `formats`.
- `cli`: the command line: parse, call, print.
"""

import sys

# `python -m finetune` puts the current folder first on the path, where a stranger's study may lie
# beside a `typing.py`: off it goes, before anything is imported from there.
_by_module = sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)].endswith("finetune")
if _by_module and not sys.flags.safe_path:
    del sys.path[0]

from importlib import import_module  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from finetune.errors import FinetuneError  # noqa: E402
from finetune.spec.study import StudySpec  # noqa: E402
from finetune.studies.load import load_spec  # noqa: E402

if TYPE_CHECKING:
    from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
    from finetune.cli.progress import ProgressBar
    from finetune.execution.progress import Progress
    from finetune.studies.api import run
    from finetune.studies.compare import compare
    from finetune.studies.results import Results

__all__ = [
    "DelayedReduceLROnPlateau",
    "FinetuneError",
    "Progress",
    "ProgressBar",
    "Results",
    "StudySpec",
    "compare",
    "load_spec",
    "run",
]

# What takes long to load is loaded only when it is used, so that the rest answers at once.
_LATE = {
    "DelayedReduceLROnPlateau": "finetune.callbacks.reduce_lr",
    "Progress": "finetune.execution.progress",
    "ProgressBar": "finetune.cli.progress",
    "Results": "finetune.studies.results",
    "compare": "finetune.studies.compare",
    "run": "finetune.studies.api",
}


def __getattr__(name: str) -> Any:
    """Return a public name that is loaded late."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'finetune' has no attribute {name!r}")
