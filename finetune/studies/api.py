"""The Python interface: run a study and take its results."""

from dataclasses import replace
from pathlib import Path

from finetune.engines.base import DEFAULT_MEMORY
from finetune.engines.registry import DEFAULT
from finetune.execution.base import Executor
from finetune.execution.choice import executor_or_new
from finetune.execution.progress import SILENT, Progress
from finetune.execution.training import Options, parse_memory
from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec
from finetune.studies.results import Results
from finetune.studies.run import run_study


def run(
    spec: StudySpec | Path | str | None = None,
    *,
    out: Path | str | None = None,
    engine: str = DEFAULT.name,
    workers: int | None = 0,
    memory: int | str = DEFAULT_MEMORY,
    executor: Executor | None = None,
    progress: Progress = SILENT,
    figures: bool = True,
) -> Results:
    """Train what is missing of a study, analyse it, write its report and return its results.

    Nothing is printed unless `progress` prints it.

    Args:
        spec: A study, the path of a study file or the name of a shipped study; default founding.
        out: Folder of the report and the results; default `reports/NAME`.
        engine: What trains the runs; variants that it cannot train are trained by another.
        workers: Worker processes; 0 trains in this one, None is one a core. Processes of their own
            are faster, and need `if __name__ == "__main__":` in a script.
        memory: What training may use beside the libraries, in bytes or as "2GB".
        executor: Trains instead of `workers`; it is not ended.
        progress: Shows how far training is, as `finetune.ProgressBar()` does.
        figures: Whether the report has figures.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    study = spec if isinstance(spec, StudySpec) else load_spec(spec)
    folder = Path(out or Path("reports") / study.name)
    command = f"finetune.run({_argument(spec)}, out={str(folder)!r}, engine={engine!r})"
    how = Options(progress=progress, memory=parse_memory(memory), command=command, figures=figures)
    with executor_or_new(executor, workers, on_note=progress.note) as chosen:
        return run_study(study, folder, engine=engine, options=replace(how, executor=chosen))


def _argument(spec: StudySpec | Path | str | None) -> str:
    """Return how `run` was called, for the report."""
    if isinstance(spec, StudySpec):
        return f"load_spec({spec.name!r})"
    return repr(str(spec or "founding"))
