"""The engines by name, and which of them trains a variant."""

import pytest

from finetune.engines.base import FOUNDING_WORKLOAD, Workload
from finetune.engines.registry import DEFAULT, REFERENCE, engine_for, engine_names, get_engine
from finetune.errors import SpecError
from finetune.spec.variants import VariantSpec
from tests.processes import loaded_by
from tests.small_studies import small_study

ENGINES = [get_engine(name) for name in engine_names()]
OWN = VariantSpec.model_validate({"name": "v", "callbacks": ({"callback": "own:Halve"},)})


def test_engines_are_known_by_name_the_default_first():
    assert ENGINES[0] is DEFAULT
    assert REFERENCE in ENGINES
    assert all(get_engine(engine.name) is engine for engine in ENGINES)


def test_an_unknown_engine_is_refused_in_one_line():
    with pytest.raises(SpecError, match=r"^engine: received 'magic'; allowed are 'population', '"):
        get_engine("magic")


@pytest.mark.parametrize("wanted", ENGINES, ids=lambda engine: engine.name)
def test_the_reference_trains_what_the_wanted_engine_cannot(wanted):
    spec = small_study()
    for variant in (*spec.variants, OWN):
        chosen = REFERENCE if wanted.why_not(variant, spec) else wanted
        assert engine_for(variant, spec, wanted.name) is chosen
        assert REFERENCE.why_not(variant, spec) is None


def test_callbacks_of_the_users_own_need_the_reference():
    spec = small_study()
    assert "own:Halve" in DEFAULT.why_not(OWN, spec)
    assert engine_for(OWN, spec, DEFAULT.name) is REFERENCE


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("training.optimizer={name='adam', args={use_ema=true}}", "use_ema is True"),
        ("training.optimizer.args={gradient_accumulation_steps=2}", "steps is 2"),
        ("training.optimizer.name=ScheduleFreeAdamW", "begin at each run's own weights"),
        ("training.optimizer.name=LossScaleOptimizer", "whose scale runs would share"),
        ("model.fit_only=Net.train_step is its own", "Net.train_step is its own"),
    ],
)
def test_what_needs_a_model_for_each_run_is_known_to_the_plan(override, reason):
    spec = small_study(override)
    variant = spec.variants[0]
    assert reason in DEFAULT.why_not(variant, spec)
    assert engine_for(variant, spec, DEFAULT.name) is REFERENCE


def test_optimizers_that_rows_can_share_stay():
    for name in ("adam", "SGD", "adamw", "muon"):
        spec = small_study(f"training.optimizer={{name='{name}', args={{use_ema=false}}}}")
        assert engine_for(spec.variants[0], spec, DEFAULT.name) is DEFAULT


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_every_task_has_a_seed_and_larger_networks_take_longer(engine):
    for n_variants, n_seeds, workers in [(1, 1, 1), (5, 100, 2), (1000, 10**12, 8), (5, 0, 3)]:
        size = engine.seeds_per_task(n_variants, n_seeds, workers=workers)
        assert size == 1 or 1 < size <= -(-n_seeds // workers)
    usual = engine.seconds_per_epoch(FOUNDING_WORKLOAD)
    huge = engine.seconds_per_epoch(Workload(10**15, 10**30, 32))
    assert 0 < usual < huge < float("inf")


@pytest.mark.parametrize(("n_seeds", "workers"), [(40, 2), (100, 4), (7, 2)])
def test_every_worker_gets_as_many_tasks_of_a_population_as_any_other(n_seeds, workers):
    size = DEFAULT.seeds_per_task(48, n_seeds, workers=workers)
    assert -(-n_seeds // size) % workers == 0


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("finetune.engines.registry", {"tensorflow", "keras", "pandas", "sklearn"}),
        ("finetune.planning.estimate", {"tensorflow", "keras", "pandas", "sklearn"}),
        ("finetune.engines.problem", {"tensorflow", "keras"}),
        ("finetune.engines.results", {"tensorflow", "keras"}),
    ],
)
def test_describing_engines_and_problems_loads_no_backend(module, never):
    assert not loaded_by(f"import {module}") & never
