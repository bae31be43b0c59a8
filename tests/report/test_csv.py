"""Tables as CSV: no text of a user's is a formula, every text can be read back, numbers stay."""

import io
import re
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.report.csv import csv_text, read_csv_text

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "'=1", "\uff1d1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_begins_with_an_apostrophe(text):
    table = pd.DataFrame({text: [1.0, 2.0], "name": [text, "plain"]})
    read = pd.read_csv(io.StringIO(csv_text(table)))
    assert list(read.columns) == [f"'{text}", "name"]
    assert list(read["name"]) == [f"'{text}", "plain"]
    as_categories = table.astype({"name": "category"})
    assert csv_text(as_categories) == csv_text(table)


AFTER_A_SEPARATOR = {
    "x;=cmd|'/C calc'!A0": "x;'=cmd|'/C calc'!A0",
    "x; '=1": "x;' '=1",
    "x|@y,-1;+2": "x|'@y,'-1;'+2",
    'x;"=1': "x;'\"=1",
}


@pytest.mark.parametrize("text", AFTER_A_SEPARATOR)
def test_a_formula_after_what_separates_fields_elsewhere_begins_with_an_apostrophe(tmp_path, text):
    table = pd.DataFrame({text: ["a"], "name": [text]})
    file = tmp_path / "t.csv"
    file.write_text(csv_text(table))
    read = pd.read_csv(file)
    shown = AFTER_A_SEPARATOR[text]
    assert [*read.columns, *read["name"]] == [shown, "name", shown]
    for field in re.split(r"[;|]", file.read_text()):
        assert not field.lstrip(' "').startswith(("=", "+", "-", "@"))
    pd.testing.assert_frame_equal(read_csv_text(file), table)


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "a\nb", "\x1b[31m", "\u202e"])
def test_a_character_that_acts_is_an_escape(text):
    (line,) = csv_text(pd.DataFrame({"name": [text]})).splitlines()[1:]
    assert line == repr(text)[1:-1]


def test_all_else_is_written_as_pandas_does():
    table = pd.DataFrame(
        {
            "name": pd.Categorical(["a, b", "b'=c", "a, b"]),
            "difference": [-0.5, np.nan, 1 / 3],
            "count": pd.array([-1, None, 3], dtype="Int64"),
            "held": [True, False, True],
            "mixed": [-1.5, None, "x=1"],
        }
    )
    assert csv_text(table) == table.to_csv(index=False, lineterminator="\n")


letters = st.sampled_from("'=+-@\uff1d a1,;|\"") | st.sampled_from(string.ascii_letters)


@given(st.lists(st.text(letters, min_size=1, max_size=6), min_size=1, max_size=4))
def test_any_text_is_read_back(tmp_path_factory, names):
    file = tmp_path_factory.getbasetemp() / "names.csv"
    # Beside a word, so that a column of digits is not read as one of numbers.
    texts = pd.DataFrame({"name": ["word", *names]})
    file.write_text(csv_text(texts))
    assert list(read_csv_text(file)["name"]) == ["word", *names]
