"""What a search bought, as data: gains, edges, and what random search reached."""

import pytest

from finetune.analysis.tuned_findings import (
    Reached,
    contrast_in_test_loss,
    edge_of,
    edges,
    gains,
    random_searches,
)
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from tests.made_tuned import (
    DELAY,
    DELAYED,
    FACTOR,
    PATIENCE,
    SPACE,
    START,
    make_arm,
    make_baseline,
    make_contrasts,
    make_tuned,
)

DROP = RangeSpec(range=(0.0, 0.5))


@pytest.mark.parametrize(
    ("path", "value", "end"),
    [
        (FACTOR, 0.05, "low"),
        (FACTOR, 0.053, "low"),
        (FACTOR, 0.0532, None),
        # 2 % of the range below 0.95 on a linear scale is no edge on the logarithmic one.
        (FACTOR, 0.94, "high"),
        (FACTOR, 0.89, None),
        (FACTOR, 0.068, None),
        (PATIENCE, 1, "low"),
        (PATIENCE, 2, None),
        (PATIENCE, 15, "high"),
        (DELAY, 40, "high"),
        (DELAY, 39, None),
    ],
)
def test_an_edge_is_within_two_percent_of_a_range(path, value, end):
    assert edge_of(value, SPACE[path]) == end


def test_a_range_of_one_value_has_no_edge():
    assert edge_of(3, RangeSpec(range=(3, 3))) is None


def test_a_list_of_choices_has_no_edge_and_a_range_is_measured_on_its_own_scale():
    space = {"training.optimizer.name": ChoicesSpec(choices=("sgd", "adam")), "model.dropout": DROP}
    setting = {"training.optimizer.name": "sgd", "model.dropout": 0.0}
    (edge, _) = edges(
        make_tuned(arms=[make_arm(name, setting=setting, space=space) for name in (START, DELAYED)])
    )
    assert (edge.parameter, edge.end, edge.bounded) == ("model.dropout", "low", True)
    assert edge_of(0.05, DROP) is None


def test_winners_at_an_edge_are_found_with_their_range():
    at_edges = make_arm(START, setting={FACTOR: 0.051, PATIENCE: 15})
    found = edges(make_tuned(arms=[at_edges, make_arm(DELAYED)]))
    assert [(one.arm, one.parameter, one.end, one.bounded) for one in found] == [
        (START, FACTOR, "low", False),
        (START, PATIENCE, "high", False),
    ]
    assert found[0].searched == SPACE[FACTOR]
    assert edges(make_tuned()) == []


def test_nothing_lies_beyond_the_lowest_value_that_is_possible():
    lowest = make_arm(START, setting={FACTOR: 0.3, PATIENCE: 1})
    (edge,) = edges(make_tuned(arms=[lowest, make_arm(DELAYED)]))
    assert (edge.parameter, edge.end, edge.bounded) == (PATIENCE, "low", True)


@pytest.mark.parametrize(("gain", "carries_over"), [(0.02, False), (-0.02, True), (0.001, False)])
def test_a_gain_carries_over_where_the_test_loss_is_shown_to_fall(gain, carries_over):
    (found,) = gains(make_tuned(contrasts=make_contrasts(gain=gain)))
    assert (found.untuned, found.before, found.after) == ("reduction", 0.2755, 0.2641)
    assert found.test_loss["difference"] == gain
    assert found.carries_over == carries_over


def test_without_an_untuned_setting_there_is_no_gain():
    arms = [make_arm(name, untuned=None, untuned_fresh=None) for name in (START, DELAYED)]
    assert gains(make_tuned(arms=arms, contrasts=make_contrasts(gain=0.02))) == []


def test_the_arms_are_compared_in_test_loss():
    row = contrast_in_test_loss(make_tuned(), START, DELAYED)
    assert row is not None
    assert (row["metric"], row["difference"]) == ("test_loss", pytest.approx(-0.0104))
    assert contrast_in_test_loss(make_tuned(contrasts=[]), START, DELAYED) is None


def test_optimism_is_what_fresh_seeds_do_not_keep():
    arm = make_tuned(arms=[make_arm(START, searched=0.2), make_arm(DELAYED)]).arms[0]
    assert arm.optimism == pytest.approx(0.0641)


def test_random_search_is_summarised_and_compared_with_the_search():
    baseline = make_baseline([0.25, 0.252, 0.253, 0.256, 0.2601], [0.26, 0.261, 0.265, 0.27, 0.28])
    first, second = random_searches(make_tuned(baseline=baseline))
    assert (first.arm, second.arm) == (START, DELAYED)
    assert (first.sampler, first.searches) == ("random", 5)
    assert first.searched == Reached(0.253, 0.25, 0.2601)
    assert first.fresh == Reached(0.265, 0.26, 0.28)
    assert (first.beaten_searched, first.beaten_fresh) == (4, 3)
    assert random_searches(make_tuned()) == []
