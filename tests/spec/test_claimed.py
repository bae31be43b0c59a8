"""Claims that no runs could decide are refused when a study is read."""

import pytest

from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec

ARMS = {"treatment": "b", "control": "a"}


def study(claim: dict, training: dict | None = None, own: dict | None = None) -> StudySpec:
    variants = [{"name": "a"}, {"name": "b", "training": own or {}}]
    tree = {"name": "s", "data": {"source": "make_classification"}, "variants": variants}
    return parse_spec({**tree, "training": training or {}, "claims": [{**ARMS, **claim}]})


def better(metric: str, **more) -> dict:
    return {"kind": "better", "metric": metric, "margin": 0.1, **more}


AUC = {"metrics": ["auc"]}
REFUSED = {
    "losses of two functions": (
        better("test_loss"), {}, {"loss": "hinge"}, "claims.0: is about losses of 'b' and 'a'",
    ),
    "a metric that nobody knows": (better("test_beauty"), {}, {}, "allowed are epochs_run, "),
    "a split that nobody knows": (better("all_auc"), AUC, {}, "as test_loss or test_auc"),
    "a metric that is not measured": (better("test_auc"), {}, {}, "add 'auc' to training.metrics"),
    "a metric that one does not measure": (
        better("test_auc"), AUC, {"metrics": ["f1"]}, "which 'b' does not measure",
    ),
    "no direction": (better("final_lr"), {}, {}, 'add direction = "lower" or "higher"'),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_judged_is_told_in_one_line(case):
    claim, training, own, words = REFUSED[case]
    with pytest.raises(SpecError) as caught:
        study(claim, training, own)
    assert str(caught.value).startswith("spec: claims.0")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("claim", "training", "own"),
    [
        (better("test_accuracy"), {}, {"loss": "hinge"}),
        (better("val_auc"), AUC, {}),
        (better("epochs_run"), {}, {}),
        (better("test_mae"), {}, {}),
        (better("final_lr", direction="higher"), {}, {}),
        ({"kind": "equivalent", "metric": "final_lr", "margin": 0.1}, {}, {}),
    ],
)
def test_what_can_be_judged_is_taken(claim, training, own):
    assert study(claim, training, own).claims
