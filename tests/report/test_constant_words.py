"""What is said of variants that end no better than a constant, and of the unit of losses."""

import pytest

from finetune.analysis.constant import NoBetter
from finetune.report.constant_words import no_better_sentence, units_sentence
from tests.report.made_report import made_manifest


def test_variants_are_named_as_far_as_they_are_few():
    many = tuple((f"v{number}", 0.7 + number / 10) for number in range(7))
    sentence = no_better_sentence(NoBetter("shares", 0.69, many))
    assert sentence.endswith(
        ': "v0" with 0.7, "v1" with 0.8, "v2" with 0.9, "v3" with 1, "v4" with 1.1, and 2 more. '
        "Predicting for every row each class by its share of the training rows has 0.69."
    )
    assert "more" not in no_better_sentence(NoBetter("shares", 0.69, many[:5]))


@pytest.mark.parametrize("constant", ["mean", "median"])
def test_the_constant_of_numbers_is_named(constant):
    sentence = no_better_sentence(NoBetter(constant, 1.0, (("a", 2.0),)))
    assert f"Predicting the {constant} of the training rows' target" in sentence


def test_without_a_scaled_target_nothing_is_said_of_units():
    assert units_sentence(made_manifest()) == ""
