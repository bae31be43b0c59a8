"""The Python interface: run a study and take its results."""

from pathlib import Path

from finetune.console import training_options
from finetune.results import Results
from finetune.spec import EngineName, StudySpec
from finetune.study import run_study
from finetune.study_file import load_spec


def run(
    spec: StudySpec | Path | str | None = None,
    *,
    out: Path | str | None = None,
    engine: EngineName = "population",
    workers: int | None = 0,
    memory: str = "2GB",
) -> Results:
    """Train what is missing of a study, analyse it, write its report and give its results.

    Args:
        spec: A study, the path of a study file or the name of a shipped study; default founding.
        out: Folder of the report and the results; default `reports/NAME`.
        engine: Who trains.
        workers: Worker processes; 0 trains in this one, None is one a core. Processes of their own
            are faster, and need `if __name__ == "__main__":` in a script.
        memory: What training may use beside the libraries.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    study = spec if isinstance(spec, StudySpec) else load_spec(spec)
    folder = Path(out or Path("reports") / study.name)
    command = f"finetune.run({_said(spec)}, out={str(folder)!r}, engine={engine!r})"
    with training_options(workers=workers, memory=memory, command=command) as options:
        return run_study(study, folder, engine=engine, options=options)


def _said(spec: StudySpec | Path | str | None) -> str:
    if isinstance(spec, StudySpec):
        return f"load_spec({spec.name!r})"
    return repr(str(spec or "founding"))
