"""The time of rows: the latest are for test, those before them for validation."""

import re

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from finetune.data.splits import Splits, load_splits
from finetune.errors import SpecError
from finetune.spec.data import DataSpec
from tests.data.refusal import refused
from tests.data.user_data import people, write
from tests.small_studies import small_study

# Of the rows, which are in no order of time.
ORDER = np.random.default_rng(4).permutation(60)
DAYS = pd.Series(pd.date_range("2023-12-20", periods=60, freq="D")[ORDER])


def spec_of(source, **options) -> DataSpec:
    return DataSpec(**{"source": str(source), "target": "plan", "time": "when", **options})


def dated(tmp_path, values, suffix=".csv") -> str:
    return write(tmp_path / f"people{suffix}", people().assign(when=values))


def parts(splits: Splits):
    return splits.train, splits.val, splits.test


def assert_in_order(splits: Splits) -> None:
    train, val, test = (np.sort(ORDER[part.index]) for part in parts(splits))
    np.testing.assert_array_equal(train, np.arange(36))
    np.testing.assert_array_equal(val, np.arange(36, 48))
    np.testing.assert_array_equal(test, np.arange(48, 60))


FORMS = {
    "numbers": ORDER,
    "floats": ORDER / 7 - 3,
    "decimal commas": [f"{number / 8:.3f}".replace(".", ",") for number in ORDER],
    "years, months and days in digits": DAYS.dt.strftime("%Y%m%d").astype(int),
    "ISO": DAYS.dt.strftime("%Y-%m-%d"),
    "ISO with times": (DAYS + pd.Timedelta("5h")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "day first": DAYS.dt.strftime("%d/%m/%Y"),
    "month first, with times": DAYS.dt.strftime("%m/%d/%Y 6:15 PM"),
    "dots": DAYS.dt.strftime("%d.%m.%Y"),
    "names of months": DAYS.dt.strftime("%b %d, %Y"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_latest_rows_are_for_test_however_their_time_is_written(tmp_path, form):
    suffix = ".tsv" if form == "decimal commas" else ".csv"
    splits = load_splits(spec_of(dated(tmp_path, FORMS[form], suffix)), 0)
    assert_in_order(splits)
    bare = load_splits(DataSpec(source=write(tmp_path / "bare.csv"), target="plan"), 0)
    assert splits.n_features == bare.n_features


@pytest.mark.parametrize(
    "values",
    [DAYS, DAYS.dt.tz_localize("Asia/Tokyo"), DAYS.dt.date, DAYS - DAYS.min()],
    ids=["timestamps", "of a zone", "dates", "durations"],
)
def test_times_of_a_type_of_their_own_are_read(tmp_path, values):
    assert_in_order(load_splits(spec_of(dated(tmp_path, values, ".parquet")), 0))


def test_an_array_of_an_npz_file_is_times(tmp_path):
    file = tmp_path / "rows.npz"
    np.savez(file, x=np.ones((60, 2)), y=np.arange(60) % 2, when=DAYS.to_numpy())
    assert_in_order(load_splits(DataSpec(source=str(file), time="when"), 0))


def test_the_summary_says_which_times_each_split_has(tmp_path):
    spans = {
        "ISO": ["2023-12-20 to 2024-01-24", "2024-01-25 to 2024-02-05", "2024-02-06 to 2024-02-17"],
        "numbers": ["0 to 35", "36 to 47", "48 to 59"],
    }
    for form, expected in spans.items():
        splits = load_splits(spec_of(dated(tmp_path, FORMS[form])), 0)
        assert [count.kinship for count in splits.summary.splits] == expected


def test_rows_of_one_time_stay_together_in_the_later_split(tmp_path):
    years = 2000 + ORDER // 7
    splits = load_splits(spec_of(dated(tmp_path, years)), 0)
    held = [set(years[part.index]) for part in parts(splits)]
    assert held == [{2000, 2001, 2002, 2003}, {2004, 2005}, {2006, 2007, 2008}]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (ORDER // 40, "the 2 different times of 'when' leave 0 training, 40 validation and 20 te"),
        (ORDER * 0, "the 1 different times of 'when' leave 0 training, 0 validation and 60 test"),
        ([None, *DAYS[1:]], "'when' is missing in row 1"),
        ([np.nan, *ORDER[1:]], "'when' is missing in row 1"),
        (["soon", *DAYS[1:].dt.strftime("%Y-%m-%d")], "holds text such as 'soon', which is not"),
        (["01/02/2024", "03/02/2024"] * 30, "holds dates such as '01/02/2024', which can be read"),
        (["yes", "no"] * 30, "holds text such as 'yes', which is not all dates of one form"),
    ],
)
def test_times_that_cannot_split_are_refused(tmp_path, values, found):
    assert re.search(f"data.time: .*{re.escape(found)}", refused(spec_of(dated(tmp_path, values))))


def test_a_column_that_is_not_there_is_named(tmp_path):
    line = refused(spec_of(write(tmp_path / "people.csv")))
    assert "data.time: received 'when', which people.csv does not have; allowed are 'age'" in line


def test_a_split_by_time_cannot_vary():
    with pytest.raises(SpecError, match=r"vary: received 'split', but data.time splits the rows"):
        small_study("vary=['init', 'split']", "data.time='3'")
    assert small_study("data.time='3'").data.time == "3"


def test_shares_of_classes_and_a_time_cannot_both_be_kept():
    with pytest.raises(ValidationError, match="stratify and time are both there"):
        spec_of("people.csv", stratify=True)
