from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from finetune.analysis.claim_plane import claim_plane, has_pairs
from finetune.analysis.comparisons import CLAIM, SAME_AGAIN
from finetune.claims.fit_table import FIT_TABLE
from finetune.report.figures.captions import captions
from finetune.report.figures.claim import claim_dots
from finetune.report.figures.ranks import rank_diagram
from finetune.report.figures.style import VariantStyles
from tests.made_study import SAME, UNDERFIT, make_claim


def _plane(tables):
    return claim_plane(tables.pairs, tables.verdict)


@pytest.fixture(scope="module")
def drawn(claimed_tables):
    return claim_dots(claimed_tables).axes[0]


def test_all_nine_regions_are_shown_and_tile_the_plane(claimed_tables):
    plane = _plane(claimed_tables)
    assert {region.name for region in plane.regions} == set(FIT_TABLE.values())
    for axis in (plane.across, plane.up):
        ranges = axis.regions
        assert ranges["better"][1] == ranges["equal"][0] == -axis.side.margin
        assert ranges["equal"][1] == ranges["worse"][0] == axis.side.margin
        assert axis.low < ranges["better"][1]
        assert ranges["worse"][1] == axis.high > axis.side.margin


def test_every_seed_is_inside(claimed_tables):
    plane = _plane(claimed_tables)
    for axis in (plane.across, plane.up):
        values = claimed_tables.pairs[axis.side.metric]
        assert axis.low < values.min()
        assert values.max() < axis.high


def test_an_axis_is_logarithmic_only_where_the_margins_would_be_too_thin():
    close, far = make_claim(SAME).tables(), make_claim(UNDERFIT | {"train_loss": 0.9}).tables()
    plane = _plane(close)
    assert not plane.across.symlog
    assert not plane.up.symlog
    plane = _plane(far)
    assert plane.across.symlog
    assert not plane.up.symlog
    assert plane.across.ticks == [-0.1, -0.01, 0, 0.01, 0.1, 1]
    assert "logarithmic" not in captions(close)["claim"]
    assert "The axis of training loss is logarithmic" in captions(far)["claim"]
    axes = claim_dots(far).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("symlog", "linear")


def test_an_interval_that_is_cut_off_is_said():
    tables = make_claim(seeds=2, spread=0.01).tables()
    assert _plane(tables).up.clipped
    assert "cuts off the interval of the mean" in captions(tables)["claim"]


def test_the_dots_are_the_pairs(claimed_tables, drawn):
    noise, seeds = [dots for dots in drawn.collections if isinstance(dots, PathCollection)]
    by_comparison = claimed_tables.pairs.set_index("comparison")[["train_loss", "test_loss"]]
    for dots, comparison in ((seeds, CLAIM), (noise, SAME_AGAIN)):
        own = by_comparison.loc[comparison].to_numpy()
        assert dots.get_offsets().tolist() == own.tolist()
    colour = VariantStyles(claimed_tables.variants).colours["reduction"]
    assert to_hex(seeds.get_facecolor()[0]) == colour


def test_the_mean_has_the_intervals_of_the_verdict(claimed_tables, drawn):
    _, mean = drawn.containers
    point, _, (across, up) = mean.lines
    train = claimed_tables.verdict.primary.train.difference
    test = claimed_tables.verdict.primary.test.difference
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
    tables = replace(made, replicate=None).tables()
    axes = claim_dots(tables).axes[0]
    assert len(axes.collections) == 1  # the dots: neither noise nor intervals
    assert "noise" not in captions(tables)["claim"]
    assert "interval" not in captions(tables)["claim"]


def test_there_is_nothing_to_draw_without_a_pair(claimed_tables):
    assert has_pairs(claimed_tables.pairs)
    assert not has_pairs(claimed_tables.pairs.query(f"comparison == {SAME_AGAIN!r}"))
    assert not has_pairs(pd.DataFrame())


def test_the_diagram_shows_each_rank_and_joins_what_is_not_told_apart(claimed_tables):
    axes = rank_diagram(claimed_tables).axes[0]
    average = next(r for r in claimed_tables.rankings if r.metric == "test_loss").average
    assert {text.get_text() for text in axes.texts} == {
        f"{name} ({rank:.2f})" for name, rank in average.items()
    }
    bars = [line for line in axes.lines if line.get_linewidth() == 4]
    assert len(bars) == 1
    assert set(bars[0].get_xdata()) == {average["delayed"], average["no callbacks"]}
