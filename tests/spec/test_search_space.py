"""What a search may choose: read from every form, refused in one line, applied to variants."""

import pytest

from finetune.errors import SpecError
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.spec.search_space import DEFAULT_SPACE, applies
from finetune.spec.variants import VariantSpec
from finetune.studies.load import load_spec

LR = "training.optimizer.learning_rate"

BAD = {
    "search.factor=[0.1, 0.5]": ("search.factor: unknown key", '"reduce_lr.factor" = [0.05'),
    "search.space={}": ("search.space: received 0 paths", "1 to 100"),
    "search.space=3": ("search.space: received 3", "allowed is a table"),
    "search.space.reduce_lr.patience=[9, 3]": (
        "search.space.reduce_lr.patience: received [9, 3]", "low <= high", "swap the two",
    ),
    "search.space.reduce_lr.patience=[1.0, 3]": (
        "search.space.reduce_lr.patience: received 1.0", "allowed is a valid integer",
    ),
    "search.space.reduce_lr.factor=[0.1, 1.5]": (
        "search.space.reduce_lr.factor: received 1.5", "allowed is less than 1",
    ),
    "search.space.reduce_lr.factor=[0.1]": ("received [0.1]", "[low, high]", "choices"),
    "search.space.reduce_lr.factor=0.5": ("received 0.5", "[low, high]", "choices"),
    "search.space.reduce_lr.factor={range=[0.1, 0.2], lg=true}": ("'lg'", "log = true"),
    "search.space.reduce_lr.factor={range=[0.0, 0.2], log=true}": ("[0.0, 0.2]", "above 0"),
    "search.space.reduce_lr.factor={range=[0.1, 0.2], log=1}": ("received 1;", "true or false"),
    "search.space.reduce_lr.patience={range=[1, 9], step=0}": ("received 0;", "above 0"),
    "search.space.reduce_lr.patience={range=[1, 9], step=2, log=true}": ("log", "no step"),
    "search.space.reduce_lr.factor={range=[0.1, 0.9], step=1e-9}": ("1e-09", "steps in a range"),
    "search.space.reduce_lr.patience=[1, 10000000000000]": ("10000000000000", "1e+12"),
    "search.space.reduce_lr.patienc=[1, 3]": ("'reduce_lr.patienc'", "no key", "cooldown, factor"),
    "search.space.reduce_lr=[1, 3]": ("'reduce_lr'", "no key of a variant"),
    "search.space.training.optimizer=[1, 3]": ("training.optimizer.learning_rate",),
    "search.space.name.x=[1, 3]": ("'name.x'", "no key", "training. ..."),
    "search.space.training.loss={choices=['mse']}": ("'training.loss'", "not searched"),
    "search.space.model.factory={choices=['a:b']}": ("'model.factory'", "write a variant"),
    "search.space.model.hidden={choices=[[3], 4]}": ("[[3], 4]", "one type", "arrays and numbers"),
    "search.space.model.hidden={choices=[[3], [0]]}": ("model.hidden", "received 0", "allowed"),
    "search.space.model.dropout={choices=[0.1, true]}": ("one type", "numbers and truth values"),
    "search.space.training.optimizer.name={choices=['adam', 'adam']}": ("each choice once",),
    "search.space.training.batch_size={choices=[]}": ("received []", "a list of 1 to"),
}  # fmt: skip


@pytest.mark.parametrize("override", BAD)
def test_a_space_that_cannot_be_is_refused_in_one_line(override):
    with pytest.raises(SpecError) as caught:
        load_spec(overrides=[override])
    message = str(caught.value)
    assert "\n" not in message
    assert all(words in message for words in BAD[override]), message


def test_layers_of_a_network_of_ones_own_are_not_searched():
    changes = ["model.factory=nets:build", "model.hidden=[64, 32, 16]"]
    space = "search.space.model.dropout=[0.0, 0.5]"
    with pytest.raises(SpecError, match=r"dropout: is of the dense network, but .* 'nets:build'"):
        load_spec(overrides=[*changes, space], imports=False)


def test_every_form_is_read():
    def read(text: str) -> RangeSpec | ChoicesSpec:
        return load_spec(overrides=[f"search.space={{{text}}}"]).search.space[LR]

    wanted = RangeSpec(range=(0.0001, 0.1), log=True)
    assert read(f"'{LR}'={{range=[1e-4, 1e-1], log=true}}") == wanted
    assert read("training={optimizer={learning_rate={range=[1e-4, 1e-1], log=true}}}") == wanted
    # A fraction somewhere makes fractions of all.
    assert read(f"'{LR}'=[1, 2.5]") == RangeSpec(range=(1.0, 2.5))
    assert read(f"'{LR}'={{choices=[0.1, 0.2]}}") == ChoicesSpec(choices=(0.1, 0.2))


def test_an_override_of_a_path_replaces_that_of_the_file():
    space = load_spec(overrides=["search.space.reduce_lr.patience=[2, 4]"]).search.space
    assert {**space} == {**DEFAULT_SPACE, "reduce_lr.patience": RangeSpec(range=(2, 4))}


def test_the_founding_study_searches_the_default_space():
    assert load_spec().search.space == load_spec("digits").search.space == DEFAULT_SPACE


@pytest.mark.parametrize(
    ("searched", "high", "cut"),
    [
        (RangeSpec(range=(1, 10), step=4), 9, 5),
        (RangeSpec(range=(0.1, 0.7), step=0.2), 0.7, None),
        (RangeSpec(range=(0.0, 1.0), step=0.3), 0.9, None),
        (RangeSpec(range=(3, 8)), 8, 7),
    ],
)
def test_the_high_end_is_the_last_step_that_can_be_reached(searched, high, cut):
    assert searched.high == high
    if cut:
        assert searched.up_to(7).high == cut
        assert searched.up_to(2 if searched.low > 1 else 0) is None


def test_a_dimension_holds_values_of_its_own_type_alone():
    whole, choices = RangeSpec(range=(1, 3)), ChoicesSpec(choices=([1, 2], [3]))
    assert [whole.holds(value) for value in (1, 3, 4, 1.0, True, "1", None)] == [
        True, True, False, False, False, False, False,
    ]  # fmt: skip
    assert [choices.holds(value) for value in ([1, 2], [1], "[3]")] == [True, False, False]


@pytest.mark.parametrize(
    ("path", "number", "found"),
    [
        ("reduce_lr.factor", 0, False),
        ("reduce_lr.factor", 2, True),
        ("reduce_lr.start_from_epoch", 2, False),
        ("reduce_lr.start_from_epoch", 3, True),
        ("early_stopping.patience", 1, True),
        ("schedule.period", 1, False),
        ("model.dropout", 0, True),
        (LR, 3, True),
    ],
)
def test_a_path_is_searched_where_its_policy_is_and_a_delay_where_there_is_one(path, number, found):
    assert applies(path, load_spec().variants[number]) == found


def test_only_keys_of_the_schedule_at_hand_are_searched():
    tree = {"name": "falls", "schedule": {"kind": "exponential"}}
    falls = VariantSpec.model_validate(tree)
    assert applies("schedule.factor", falls)
    assert not applies("schedule.period", falls)


def test_values_at_paths_leave_all_else_of_a_variant():
    spec = load_spec(overrides=["variants.3.training={optimizer={name='sgd'}, batch_size=8}"])
    changed = spec.variants[3].with_values(
        {"reduce_lr.factor": 0.25, LR: 0.5, "model.hidden": [4]}, name="other"
    )
    assert changed.reduce_lr is not None
    assert (changed.name, changed.reduce_lr.factor, changed.reduce_lr.start_from_epoch) == (
        "other", 0.25, 20,
    )  # fmt: skip
    resolved = spec.resolve(changed)
    assert resolved.model.hidden == (4,)
    assert resolved.training.batch_size == 8
    optimizer = resolved.training.optimizer
    assert (optimizer.name, optimizer.learning_rate) == ("sgd", 0.5)
