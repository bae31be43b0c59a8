import pytest

from finetune.report.variant_words import variant_in_words
from finetune.spec.variants import VariantSpec

WORDS = {
    "constant, base LR times 0.1": {"kind": "constant"},
    "exponential, LR times 0.95 after each epoch": {"kind": "exponential"},
    "cosine annealing, restarted after 20 epochs": {"kind": "cosine"},
    "cosine annealing, restarted after 1 epoch, each further cycle 2 times as long, each peak "
    "0.5 times as high, never below base LR times 0.01, after a linear warm-up of 5 epochs": {
        "kind": "cosine",
        "period": 1,
        "growth": 2,
        "decay": 0.5,
        "floor": 0.01,
        "warm_up": 5,
    },
    "one cycle of 50 epochs, from the base LR / 25 up to the base LR in the first 30 %, then down "
    "to the base LR / 250000": {"kind": "one_cycle", "epochs": 50},
}


@pytest.mark.parametrize("words", WORDS)
def test_a_schedule_in_words(words):
    variant = VariantSpec.model_validate({"name": "v", "schedule": WORDS[words]})
    assert variant_in_words(variant) == f"LR schedule: {words}"


@pytest.mark.parametrize(("until", "words"), [(1, "after 1 epoch,"), (30, "after 30 epochs,")])
def test_the_end_of_a_reduction_stands_in_the_words(until, words):
    tree = {"start_from_epoch": 5, "until_epoch": until, "cooldown": 2}
    ends = VariantSpec.model_validate({"name": "v", "reduce_lr": tree})
    assert f"ignores the first 5 epochs, ignores all {words} cooldown" in variant_in_words(ends)
    goes_on = VariantSpec.model_validate({"name": "v", "reduce_lr": tree | {"until_epoch": None}})
    assert "ignores all" not in variant_in_words(goes_on)


def test_each_policy_has_a_line_and_no_policy_has_none():
    tree = {"name": "v", "early_stopping": {}, "callbacks": ({"callback": "a:B"},)}
    lines = variant_in_words(VariantSpec.model_validate(tree)).split("<br>")
    assert [line.split()[0] for line in lines] == ["Early", "User's"]
    assert variant_in_words(VariantSpec(name="v")) == "nothing"
