"""The family of contrasts that a study fixes before it runs."""

from finetune.analysis.comparisons import contrasts, default_contrasts
from finetune.spec.study import StudySpec
from tests.made_comparisons import BARE, CONTROL, TREATMENT, make_spec


def study_of(*names: str, claim: tuple[str, str] | None = None) -> StudySpec:
    tree = {
        "name": "made-up",
        "data": {"source": "x"},
        "variants": tuple(
            {"name": name} if name == BARE else {"name": name, "reduce_lr": {}} for name in names
        ),
    }
    if claim:
        arms = {"treatment": claim[0], "control": claim[1]}
        tree["claims"] = ({"kind": "underfits", **arms},)
    return StudySpec.model_validate(tree)


def test_the_default_family():
    spec = make_spec()
    assert default_contrasts(spec) == ((TREATMENT, CONTROL), (TREATMENT, BARE), (CONTROL, BARE))
    assert contrasts(spec) == default_contrasts(spec)


def test_a_family_holds_no_pair_twice():
    same = study_of("a", BARE, claim=("a", BARE))
    assert default_contrasts(same) == (("a", BARE),)
    turned = study_of("a", BARE, claim=(BARE, "a"))
    assert default_contrasts(turned) == ((BARE, "a"),)


def test_the_first_variant_stands_in_for_a_bare_one():
    assert default_contrasts(study_of("a", "b", "c")) == (("b", "a"), ("c", "a"))
