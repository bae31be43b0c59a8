"""What speaks against the verdicts: three on the first screen, the others below."""

from dataclasses import replace

from finetune.claims.words import objections
from finetune.report.sections.objections import gravest_objections, other_objections
from tests.made_study import CLAIM, make_claim, make_study


def items(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("- ")]


def test_nothing_to_object_is_no_list():
    analysis = replace(make_study(seeds=2).analysis(), no_better=None)
    assert (gravest_objections(analysis), other_objections(analysis)) == ("", "")


def test_at_most_three_stand_first_the_gravest_before_all_and_none_is_lost():
    claim = {**CLAIM, "treatment": "both", "control": "early stopping"}
    again = {**claim, "treatment": "early stopping", "control": "no callbacks"}
    failed = (("reduction", 1),)
    analysis = make_study(seeds=20, claims=[claim, again], failed=failed).analysis()
    first, others = items(gravest_objections(analysis)), items(other_objections(analysis))
    assert first[0] == "- **1 of 80 runs failed.** They are in no mean and are listed below."
    assert len(first) == 3
    assert not set(first) & set(others)
    said = [text for verdict in analysis.verdicts for text in objections(verdict)]
    assert len(first) + len(others) >= 1 + len(said)


def test_objections_name_their_claim_where_there_are_several():
    made = make_claim(seeds=20)
    analysis = replace(made.analysis(), no_better=None)
    for line in items(gravest_objections(analysis)):
        assert any(line.startswith(f'- "{one.name}": ') for one in analysis.verdicts)
