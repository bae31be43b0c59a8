"""What the figures of a search draw, held against the trials that it was made of."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from finetune.analysis.tuned_tables import TunedTables, bin_trials, history_limits, robust_limit
from finetune.report.csv import csv_files
from tests.made_tuned import DELAYED, NO_ROWS, PLANE, START, make_tables


@pytest.fixture(scope="module")
def made() -> TunedTables:
    return make_tables()


def test_the_tables_are_files_with_all_their_digits(made):
    files = csv_files(made.frames)
    names = ["tables/trials.csv", "tables/importances.csv", "tables/search_baseline.csv"]
    assert list(files) == names
    pd.testing.assert_frame_equal(pd.read_csv(BytesIO(files[names[0]])), made.trials)
    assert list(csv_files(replace(made, baseline=NO_ROWS).frames)) == names[:2]


def test_a_bin_holds_the_mean_of_its_finished_trials(made):
    means = bin_trials(made.trials, PLANE).means
    of_arm = means.loc[means["arm"] == START].drop(columns="arm")
    assert of_arm.round(6).to_numpy().tolist() == [
        [0, 0, 0.35, 2],
        [2, 2, 0.32, 1],
        [3, 1, 0.29, 2],
        [5, 4, 3.925, 2],
    ]


def test_the_winner_is_the_first_trial_of_lowest_value(made):
    trials = made.trials.copy()
    trials.loc[(trials["arm"] == START) & (trials["number"] == 4), "value"] = 0.28
    winners = bin_trials(trials, PLANE).winners
    assert winners.to_numpy().tolist() == [[START, 3, 1], [DELAYED, 3, 1]]


def test_terrible_trials_go_beyond_the_scale_and_the_axis(made):
    binned = bin_trials(made.trials, PLANE)
    assert binned.limits == pytest.approx((0.29, 0.37))
    assert binned.goes_beyond
    assert not bin_trials(made.trials.loc[made.trials["number"] < 6], PLANE).goes_beyond
    assert history_limits(made) == pytest.approx((0.27, 0.37))
    assert history_limits(replace(made, baseline=NO_ROWS)) == pytest.approx((0.28, 0.37))


@pytest.mark.parametrize(
    ("values", "limit"),
    [([1, 2, 3, 4, 100], 4), ([1, 2, 3, 4, 9], 9), ([2, 2, 2], 2), ([5], 5)],
)
def test_a_limit_is_moved_by_what_is_spread_and_not_by_what_is_far_out(values, limit):
    assert robust_limit(np.array(values, dtype=float)) == limit
