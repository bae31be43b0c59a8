"""The spread by source as a table; what is read off it is tested with the analysis."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from finetune.report.sections.variance import variance
from tests.made_variance import made_variance
from tests.report.made_report import context_of


@pytest.fixture
def section_of(analysis):
    def make(names: tuple[str, ...] = ("a", "b"), *, n: int = 20, **scales: float) -> str:
        table = made_variance(names, n=n, **scales)
        return variance(context_of(replace(analysis, variance=table)))

    return make


def fields_of(body: str) -> list[list[str]]:
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[field.strip() for field in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_a_row_a_source_and_one_for_all_together(section_of):
    head, _, *rows = fields_of(section_of(init=1.0, order=0.1))
    assert head == [
        "What varies",
        "Seeds",
        "SD of the difference",
        "Share of its variance",
        "SD of a",
        "SD of b",
    ]
    assert [row[0] for row in rows] == [
        "initial weights",
        "order of the training rows",
        "all together",
    ]
    # Steps 0 to 19 have the variance 35; times 0.76 and 1.46 the interval; a quarter of 2 * 2.
    assert rows[0][1:] == ["20", "5.9 [4.5, 8.6]", "25 %", "5.9 [4.5, 8.6]", "0"]
    assert rows[2][3] == "100 %"


@pytest.mark.parametrize(
    ("scales", "words"),
    [
        ({"order": 0.9, "init": 1.0, "split": 0.1}, "overlaps that of the order of the training"),
        ({"order": 0.0, "init": 0.0}, "No source by itself makes any spread"),
        ({"n": 1, "init": 1.0, "order": 1.0}, "Too few seeds finished"),
    ],
)
def test_a_source_is_named_only_where_the_seeds_settle_it(section_of, scales, words):
    assert words in section_of(**scales)


def test_one_seed_has_no_numbers(section_of):
    assert fields_of(section_of(n=1, init=1.0, order=1.0))[2][1:] == ["1", "-", "-", "-", "-"]


def test_one_variant_stands_for_itself(section_of):
    body = section_of(("_alone|",), init=1.0, order=0.1)
    assert r'of the test loss of "\_alone\|", 5.92,' in body
    assert len(fields_of(body)[0]) == 3
    assert "Share of its" not in body


def test_without_a_table_there_is_no_section(analysis):
    assert variance(context_of(replace(analysis, variance=pd.DataFrame()))) == ""
