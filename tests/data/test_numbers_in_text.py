"""Text that is numbers, dates or missing: read as if it had been cleaned by hand, or refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.cells import TextRules
from finetune.data.columns import Column, Problem, read_column
from finetune.data.reading import describe, reading_notes
from finetune.errors import DataError
from tests.data.user_data import splits_of, write

NAN = np.nan


def read(values, *, categorical=False, **rules) -> Column | Problem:
    column = pd.Series(values, dtype=object)
    return read_column(column, TextRules(**rules), name="c", categorical=categorical)


# The text of a column, what it is when cleaned by hand, and the sentence that says so.
NUMBERS = {
    "plain": (["1", "2.5", "-3e2", "+.5"], [1, 2.5, -300, 0.5], "c: numbers"),
    "blanks": (["1", "", "  ", " 2 "], [1, NAN, NAN, 2], "c: numbers, 2 cells missing"),
    "mark": (
        ["1", "?", "2", "?"],
        [1, NAN, 2, NAN],
        "c: numbers, 2 cells ('?') taken for missing",
    ),
    "marks": (
        ["1", "-", "2", "N/A", "n/a", "null", "None", "#DIV/0!", "\u2013", ""],
        [1, NAN, 2, *[NAN] * 7],
        "c: numbers, 8 cells ('#DIV/0!', '-', 'N/A', 'None', 'n/a' and 2 more and 1 empty) taken "
        "for missing",
    ),
    "commas between thousands": (
        ["1,500", "2,000.5", "1,234,567", "12"],
        [1500, 2000.5, 1234567, 12],
        "c: numbers with ',' between thousands",
    ),
    "India's groups": (
        ["1,23,456", "12,34,56,789"],
        [123456, 123456789],
        "c: numbers with ',' between thousands",
    ),
    "decimal comma": (["3,7", "-4,25", "5"], [3.7, -4.25, 5], "c: numbers with a decimal comma"),
    "points between thousands": (
        ["1.234,5", "2.000", "7"],
        [1234.5, 2000, 7],
        "c: numbers with '.' between thousands and a decimal comma",
    ),
    "spaces between thousands": (
        ["1 234", "2\u202f000,5", "3\u00a0000"],
        [1234, 2000.5, 3000],
        "c: numbers with ' ' between thousands and a decimal comma",
    ),
    "apostrophes": (
        ["1'200.5", "2\u2019000"],
        [1200.5, 2000],
        'c: numbers with "\'" between thousands',
    ),
    "per cent": (["45%", "3.5 %", "0%"], [45, 3.5, 0], "c: numbers with '%'"),
    "dollars": (
        ["$12", "$1,200.50", "-$3", "($4)", "$ 5"],
        [12, 1200.5, -3, -4, 5],
        "c: numbers with ',' between thousands and '$'",
    ),
    "euros": (["12 €", "0,5 €", "7"], [12, 0.5, 7], "c: numbers with a decimal comma and '€'"),
    "minus of typographers": (["\u22125", "3"], [-5, 3], "c: numbers"),
    "three decimals": (["1.234", "2.345"], [1.234, 2.345], "c: numbers"),
    "one typing error in twenty": (
        [*map(str, range(19)), "abc"],
        [*range(19), NAN],
        "c: numbers, 1 cell ('abc') taken for missing",
    ),
    "objects": ([1, 2.5, "?", None], [1, 2.5, NAN, NAN], None),
    "years": (["2019", "2020"], [2019, 2020], "c: numbers"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_text_of_numbers_is_what_it_is_when_cleaned_by_hand(case):
    text, cleaned, sentence = NUMBERS[case]
    column = read(text)
    assert isinstance(column, Column), column
    np.testing.assert_array_equal(column.values, np.array(cleaned, dtype=float))
    assert column.reading.missing == np.isnan(cleaned).sum()
    assert sentence in (None, describe(column.reading))


CATEGORIES = {
    "codes with zeros": ["01234", "90210", "10001"],
    "letters and digits": ["1A", "2B", "10"],
    "words": ["yes", "no"],
    "sizes": ["S", "M", "L"],
    "ranges": ["1-2", "3-4", "10-20"],
    "versions": ["1.2.3", "1.2.23", "10.0.1"],
    "addresses": ["10.0.0.1", "192.168.0.12"],
    "identities": ["A-1001", "A-1002"],
    "fractions": ["1/2", "3/4"],
    "seasons": ["2009-10", "2019-20"],
    "pairs": ["12.5,3.4", "1.5,2.4"],
    "months": ["Jan", "Feb", "May"],
    "numbers of telephones": ["555-1234", "555-9876"],
    "a number or a mark": ["1", "-", "1"],
    "few numbers and a word": ["1", "2", "3", "other"] * 5,
}


@pytest.mark.parametrize("case", CATEGORIES)
def test_what_only_looks_like_numbers_or_dates_stays_categories(case):
    column = read(CATEGORIES[case])
    assert isinstance(column, Column), column
    assert column.categories == sorted(set(CATEGORIES[case]))
    assert column.reading.kind == "category"


DATES = {
    "ISO": ["2023-01-01", "2023-12-31"],
    "ISO with time": ["2023-01-01T10:00:00Z", "2023-01-02 11:30:15.25+02:00"],
    "ISO months": ["2023-01", "2023-02"],
    "ISO weeks": ["2023-W01", "2023-W52"],
    "slashes": ["2023/1/2", "2023/12/31"],
    "British": ["31/12/2023", "1/2/2024"],
    "American": ["12/31/23", "1/2/24 5:30 PM"],
    "German": ["31.12.2023", "1.1.2024"],
    "dashes": ["31-12-2023", "01-02-2024"],
    "names of months": ["Jan 1, 2023", "February 12, 2023"],
    "names after days": ["3 Jan 2023", "4. März 2023", "05-Feb-2023"],
    "of letters": ["Mon, 02 Jan 2023 10:00:00 GMT"],
    "times": ["23:00", "08:15"],
    "times of half days": ["9:30am", "11 PM"],
    "durations": ["1:02:03", "36:10:00"],
    "digits alone": ["20230101", "20231231"],
    "missing among them": ["2023-01-01", "", "NA", "?", "2023-01-02"],
    "words among them": ["2023-01-01", "2023-01-02", "unknown"],
}


@pytest.mark.parametrize("factor", [1, 1_000_000])
def test_whole_numbers_that_are_all_dates_are_refused_too(factor):
    numbers = np.array([20230101, 20231231, 20240229]) * factor
    problem = read(numbers)
    assert isinstance(problem, Problem)
    assert f"such as '{numbers[0]}'" in problem.found
    assert isinstance(read([*numbers, 20231301 * factor]), Column)


@pytest.mark.parametrize("case", DATES)
def test_dates_and_times_in_text_are_refused_however_few(case):
    problem = read(DATES[case])
    assert isinstance(problem, Problem), problem
    assert problem.found == f"holds dates or times, such as {DATES[case][0]!r}"
    assert "make numbers of them" in problem.allowed
    # The user has the last word.
    assert isinstance(read(DATES[case], categorical=True), Column)


UNCLEAR = {
    "either": (
        ["1,500", "2,000", "3"],
        "holds '1,500', which is 1500 with ',' between thousands and 1.5 with a decimal comma",
        'say which: data.thousands = "," or data.decimal = ","',
    ),
    "two currencies": (["$1", "€2", "$3"], "holds numbers with '$' and '€'", "one unit"),
    "some per cent": (["45%", "0.45"], "holds numbers with '%' and without", "alike"),
    "an unknown word": (
        [*(str(i / 4) for i in range(80)), *["unknown"] * 20],
        "holds 80 different numbers, but also 'unknown' in 20 cells",
        'data.missing = ["unknown"], or data.categorical',
    ),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_can_be_read_in_two_ways_is_refused_with_both_and_the_key(case):
    text, found, allowed = UNCLEAR[case]
    problem = read(text)
    assert isinstance(problem, Problem)
    assert problem.found == found
    assert allowed in problem.allowed


@pytest.mark.parametrize(
    ("rules", "cleaned"),
    [
        ({"thousands": ","}, [1500, 2000, 3]),
        ({"decimal": "."}, [1500, 2000, 3]),
        ({"decimal": ","}, [1.5, 2, 3]),
        ({"thousands": "."}, [1.5, 2, 3]),
    ],
)
def test_the_keys_settle_what_can_be_read_in_two_ways(rules, cleaned):
    np.testing.assert_array_equal(read(["1,500", "2,000", "3"], **rules).values, cleaned)


def test_a_declared_convention_is_for_points_too_and_leaves_what_it_cannot_read():
    assert list(read(["1.500", "2.000"], decimal=",").values) == [1500, 2000]
    assert list(read(["1.5", "2.25"], decimal=",").values) == [1.5, 2.25]


def test_words_for_missing_can_be_named_and_then_are_the_only_ones():
    numbers = [*map(str, range(9)), "-999", "-999.0"]
    assert np.isnan(read(numbers, missing=("-999",)).values).sum() == 2
    floats = read([*range(9), -999.0], missing=("-999",))
    assert describe(floats.reading) == "c: numbers, 1 cell ('-999') taken for missing"
    words = ["None", "a", "NA", ""]
    assert read(words).categories == ["(missing)", "a"]
    assert read(words, missing=()).categories == ["(missing)", "NA", "None", "a"]
    assert read(words, missing=("a",)).categories == ["(missing)", "NA", "None"]


def test_booleans_are_two_categories_however_they_are_written():
    assert read(["TRUE", "true", "False"]).categories == ["False", "True"]


def table(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "power": rng.integers(40, 230, rows),
            "price": rng.uniform(1000, 90000, rows).round(2),
            "share": rng.integers(0, 100, rows),
            "y": rng.integers(-5000, 5000, rows) / 2,
        }
    )


def test_a_table_of_text_gives_the_numbers_of_the_table_cleaned_by_hand(tmp_path):
    cleaned = table()
    cleaned.loc[::9, "power"] = np.nan
    written = pd.DataFrame(
        {
            "power": cleaned["power"].map("{:.0f}".format).replace("nan", "?"),
            "price": cleaned["price"].map("${:,.2f}".format),
            "share": cleaned["share"].map("{}%".format),
            "y": cleaned["y"].map("{:,.1f}".format),
        }
    )
    one = splits_of(write(tmp_path / "cleaned.csv", cleaned), target="y")
    other = splits_of(write(tmp_path / "written.csv", written), target="y")
    for name in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(other, name).x, getattr(one, name).x)
        np.testing.assert_array_equal(getattr(other, name).y, getattr(one, name).y)
    assert reading_notes(one.reading) == ()
    assert reading_notes(other.reading) == (
        "y: numbers with ',' between thousands",
        "power: numbers, 9 cells ('?') taken for missing",
        "price: numbers with ',' between thousands and '$'",
        "share: numbers with '%'",
    )


def test_all_columns_that_cannot_be_used_are_named_at_once(tmp_path):
    rows = 250
    frame = pd.DataFrame(
        {
            "y": np.arange(rows) / 7,
            "name": [f"n{i}" for i in range(rows)],
            "day": pd.date_range("2023-01-01", periods=rows).strftime("%Y-%m-%d"),
            "town": [f"t{i}" for i in range(rows)],
            "amount": ["1,500"] * rows,
        }
    )
    with pytest.raises(DataError) as caught:
        splits_of(write(tmp_path / "t.csv", frame), target="y")
    line = str(caught.value)
    assert "column 'name' has 250 categories, column 'town' has 250 categories" in line
    assert "column 'day' holds dates" in line
    assert "column 'amount' holds '1,500'" in line
    assert line.endswith('drop = ["name", "day", "town", "amount"]')
    drop = ("name", "day", "town", "amount")
    frame["left"] = range(rows)
    splits = splits_of(write(tmp_path / "t.csv", frame), target="y", drop=drop)
    assert [describe(one) for one in splits.reading.columns[1:]] == [
        f"{name}: left out" for name in drop
    ]


def test_codes_with_zeros_before_them_are_said_to_be_codes(tmp_path):
    frame = pd.DataFrame({"y": np.arange(300) / 7, "zip": [f"0{i}" for i in range(1000, 1300)]})
    with pytest.raises(DataError, match=r"300 categories \(codes with zeros.*'01000'\)"):
        splits_of(write(tmp_path / "t.csv", frame), target="y")
    splits = splits_of(write(tmp_path / "t.csv", frame), target="y", categorical=("zip",))
    assert splits.n_features == 300


def test_numbers_whose_squares_overflow_are_refused_by_name(tmp_path):
    frame = table().assign(huge=np.geomspace(1, 1e200, 80))
    with pytest.raises(
        DataError, match="'huge' holds 1e\\+200; allowed are numbers up to 1e\\+150"
    ):
        splits_of(write(tmp_path / "t.csv", frame), target="y")
    with pytest.raises(DataError, match="target: holds 1e\\+200"):
        splits_of(write(tmp_path / "t.csv", frame), target="huge")


def test_text_of_half_a_character_is_refused(tmp_path):
    x = np.array([["\ud800", "b"]] * 20)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(20) % 2)
    with pytest.raises(DataError, match="half a character"):
        splits_of(str(tmp_path / "a.npz"))


cells = st.one_of(
    st.sampled_from(
        [
            *("", "?", "-", "NA", "1,234", "1.234", "45%", "$3", "2023-01-01", "10:00", "007"),
            *("1e999", "inf", "nan", "True", "a", "1'000", "1 000", "0", "20230101", "(5)", "()"),
        ]
    ),
    st.floats(allow_nan=False, width=16).map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.text("0123456789.,'-+ %$€()eE:/", max_size=9),
)


@given(
    suffix=st.sampled_from([".csv", ".tsv", ".parquet"]),
    columns=st.lists(st.lists(cells, min_size=12, max_size=12), min_size=2, max_size=4),
    decimal=st.sampled_from([None, ".", ","]),
    missing=st.none() | st.lists(cells.filter(bool), max_size=2).map(tuple),
)
def test_any_table_of_text_is_read_or_refused_in_one_line(
    tmp_path_factory, suffix, columns, decimal, missing
):
    file = tmp_path_factory.getbasetemp() / f"any{suffix}"
    names = ["y", *map(str, range(len(columns) - 1))]
    frame = pd.DataFrame(dict(zip(names, columns, strict=True)), dtype=object)
    write(file, frame)
    printable = missing and tuple(word for word in missing if word.isprintable())
    try:
        splits = splits_of(str(file), target="y", decimal=decimal, missing=printable)
    except DataError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert np.isfinite(splits.train.x).all()
        assert all(reading_notes(splits.reading)) or not reading_notes(splits.reading)
