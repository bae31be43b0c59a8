"""The Python interface: run a study and take its results."""

from pathlib import Path

from finetune.execution.training import Options, parse_memory
from finetune.spec.study import EngineName, StudySpec
from finetune.studies.load import load_spec
from finetune.studies.results import Results
from finetune.studies.run import run_study


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
    options = Options(workers=workers, memory=parse_memory(memory), command=command)
    return run_study(study, folder, engine=engine, options=options)


def _said(spec: StudySpec | Path | str | None) -> str:
    if isinstance(spec, StudySpec):
        return f"load_spec({spec.name!r})"
    return repr(str(spec or "founding"))
