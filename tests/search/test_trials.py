"""The search of one arm: what is asked, and what survives a cut."""

import json
import math
from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState

from finetune.errors import SpecError
from finetune.search.trials import ArmSearch, Trial
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.spec.search import SearchSpec
from tests.made_tuned import DELAY, FACTOR, PATIENCE, SPACE

KIND, UNITS = "training.optimizer.name", "model.hidden"


@pytest.fixture
def storage():
    return optuna.storages.InMemoryStorage()


def search(
    storage,
    *,
    digest="abc",
    sampler="TPE",
    stream=(0, 0),
    name="s",
    now=datetime.now,
    space=SPACE,
    **spec,
) -> ArmSearch:
    return ArmSearch(
        storage,
        name,
        space=space,
        spec=SearchSpec(batch=4, **spec),
        digest=digest,
        stream=stream,
        sampler=sampler,
        now=now,
    )


def narrow(factor, patience) -> dict:
    return {FACTOR: RangeSpec(range=factor), PATIENCE: RangeSpec(range=patience)}


def value(trial: Trial) -> float:
    return abs(math.log(trial.setting[FACTOR] / 0.4)) + trial.setting[PATIENCE] / 10


def go_on(arm: ArmSearch, budget: int) -> list[Trial]:
    """Search as the tuning does: whole batches, the last one up to the budget."""
    while batch := arm.ask(4 - len(arm.trials()) % 4, budget=budget):
        for trial in batch:
            arm.tell(trial.number, value(trial))
    return arm.trials()


@pytest.mark.parametrize("sampler", ["TPE", "random"])
@pytest.mark.parametrize("cut", [1, 4, 10, 21])
def test_a_search_that_was_cut_and_resumed_equals_one_that_was_not(storage, sampler, cut):
    go_on(search(storage, name="cut", sampler=sampler), cut)
    resumed = go_on(search(storage, name="cut", sampler=sampler), 24)
    assert resumed == go_on(search(storage, name="whole", sampler=sampler), 24)
    assert len(resumed) == 24


def test_settings_lie_in_their_ranges_and_differ_within_a_batch(storage):
    trials = go_on(search(storage, space=narrow((0.2, 0.3), (2, 4))), 24)
    assert all(0.2 <= trial.setting[FACTOR] <= 0.3 for trial in trials)
    assert {trial.setting[PATIENCE] for trial in trials} == {2, 3, 4}
    assert len({trial.setting[FACTOR] for trial in trials}) == 24


def test_seed_and_stream_change_what_is_tried(storage):
    first = go_on(search(storage, name="a"), 4)
    assert first != go_on(search(storage, name="b", seed=1), 4)
    assert first != go_on(search(storage, name="c", stream=(0, 1)), 4)


def test_tpe_learns_from_the_batches_before(storage):
    """The mean value falls well below that of random search, which shows that values arrive."""
    learned = [value(trial) for trial in go_on(search(storage, name="a"), 64)[32:]]
    drawn = [value(t) for t in go_on(search(storage, name="b", sampler="random"), 64)[32:]]
    assert sum(learned) < 0.7 * sum(drawn)


def test_a_range_of_one_value_is_no_error(storage):
    trials = go_on(search(storage, space=narrow((0.5, 0.5), (3, 3))), 8)
    assert {(t.setting[FACTOR], t.setting[PATIENCE]) for t in trials} == {(0.5, 3)}


def test_choices_and_steps_are_tried_as_they_were_given_and_survive_a_lost_storage(storage):
    space = {
        KIND: ChoicesSpec(choices=("adam", "sgd")),
        UNITS: ChoicesSpec(choices=([8, 4], [16])),
        "model.dropout": RangeSpec(range=(0.0, 0.5), step=0.2),
        "training.epochs": RangeSpec(range=(10, 15), step=2),
    }
    arm = search(storage, space=space)
    while batch := arm.ask(4, budget=24):
        for trial in batch:
            arm.tell(trial.number, trial.setting["model.dropout"])
    kept = arm.trials()
    tried = [{json.dumps(trial.setting[path]) for trial in kept} for path in space]
    assert tried[:2] == [{'"adam"', '"sgd"'}, {"[8, 4]", "[16]"}]
    assert tried[2] <= {"0.0", "0.2", "0.4"}
    assert tried[3] <= {"10", "12", "14"}
    again = search(optuna.storages.InMemoryStorage(), space=space)
    again.restore(kept)
    assert again.trials() == kept


def test_equal_settings_are_equal_texts():
    one = Trial(0, {"b": [1, 2], "a": 0.1}, None)
    assert one.written == Trial(3, {"a": 0.1, "b": [1, 2]}, 1.0).written == '{"a":0.1,"b":[1,2]}'


def test_nan_is_a_failed_trial_which_counts_for_the_budget(storage):
    arm = search(storage)
    (trial,) = arm.ask(1, budget=2)
    arm.tell(trial.number, math.nan)
    assert math.isnan(arm.trials()[0].value)
    assert len(arm.ask(4, budget=2)) == 1
    assert arm.ask(4, budget=2) == []


def test_a_trial_keeps_the_value_that_came_first(storage):
    arm = search(storage)
    (trial,) = arm.ask(1, budget=1)
    arm.tell(trial.number, 0.5)
    arm.tell(trial.number, 0.7)
    assert arm.trials()[0].value == 0.5


def test_a_trial_that_another_controller_closes_at_the_same_moment_is_no_error(storage):
    arm = search(storage)
    (trial,) = arm.ask(1, budget=1)
    study = optuna.load_study(storage=storage, study_name="s")
    set_state = study._storage.set_trial_state_values

    def told_twice(trial_id, state, values=None):
        set_state(trial_id, TrialState.COMPLETE, [0.5])
        return set_state(trial_id, state, values)

    arm._study._storage.set_trial_state_values = told_twice
    arm.tell(trial.number, 0.5)
    assert arm.trials()[0].value == 0.5


def test_a_lost_storage_is_restored_and_goes_on_as_before(storage):
    kept = go_on(search(storage, name="kept"), 16)
    arm = search(optuna.storages.InMemoryStorage(), name="kept")
    arm.restore(reversed(kept))
    arm.restore(kept)
    assert arm.trials() == kept
    assert go_on(arm, 24) == go_on(search(storage, name="kept"), 24)


def test_settings_that_were_tried_twice_are_restored_twice(storage):
    few = narrow((0.5, 0.5), (1, 2))
    kept = go_on(search(storage, space=few), 8)
    arm = search(optuna.storages.InMemoryStorage(), space=few)
    arm.restore(kept)
    arm.restore(kept)
    assert arm.trials() == kept


def test_failed_trials_are_restored_as_failed(storage):
    arm = search(storage)
    setting = {FACTOR: 0.5, PATIENCE: 3, DELAY: 5}
    arm.restore([Trial(0, setting, math.nan)])
    assert [(t.setting, math.isnan(t.value)) for t in arm.trials()] == [(setting, True)]


def test_another_search_of_the_same_name_is_refused(storage):
    go_on(search(storage, digest="abc"), 2)
    with pytest.raises(SpecError, match=r"--storage: its study 's' holds another search \(abc"):
        search(storage, digest="def")


def test_a_study_that_is_not_ours_is_refused(storage):
    foreign = optuna.create_study(storage=storage, study_name="s")
    foreign.tell(foreign.ask({"x": optuna.distributions.FloatDistribution(0, 1)}), 1.0)
    with pytest.raises(SpecError, match="not one of finetune"):
        search(storage)


def test_a_trial_that_a_crash_left_without_a_setting_is_closed(storage):
    study = optuna.create_study(storage=storage, study_name="s")
    study.set_user_attr("finetune search", "abc")
    study.ask()
    search(storage)
    assert study.trials[0].state == TrialState.RUNNING  # it may yet get one
    arm = search(storage, now=lambda: datetime.now() + timedelta(minutes=2))
    assert study.trials[0].state == TrialState.FAIL
    assert arm.trials() == []
    assert len(go_on(arm, 8)) == 8


def test_importances_want_fifty_trials(storage):
    arm = search(storage)
    go_on(arm, 49)
    assert arm.importances(64) == {}
    go_on(arm, 50)
    found = arm.importances(64)
    assert arm.importances(49) == {}
    assert set(found) == {FACTOR, PATIENCE, DELAY}
    assert min(found, key=found.__getitem__) == DELAY  # no value depends on it
