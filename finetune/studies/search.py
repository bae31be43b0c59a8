"""`finetune search`: tune both arms, judge the winners elsewhere, and add that to the report."""

from dataclasses import dataclass, replace
from pathlib import Path

from finetune.analysis.tuned import Tuned
from finetune.engines.registry import DEFAULT
from finetune.errors import SpecError, StoreError
from finetune.execution.training import Options, train_blocks
from finetune.planning.search import longest_training
from finetune.report.search import render_search
from finetune.search.arms import arms_of
from finetune.search.confirmation import confirm
from finetune.search.random_search import REPEATS, stored_repeats, winners_block
from finetune.search.sampler import describe_sampler
from finetune.search.storage import Storage, without_password
from finetune.search.tuning import Tuning
from finetune.spec.regular_file import check_regular
from finetune.spec.search_space import DELAY
from finetune.spec.study import StudySpec
from finetune.store.atomic import write_whole
from finetune.store.base import Store
from finetune.store.links import refuse_links_of_study
from finetune.store.results import ResultStore
from finetune.studies.data import with_absolute_margins
from finetune.studies.fit_only import train_exactly
from finetune.studies.results import Results
from finetune.studies.run import run_study


@dataclass(frozen=True)
class SearchResults:
    """What a search found, and the study whose report shows it."""

    tuned: Tuned
    study: Results


def search_study(
    spec: StudySpec,
    folder: Path,
    *,
    storage: str | None = None,
    baseline: bool = False,
    store: Store | None = None,
    options: Options | None = None,
) -> SearchResults:
    """Search both arms, train the winners on the study's seeds, and write the study's report.

    What is stored is not trained again: a search that was cut goes on, and a study in the same
    folder is only added to.

    Args:
        spec: The study; `spec.search` holds what is searched and at which cost.
        folder: Of the study and its report.
        storage: Optuna's storage as a URL; by default an SQLite file in the folder.
        baseline: Whether random searches at the same budget are run beside it, so that the report
            shows what the sampler bought; those that are stored are shown either way.
        store: Where runs are kept; by default in the folder.
        options: How to train.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    options = options or Options()
    _check_seeds(spec)
    refuse_links_of_study(folder)
    store = store or ResultStore(folder / "store")
    store.open(options.progress.note)
    spec = with_absolute_margins(spec, on_note=options.progress.note)
    if storage is None:
        # A store that is elsewhere has not made it.
        folder.mkdir(parents=True, exist_ok=True)
        _check_database(folder / "search.db")
    url = storage or f"sqlite:///{folder / 'search.db'}"
    with Storage(url) as opened:
        if options.command:
            options = replace(options, command=without_password(options.command, url))
        options.progress.note(_budget(spec))
        # What a search has opened and not trained, it goes on with.
        (treatment, control), spec = train_exactly(
            lambda spec: Tuning(spec, store, storage=opened).run(options),
            spec,
            engine=DEFAULT.name,
            progress=options.progress,
        )
        if baseline:
            _search_at_random(spec, store, options)
        tuned, tables = confirm(
            spec,
            (treatment, control),
            store,
            dashboard=f"optuna-dashboard {opened.shown}",
            options=options,
        )
    for name, content in render_search(tuned, tables, figures=options.figures).items():
        write_whole(folder / name, content)
    return SearchResults(tuned, run_study(spec, folder, store=store, options=options))


def _check_seeds(spec: StudySpec) -> None:
    """Refuse a study that trains as many seeds as its claims need: winners make other claims."""
    if spec.looks:
        raise SpecError(
            "seeds: received a range; allowed for a search is a number of seeds, on all of which "
            f"the winners are judged once; give --set seeds={spec.looks[-1].seeds}"
        )


def _check_database(file: Path) -> None:
    """Refuse a database that is there and is no regular file, which SQLite might wait for."""
    try:
        check_regular(file, follow=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"DIR: cannot read {str(file)!r}: {error.strerror}; remove it and search again: the "
            "trials are in the store"
        ) from error


def _search_at_random(spec: StudySpec, store: Store, options: Options) -> None:
    """Repeat both arms' search at random, and train the winners on the study's own seeds."""
    # Its trials are read back from the store, so that no storage need outlast it.
    with Storage("sqlite://") as storage:
        Tuning(spec, store, storage=storage, sampler="random", repeats=REPEATS).run(options)
    block = winners_block(spec, stored_repeats(spec, store))
    train_blocks([block], store, options).raise_failures()


def _budget(spec: StudySpec) -> str:
    search = spec.search
    arms = arms_of(spec)
    epochs = max(longest_training(spec, arm.untuned).training.epochs for arm in arms)
    cut = [
        arm.space[DELAY].ends[-1]
        for arm in arms
        if DELAY in arm.space and arm.space[DELAY] != search.space[DELAY]
    ]
    latest = "".join(
        f"; delays are searched up to {high}, the last from which the LR can be cut" for high in cut
    )
    return (
        f"Each of the two arms gets {search.trials} trials of {search.seeds} seeds and at most "
        f"{epochs} epochs, {search.batch} at a time; {describe_sampler('TPE')}"
    ) + latest
