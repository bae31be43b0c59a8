"""Small studies for tests: the founding study with what a test needs changed."""

from finetune.engines.base import Task
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec

# Few rows and units; 48 training rows make three whole batches.
SMALL = (
    "data.args.n_samples=80",
    "model.hidden=[8, 4]",
    "training.batch_size=16",
    "training.epochs=12",
)


def small_study(*overrides: str) -> StudySpec:
    return load_spec(overrides=[*SMALL, *overrides])


def recipes_of(spec: StudySpec, engine: str = "population") -> dict[str, str]:
    """Return the recipe of every variant of a study, by its name."""
    return Plan.of(spec, engine).runs.recipes


def task(spec: StudySpec, *, seeds=(0, 1), engine="population", variants=None, replicate=0) -> Task:
    return Task(spec, variants or spec.variants, tuple(seeds), engine, replicate)
