import math
import re

import pytest
from markdown_it import MarkdownIt

from finetune.report.markdown import (
    Section,
    code,
    code_block,
    estimate,
    folded,
    join_sections,
    number,
    p_value,
    plain,
    plus_minus,
    spread,
    table,
)

NASTY = [
    "a|b",
    "`c`",
    "<img src=x>",
    "*d* _e_",
    "[f](g)",
    "$x$ and $y$",
    r"\|",
    "&lt;",
    "# h",
    "~~s~~",
    "@user and a@b.example",
    "http://evil.example https://evil.example/x WWW.evil.example www.evil.example",
]


def _fields(text: str) -> list[str]:
    """Return what a reader sees in each field of the tables in a text."""
    tokens = MarkdownIt().enable("table").parse(text)
    inside = [
        tokens[i + 1] for i, token in enumerate(tokens) if token.type in ("th_open", "td_open")
    ]
    keep = ("text", "code_inline", "text_special")
    return ["".join(c.content for c in field.children if c.type in keep) for field in inside]


@pytest.mark.parametrize("name", NASTY)
def test_any_name_shows_as_it_is_in_a_table(name):
    shown = _fields(table([(plain(name), "1.50")], columns=["Variant", "x"]))
    assert shown == ["Variant", "x", name, "1.50"]


def test_nothing_is_linked_and_nobody_mentioned():
    text = plain("@user http://e.example https://e.example FTP://e.example www.e.example a@b.cd")
    inside = [child for token in MarkdownIt().parse(text) for child in token.children or ()]
    assert {child.type for child in inside} == {"text", "html_inline"}
    shown = [child.content for child in inside if child.type == "text"]
    assert "".join(shown).startswith("@user http://e.example https://e.example FTP://e.example www")
    # GitHub looks for what it links within a text that no element interrupts.
    assert not [part for part in shown if re.search(r"@.|.@|://|www\.", part, re.IGNORECASE)]


@pytest.mark.parametrize("text", ["plain", "a `b` c", "``", "`x", "two\nlines"])
def test_code_shows_any_text(text):
    (inline,) = MarkdownIt().parse(code(text))[1:2]
    assert [child.type for child in inline.children] == ["code_inline"]
    assert inline.children[0].content == " ".join(text.split())


def test_a_code_block_holds_fences():
    tokens = MarkdownIt().parse(code_block("a\n```\nb", language="sh"))
    assert [token.content for token in tokens] == ["a\n```\nb\n"]


def test_a_table_renders_inside_details():
    text = "before\n\n" + folded("More", table([("a", "1")], columns=["x", "y"])) + "\n\nafter"
    kinds = [token.type for token in MarkdownIt().enable("table").parse(text)]
    assert kinds.count("table_open") == 1
    assert kinds.count("html_block") == 2


@pytest.mark.parametrize(
    ("mean", "half", "expected"),
    [
        (0.31234, 0.0113, "0.312 [0.301, 0.324]"),
        (-0.10905, 0.0119, "-0.109 [-0.121, -0.097]"),
        (11.99, 0.52, "11.99 [11.47, 12.51]"),
        (123.4, 45.6, "123 [78, 169]"),
        (0.0, 0.0, "0"),
        (-1e-18, 0.0018, "0.0000 [-0.0018, 0.0018]"),
        (0.95833, 0.0, "0.958"),
        (0.95833, 1e-17, "0.958"),
        (2.34e-9, 2.1e-10, "2.3e-09 [2.1e-09, 2.6e-09]"),
        (0.5, math.nan, "0.5"),
        (math.nan, math.nan, "-"),
        (math.inf, math.nan, "inf"),
    ],
)
def test_an_estimate_has_the_digits_that_its_interval_supports(mean, half, expected):
    assert estimate(mean, mean - half, mean + half) == expected


def test_the_compact_form_has_the_same_digits():
    assert plus_minus(0.31234, 0.30104, 0.32364) == "0.312 ± 0.011"
    assert plus_minus(0.5, math.nan, math.nan) == "0.5"


def test_a_spread_of_equal_values_is_that_value():
    assert spread(3, 3, 3) == "3"
    assert spread(3.5, 3, 4) == "3.5 (3 to 4)"
    assert spread(math.nan, math.nan, math.nan) == "-"
    assert number(4.6566e-12) == "4.66e-12"


def test_sections_without_a_body_are_not_shown():
    text = join_sections("T", opening="Claim.", sections=[Section("A", ""), Section("B", "b\n")])
    assert text == "# T\n\nClaim.\n\n## B\n\nb\n"


def test_an_opening_with_its_own_title_stands_alone():
    assert join_sections("T", opening="# Mine\n\nx", sections=[]) == "# Mine\n\nx\n"
    assert join_sections("T", opening="", sections=[]) == "# T\n"


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0, "< 0.0001"), (0.00012, "0.00012"), (0.0437, "0.044"), (0.994, "0.99"), (0.999, "1")],
)
def test_a_p_value_is_never_zero(p, shown):
    assert p_value(p) == shown
