"""What a search found, as data: which two numbers are drawn, and files of earlier versions."""

import json
from pathlib import Path

import pytest

from finetune.analysis.tuned import TUNED_FILE, judged_study, read_tuned
from finetune.errors import StoreError
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.studies.load import load_spec
from tests.made_tuned import DELAYED, FACTOR, PATIENCE, PLANE, START, make_arm, make_tuned

LR, SIZE, KIND = (
    "training.optimizer.learning_rate", "training.batch_size", "training.optimizer.name",
)  # fmt: skip
NUMBERS = {SIZE: RangeSpec(range=(8, 64)), LR: RangeSpec(range=(1e-4, 0.1), log=True)}
WORDS = {KIND: ChoicesSpec(choices=("adam", "sgd"))}


def _plane(space: dict, other: dict | None = None, **importances: float) -> tuple | None:
    spaces = (space, space if other is None else other)
    arms = [
        make_arm(name, space=one, setting={path: one[path].ends[0] for path in one})
        for name, one in zip((START, DELAYED), spaces, strict=True)
    ]
    rows = [
        {"arm": arm, "parameter": {"lr": LR, "size": SIZE}[name], "importance": share}
        for arm in (START, DELAYED)
        for name, share in importances.items()
    ]
    return make_tuned(arms=arms, importances=rows).plane


def test_factor_and_patience_are_drawn_where_both_were_searched():
    assert _plane({**NUMBERS, **PLANE}, lr=0.9, size=0.1) == (FACTOR, PATIENCE)


@pytest.mark.parametrize(
    ("importances", "wanted"),
    [({"lr": 0.9, "size": 0.1}, (LR, SIZE)), ({"lr": 0.1, "size": 0.9}, (SIZE, LR)),
     ({}, (SIZE, LR))],
)  # fmt: skip
def test_else_the_two_most_important_numbers(importances, wanted):
    assert _plane({**NUMBERS, **WORDS}, **importances) == wanted


def test_words_and_what_one_arm_lacks_are_not_drawn():
    assert _plane({LR: NUMBERS[LR], **WORDS}) is None
    assert _plane({**NUMBERS, **PLANE}, NUMBERS) == (SIZE, LR)


def test_a_file_is_read_as_it_was_written_and_not_one_of_another_search(tmp_path: Path):
    spec = load_spec()
    found = make_tuned(study=judged_study(spec))
    (tmp_path / TUNED_FILE).write_text(found.model_dump_json())
    assert read_tuned(tmp_path, spec) == found
    wrong = found.model_dump(mode="json")
    wrong["arms"][0]["setting"] = {FACTOR: 0.5}
    (tmp_path / TUNED_FILE).write_text(json.dumps(wrong))
    with pytest.raises(StoreError, match=r"tuned\.json: cannot be read"):
        read_tuned(tmp_path, spec)
    older = {"study": "0123456789abcdef", "ranges": {"factor": [0.05, 0.95]}}
    (tmp_path / TUNED_FILE).write_text(json.dumps(older))
    assert read_tuned(tmp_path, spec) is None
