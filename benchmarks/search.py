"""What the sampler bought: random search at the same budget, five times over.

`python -m benchmarks.search` searches a shipped study at random, trains the winners on the
confirmation seeds too, and writes the study's report with that beside its own search.
"""

from pathlib import Path
from typing import Annotated

import typer

from finetune.cli.terminal import OUT, answer, training_options
from finetune.execution.training import Options, train_blocks, workers_for
from finetune.search.random_search import REPEATS, stored_repeats, winners_block
from finetune.search.storage import Storage
from finetune.search.tuning import Tuning
from finetune.spec.study import StudySpec
from finetune.store.results import ResultStore
from finetune.studies.load import load_spec
from finetune.studies.search import search_study


def search_at_random(
    spec: Annotated[str | None, typer.Argument(help="Study (default: founding).")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
) -> None:
    """Repeat both arms' search at random, and tell it in the study's report."""
    study = load_spec(spec)
    folder = out / study.name
    store = ResultStore(folder / "store")
    with training_options(command="python -m benchmarks.search") as options:
        store.open(options.on_note)
        _repeat(study, store, options)
    with training_options(command="python -m benchmarks.search") as options:
        found = search_study(study, folder, options=options)
    for row in found.tuned.baseline:
        OUT.print(
            f"{row['arm']}, random {row['repeat']}: {row['searched']:.4f} in the search, "
            f"{row['fresh']:.4f} on fresh seeds"
        )
    OUT.print(f"Report: {folder / 'report.md'}")


def _repeat(study: StudySpec, store: ResultStore, options: Options) -> None:
    with Storage("sqlite://") as storage, workers_for(store, options) as workers:
        tuning = Tuning(study, store, storage=storage, sampler="random", repeats=REPEATS)
        tuning.run(workers, options)
        block = winners_block(study, stored_repeats(study, store))
        train_blocks([block], store, options, workers=workers).demand_all()


if __name__ == "__main__":
    answer(lambda: typer.run(search_at_random))
