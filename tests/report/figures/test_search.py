"""The figures of a search, held against the trials that they draw."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from finetune.analysis.tuned_tables import TunedTables
from finetune.report.figures.search.heat_map import HEAT_MAP
from finetune.report.figures.search.history import HISTORY
from finetune.report.figures.search.importances import IMPORTANCES
from finetune.report.figures.search.learning_rates import WINNERS_RATES
from finetune.report.figures.search.panels import SearchData
from finetune.report.search import render_search
from finetune.spec.dimensions import RangeSpec
from tests.made_tuned import (
    DELAYED,
    FACTOR,
    NO_ROWS,
    PATIENCE,
    START,
    TRIALS,
    UNTUNED,
    make_arm,
    make_tables,
    make_tuned,
)


@pytest.fixture(scope="module")
def made() -> SearchData:
    return SearchData(make_tuned(), make_tables())


@pytest.fixture(scope="module")
def heat(made):
    return HEAT_MAP.draw(made)


@pytest.fixture(scope="module")
def panels(made):
    return HISTORY.draw(made).axes


def changed(made: SearchData, **tables: Any) -> SearchData:
    return replace(made, tables=replace(made.tables, **tables))


def test_a_search_is_rendered_the_same_at_every_time_and_leaves_nothing_open(made):
    first, again = (render_search(made.tuned, made.tables) for _ in range(2))
    names = ["heat_map", "history", "importances", "learning_rates"]
    assert list(first) == [
        "tables/trials.csv",
        "tables/importances.csv",
        "tables/search_baseline.csv",
        *(f"figures/search_{name}.{kind}" for name in names for kind in ("svg", "png")),
        "tuned.json",
    ]
    assert first == again
    drawn = [content for name, content in first.items() if name.startswith("figures")]
    assert all(b"<dc:date>" not in content for content in drawn)
    assert all(len(content) < 300_000 for content in drawn)
    assert pyplot.get_fignums() == []


def test_figures_are_drawn_where_they_are_wanted_and_apply(made):
    assert not IMPORTANCES.applies(make_tuned(importances=[]))
    assert IMPORTANCES.applies(made.tuned)
    without = render_search(made.tuned, made.tables, figures=False)
    assert not [name for name in without if name.startswith("figures")]


def test_importances_are_ranked_within_an_arm(made):
    lines = IMPORTANCES.caption(made.tuned).splitlines()
    assert lines[-2:] == [
        r'- "tuned reduction": reduce\_lr.factor 0.62, reduce\_lr.patience 0.38.',
        r'- "tuned delay": reduce\_lr.factor 0.62, reduce\_lr.patience 0.38.',
    ]


def test_a_bin_has_the_mean_of_its_trials_with_their_number(heat):
    axes = heat.axes[0]
    texts = {text.get_text(): text.get_position() for text in axes.texts if text.get_text()}
    # Patience is cut into threes, the factor's logarithm into sixths, from the foot up.
    assert texts == {
        "0.3500\n(2)": (0.5, 0.5),
        "0.2900\n(2)": (1.5, 3.5),
        "0.3200\n(1)": (2.5, 2.5),
        "3.9250\n(2)": (4.5, 5.5),
    }
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "1 to 3",
        "4 to 6",
        "7 to 9",
        "10 to 12",
        "13 to 15",
    ]
    assert axes.get_ylim() == (0, 6)
    assert axes.get_yticklabels()[5].get_text() == "0.58 to 0.95"


def test_bins_without_trials_are_blank(heat):
    drawn = heat.axes[0].collections[0].get_array()
    assert drawn is not None
    assert np.ma.count(drawn) == 4


def test_both_panels_share_one_colour_scale_that_terrible_trials_do_not_move(heat):
    limits = [axes.collections[0].get_clim() for axes in heat.axes[:2]]
    assert limits[0] == limits[1] == pytest.approx((0.29, 0.37))
    (bar,) = heat.axes[2:]
    assert bar.get_ylabel() == "mean final validation loss"


def test_the_frame_is_round_the_winner_though_another_bin_has_a_better_mean(made):
    trials = made.tables.trials.copy()
    winner = (trials["arm"] == START) & (trials["number"] == 1)
    trials.loc[winner, "value"] = 0.21
    axes = HEAT_MAP.draw(changed(made, trials=trials)).axes[0]
    (frame,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert frame.get_xy() == (0, 0)
    assert (frame.get_width(), frame.get_height()) == (1, 1)


def test_the_history_holds_the_trials_and_the_best_so_far(panels):
    dots = panels[0].collections[0].get_offsets()
    assert dots.tolist() == [[number, value] for number, _, _, value in TRIALS[:6]]
    best = panels[0].lines[-1]
    assert list(best.get_ydata()) == [0.36, 0.34, *[0.28] * 6]
    assert best.get_drawstyle() == "steps-post"


def test_a_terrible_trial_is_a_triangle_at_the_top_and_a_failed_one_a_cross(panels):
    assert panels[0].get_ylim() == panels[1].get_ylim()
    foot, top = panels[0].get_ylim()
    assert foot < 0.27
    assert 0.37 < top < 0.5
    above, failed = panels[0].collections[1:3]
    assert above.get_offsets().tolist() == [[6, top]]
    assert failed.get_offsets().tolist() == [[7, foot]]
    assert panels[0].get_xlabel() == "trial number (1 above the axis, 1 failed)"


def test_nothing_is_counted_where_nothing_is_above_or_failed(made):
    trials = made.tables.trials.loc[made.tables.trials["number"] < 6]
    assert HISTORY.draw(changed(made, trials=trials)).axes[0].get_xlabel() == "trial number"


def test_random_searches_are_thin_lines_below_the_trials(made, panels):
    drawn = [list(line.get_ydata()) for line in panels[0].lines[:-1]]
    assert drawn == [[0.4, 0.33], [0.38, 0.27]]
    assert panels[0].lines[0].get_linewidth() < panels[0].lines[-1].get_linewidth()
    alone = HISTORY.draw(changed(made, baseline=NO_ROWS))
    assert len(alone.axes[0].lines) == 1
    labels = [text.get_text() for text in alone.legends[0].get_texts()]
    assert labels == ["trial", "best so far"]


def test_each_bar_is_an_importance(made):
    axes = IMPORTANCES.draw(made).axes[0]
    widths = [[bar.get_width() for bar in container] for container in axes.containers]
    assert widths == [[0.3812, 0.6188], [0.3812, 0.6188]]
    assert {text.get_text() for text in axes.texts} == {"0.38", "0.62"}


def test_the_winners_are_drawn_last_and_keep_their_colours(made, panels):
    axes = WINNERS_RATES.draw(made).axes[0]
    lines = [np.asarray(line.get_ydata()).tolist() for line in axes.lines]
    curves = made.tables.curves.query("metric == 'learning_rate'").groupby("variant")["median"]
    order = [*UNTUNED.values(), START, DELAYED]
    assert lines == [curves.get_group(name).to_list() for name in order]
    colours = [to_hex(panel.collections[0].get_facecolor()[0]) for panel in panels]
    assert [to_hex(line.get_color()) for line in axes.lines[2:]] == colours


def test_unusual_searches_are_drawn(made):
    """One trial an arm, ranges of one value and of two, and names that are mathematics."""
    arms = ("$a$ or $b", "a very long name " * 4)
    firsts = made.tables.trials.loc[made.tables.trials["number"] == 2]
    names = dict(zip((START, DELAYED), arms, strict=True))
    one = TunedTables(
        firsts.assign(arm=firsts["arm"].map(names)),
        NO_ROWS,
        made.tables.curves.replace({"variant": names}),
        NO_ROWS,
    )
    space = {FACTOR: RangeSpec(range=(0.3, 0.3)), PATIENCE: RangeSpec(range=(5, 6))}
    found = {"space": space, "setting": {FACTOR: 0.3, PATIENCE: 5}}
    tuned = make_tuned(arms=[make_arm(name, **found) for name in arms], importances=[])
    for figure in (HISTORY, WINNERS_RATES):
        figure.draw(SearchData(tuned, one)).draw_without_rendering()
    axes = HEAT_MAP.draw(SearchData(tuned, one)).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "6"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.3"]
