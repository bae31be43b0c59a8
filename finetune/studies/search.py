"""`finetune search`: tune both arms, judge the winners elsewhere, and add that to the report."""

from dataclasses import dataclass, replace
from pathlib import Path

from finetune.analysis.tuned import TUNED_FILE, Tuned
from finetune.analysis.tuned_tables import TunedTables
from finetune.execution.training import DEFAULTS, Options, workers_for
from finetune.report.csv import csv_files
from finetune.report.figures.tuned import tuned_files
from finetune.search.confirmation import confirm
from finetune.search.sampler import describe_sampler
from finetune.search.storage import Storage
from finetune.search.tuning import Tuning
from finetune.spec.study import StudySpec
from finetune.store.atomic import write_whole
from finetune.store.results import ResultStore
from finetune.studies.results import Results
from finetune.studies.run import run_study


@dataclass(frozen=True)
class SearchResults:
    """What a search found, and the study whose report tells it."""

    tuned: Tuned
    study: Results


def search_study(
    spec: StudySpec,
    folder: Path,
    *,
    storage: str | None = None,
    options: Options = DEFAULTS,
) -> SearchResults:
    """Search both arms, train the winners on the study's seeds, and write the study's report.

    What is stored is not trained again: a search that was cut goes on, and a study in the same
    folder is only added to.

    Args:
        spec: The study; `spec.search` says what is searched and at which cost.
        folder: Of the study and its report.
        storage: Optuna's storage as a URL; by default an SQLite file in the folder.
        options: How to train.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    store = ResultStore(folder / "store")
    store.open(options.on_note)
    url = storage or f"sqlite:///{folder / 'search.db'}"
    with (
        Storage(url) as opened,
        workers_for(store, options) as workers,
    ):
        if options.command:
            options = replace(options, command=options.command.replace(url, opened.shown))
        tuning = Tuning(spec, store, storage=opened)
        options.on_note(_budget(spec))
        treatment, control = tuning.run(workers, options)
        tuned, tables = confirm(
            spec,
            (treatment, control),
            store,
            dashboard=f"optuna-dashboard {opened.shown}",
            workers=workers,
            options=options,
        )
    _write(folder, tuned, tables)
    return SearchResults(tuned, run_study(spec, folder, options=options))


def _budget(spec: StudySpec) -> str:
    asked = spec.search
    return (
        f"Each of the two arms gets {asked.trials} trials of {asked.seeds} seeds and at most "
        f"{spec.training.epochs} epochs, {asked.batch} at a time; {describe_sampler('TPE')}"
    )


def _write(folder: Path, tuned: Tuned, tables: TunedTables) -> None:
    """Write what the report's section shows; `tuned.json`, which it is read from, comes last."""
    files = {f"tables/{name}": text.encode() for name, text in csv_files(tables.frames).items()}
    drawn = tuned_files(tables, tuned=tuned)
    files |= {f"figures/{name}": image for name, image in drawn.items()}
    for name, content in {**files, TUNED_FILE: tuned.model_dump_json(indent=2).encode()}.items():
        write_whole(folder / name, content)
