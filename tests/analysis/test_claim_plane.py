import pandas as pd

from finetune.analysis.claim_plane import claim_plane, has_pairs
from finetune.analysis.comparisons import SAME_AGAIN
from finetune.claims.fit_table import FIT_TABLE
from tests.made_study import SAME, UNDERFIT, make_claim


def _plane(analysis):
    return claim_plane(analysis.pairs, analysis.verdict)


def test_all_nine_regions_are_shown_and_tile_the_plane(claimed_analysis):
    plane = _plane(claimed_analysis)
    assert {region.name for region in plane.regions} == set(FIT_TABLE.values())
    for axis in (plane.across, plane.up):
        ranges = axis.regions
        assert ranges["better"][1] == ranges["equal"][0] == -axis.side.margin
        assert ranges["equal"][1] == ranges["worse"][0] == axis.side.margin
        assert axis.low < ranges["better"][1]
        assert ranges["worse"][1] == axis.high > axis.side.margin


def test_every_seed_is_inside(claimed_analysis):
    plane = _plane(claimed_analysis)
    for axis in (plane.across, plane.up):
        values = claimed_analysis.pairs.query("claim == 'underfits'")[axis.side.metric]
        assert axis.low < values.min()
        assert values.max() < axis.high


def test_an_axis_is_logarithmic_only_where_the_margins_would_be_too_thin():
    close, far = make_claim(SAME).analysis(), make_claim(UNDERFIT | {"train_loss": 0.9}).analysis()
    plane = _plane(close)
    assert not plane.across.symlog
    assert not plane.up.symlog
    plane = _plane(far)
    assert plane.across.symlog
    assert not plane.up.symlog
    assert plane.across.ticks == [-0.1, -0.01, 0, 0.01, 0.1, 1]


def test_an_interval_may_be_cut_off():
    analysis = make_claim(seeds=2, spread=0.01).analysis()
    assert _plane(analysis).up.clipped


def test_there_is_nothing_to_draw_without_a_pair(claimed_analysis):
    verdict = claimed_analysis.verdict
    assert has_pairs(claimed_analysis.pairs, verdict)
    assert not has_pairs(claimed_analysis.pairs.query(f"comparison == {SAME_AGAIN!r}"), verdict)
    assert not has_pairs(pd.DataFrame(), verdict)
