"""The claim's figure and the diagram of ranks, held against the data that they draw."""

from dataclasses import replace

import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from finetune.analysis.comparisons import CLAIM, SAME_AGAIN
from finetune.claims.fit_table import FIT_TABLE
from finetune.report.figures.claim import CLAIM_DOTS
from finetune.report.figures.ranks import CRITICAL_DIFFERENCE
from finetune.report.figures.style import VariantStyles
from tests.made_study import UNDERFIT, make_claim


@pytest.fixture(scope="module")
def drawn(claimed_analysis):
    return CLAIM_DOTS.draw(claimed_analysis).axes[0]


def test_the_dots_are_the_pairs(claimed_analysis, drawn):
    noise, seeds = [dots for dots in drawn.collections if isinstance(dots, PathCollection)]
    pairs = claimed_analysis.pairs
    mine = pairs.loc[pairs["claim"] == "underfits"]
    by_comparison = mine.set_index("comparison")[["train_loss", "test_loss"]]
    for dots, comparison in ((seeds, CLAIM), (noise, SAME_AGAIN)):
        expected = by_comparison.loc[comparison].to_numpy()
        assert dots.get_offsets().tolist() == expected.tolist()
    colour = VariantStyles(claimed_analysis.variants).colours["reduction"]
    assert to_hex(seeds.get_facecolor()[0]) == colour


def test_the_mean_has_the_intervals_of_the_verdict(claimed_analysis, drawn):
    _, mean = drawn.containers
    point, _, (across, up) = mean.lines
    train = claimed_analysis.verdict.primary.train.difference
    test = claimed_analysis.verdict.primary.test.difference
    assert point.get_xydata().tolist() == [[train.mean, test.mean]]
    assert across.get_segments()[0][:, 0] == pytest.approx([train.low, train.high])
    assert up.get_segments()[0][:, 1] == pytest.approx([test.low, test.high])


def test_the_outcome_alone_is_bold_and_coloured(drawn):
    weights = {text.get_text().replace("\n", " "): text.get_fontweight() for text in drawn.texts}
    assert set(weights) == set(FIT_TABLE.values())
    assert [name for name, weight in weights.items() if weight == "bold"] == ["underfit"]
    # Two bands are the margins; the third box is the outcome.
    assert len(drawn.patches) == 3


def test_a_claim_is_drawn_without_replicate_and_with_one_seed():
    made = make_claim(seeds=1)
    analysis = replace(made, replicate=None).analysis()
    axes = CLAIM_DOTS.draw(analysis).axes[0]
    assert len(axes.collections) == 1  # the dots: neither noise nor intervals
    assert "noise" not in CLAIM_DOTS.caption(analysis)
    assert "interval" not in CLAIM_DOTS.caption(analysis)


def test_the_diagram_shows_each_rank_and_joins_what_tests_do_not_separate(claimed_analysis):
    axes = CRITICAL_DIFFERENCE.draw(claimed_analysis).axes[0]
    average = next(r for r in claimed_analysis.rankings if r.metric == "test_loss").average
    assert {text.get_text() for text in axes.texts} == {
        f"{name} ({rank:.2f})" for name, rank in average.items()
    }
    bars = [line for line in axes.lines if line.get_linewidth() == 4]
    assert len(bars) == 1
    assert set(bars[0].get_xdata()) == {average["delayed"], average["no callbacks"]}


def test_what_is_unusual_about_the_axes_stands_in_the_caption():
    far = make_claim(UNDERFIT | {"train_loss": 0.9}).analysis()
    axes = CLAIM_DOTS.draw(far).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("symlog", "linear")
    assert "The axis of training loss is logarithmic" in CLAIM_DOTS.caption(far)
    clipped = make_claim(seeds=2, spread=0.01).analysis()
    assert "cuts off the interval of the mean" in CLAIM_DOTS.caption(clipped)
