from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from finetune.analysis.tuned_tables import TunedTables
from finetune.report.figures.tuned import (
    heat_map,
    history,
    importance_bars,
    tuned_files,
    winners_rates,
)
from tests.report.sections.test_tuned import (
    DELAYED,
    OWN,
    START,
    make_arm,
    make_importances,
    make_tuned,
)

# number, factor, patience, value; the last but one is terrible, the last failed.
TRIALS = [
    *((0, 0.06, 1, 0.36), (1, 0.06, 3, 0.34), (2, 0.30, 5, 0.28), (3, 0.31, 6, 0.30)),
    *((4, 0.90, 15, 0.35), (5, 0.20, 9, 0.32), (6, 0.95, 14, 7.5), (7, 0.5, 2, np.nan)),
]
NO_ROWS = pd.DataFrame()


def _trials(arm: str, *, lift: float = 0.0) -> pd.DataFrame:
    table = pd.DataFrame(TRIALS, columns=["number", "factor", "patience", "value"])
    table.insert(0, "arm", arm)
    table.insert(4, "start_from_epoch", np.nan if arm == START else 8.0)
    table["value"] += lift
    table["status"] = np.where(table["value"].isna(), "failed", "ok")
    return table.assign(best=table["value"].cummin().ffill())


def _curves() -> pd.DataFrame:
    rows = [
        {"variant": name, "metric": metric, "epoch": epoch, "n_training": 3, "n": 3}
        | dict.fromkeys(("mean", "low", "high", "median", "q25", "q75"), 0.01 / (1 + k + epoch))
        for k, name in enumerate([START, DELAYED, *OWN.values()])
        for metric in ("val_loss", "learning_rate")
        for epoch in range(4)
    ]
    return pd.DataFrame(rows)


def _baseline() -> pd.DataFrame:
    bests = {0: [0.4, 0.33], 1: [0.38, 0.27]}
    return pd.DataFrame(
        {"arm": arm, "repeat": repeat, "number": number, "value": best, "best": best}
        for arm in (START, DELAYED)
        for repeat, found in bests.items()
        for number, best in enumerate(found)
    )


def make_tables() -> TunedTables:
    trials = pd.concat([_trials(START), _trials(DELAYED, lift=0.01)], ignore_index=True)
    return TunedTables(trials, pd.DataFrame(make_importances()), _curves(), _baseline())


@pytest.fixture(scope="module")
def made() -> TunedTables:
    return make_tables()


@pytest.fixture(scope="module")
def tuned():
    return make_tuned()


@pytest.fixture(scope="module")
def panels(made, tuned):
    return history(made, tuned).axes


def test_equal_tables_give_equal_files_and_leave_nothing_open(made, tuned):
    first, again = (tuned_files(made, tuned=tuned) for _ in range(2))
    names = ("heat_map", "history", "learning_rates", "importances")
    assert set(first) == {f"search_{name}.{kind}" for name in names for kind in ("svg", "png")}
    assert first == again
    assert all(b"<dc:date>" not in content for content in first.values())
    assert all(len(content) < 300_000 for content in first.values())
    assert pyplot.get_fignums() == []


def test_importances_are_drawn_only_where_there_are_any(made, tuned):
    files = tuned_files(replace(made, importances=NO_ROWS, baseline=NO_ROWS), tuned=tuned)
    assert {name.removeprefix("search_") for name in files if name.endswith(".svg")} == {
        *("heat_map.svg", "history.svg", "learning_rates.svg")
    }


def test_a_cell_is_the_mean_of_its_trials_with_their_number(made, tuned):
    axes = heat_map(made, tuned).axes[0]
    texts = {text.get_text(): text.get_position() for text in axes.texts if text.get_text()}
    # Patience is cut into threes, the factor's logarithm into sixths, from the foot up.
    assert texts == {
        **{"0.3500\n(2)": (0.5, 0.5), "0.2900\n(2)": (1.5, 3.5), "0.3200\n(1)": (2.5, 2.5)},
        "3.9250\n(2)": (4.5, 5.5),
    }
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        *("1 to 3", "4 to 6", "7 to 9", "10 to 12", "13 to 15")
    ]
    assert axes.get_ylim() == (0, 6)
    assert axes.get_yticklabels()[5].get_text() == "0.58 to 0.95"


def test_cells_without_trials_are_blank(made, tuned):
    drawn = heat_map(made, tuned).axes[0].collections[0].get_array()
    assert drawn is not None
    assert np.ma.count(drawn) == 4


def test_both_panels_share_one_colour_scale_that_terrible_trials_do_not_move(made, tuned):
    figure = heat_map(made, tuned)
    limits = [axes.collections[0].get_clim() for axes in figure.axes[:2]]
    assert limits[0] == limits[1] == pytest.approx((0.29, 0.37))
    (bar,) = figure.axes[2:]
    assert bar.get_ylabel() == "mean final validation loss"


def test_the_frame_is_round_the_winner_though_another_cell_has_a_better_mean(made, tuned):
    trials = made.trials.copy()
    winner = (trials["arm"] == START) & (trials["number"] == 1)
    trials.loc[winner, "value"] = 0.21
    axes = heat_map(replace(made, trials=trials), tuned).axes[0]
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


def test_nothing_is_counted_where_nothing_is_above_or_failed(made, tuned):
    trials = made.trials.loc[made.trials["number"] < 6]
    assert history(replace(made, trials=trials), tuned).axes[0].get_xlabel() == "trial number"


def test_random_searches_are_thin_lines_below_the_trials(made, tuned, panels):
    drawn = [list(line.get_ydata()) for line in panels[0].lines[:-1]]
    assert drawn == [[0.4, 0.33], [0.38, 0.27]]
    assert panels[0].lines[0].get_linewidth() < panels[0].lines[-1].get_linewidth()
    alone = history(replace(made, baseline=NO_ROWS), tuned)
    assert len(alone.axes[0].lines) == 1
    labels = [text.get_text() for text in alone.legends[0].get_texts()]
    assert labels == ["trial", "best so far"]


def test_each_bar_is_an_importance(made, tuned):
    axes = importance_bars(made, tuned).axes[0]
    widths = [[bar.get_width() for bar in container] for container in axes.containers]
    assert widths == [[0.3812, 0.6188], [0.3812, 0.6188]]
    assert {text.get_text() for text in axes.texts} == {"0.38", "0.62"}


def test_the_winners_are_drawn_last_and_keep_their_colours(made, tuned, panels):
    axes = winners_rates(made, tuned).axes[0]
    lines = [np.asarray(line.get_ydata()).tolist() for line in axes.lines]
    curves = made.curves.query("metric == 'learning_rate'").groupby("variant")["median"]
    order = [*OWN.values(), START, DELAYED]
    assert lines == [curves.get_group(name).to_list() for name in order]
    colours = [to_hex(panel.collections[0].get_facecolor()[0]) for panel in panels]
    assert [to_hex(line.get_color()) for line in axes.lines[2:]] == colours


def test_unusual_searches_are_drawn(made):
    """One trial an arm, ranges of one value and of two, and names that are mathematics."""
    arms = ("$a$ or $b", "a very long name " * 4)
    firsts = made.trials.loc[made.trials["number"] == 2]
    names = dict(zip((START, DELAYED), arms, strict=True))
    one = TunedTables(
        firsts.assign(arm=firsts["arm"].map(names)),
        NO_ROWS,
        made.curves.replace({"variant": names}),
        NO_ROWS,
    )
    ranges = {"factor": (0.3, 0.3), "patience": (5, 6)}
    tuned = make_tuned(arms=[make_arm(name) for name in arms], ranges=ranges)
    assert len(tuned_files(one, tuned=tuned)) == 6
    axes = heat_map(one, tuned).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "6"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.3"]
