import numpy as np
import pandas as pd
import pytest

from finetune.report.sections.variance import variance_section
from finetune.stats.variance import TOGETHER, variance_table

METRICS = ("test_loss", "train_loss", "test_accuracy", "train_accuracy")


def runs_of(names: tuple[str, ...], *losses: np.ndarray) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"variant": name, "seed": range(len(values)), "status": "ok"}).assign(
            **{**dict.fromkeys(METRICS, 0.5), "test_loss": values}
        )
        for name, values in zip(names, losses, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def section_of(names: tuple[str, ...] = ("a", "b"), *, n: int = 20, **scales: float) -> str:
    """Give the section's body of sources whose spread in the first variant has these scales."""
    steps = np.arange(float(n))
    flat = [np.zeros(n)] * (len(names) - 1)
    sources = {name: runs_of(names, scale * steps, *flat) for name, scale in scales.items()}
    together = sources.pop(TOGETHER, runs_of(names, 2 * steps, *flat))
    return variance_section(variance_table(sources, together, variants=names)).body


def rows_of(body: str) -> list[list[str]]:
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_a_row_a_source_and_one_for_all_together():
    head, _, *rows = rows_of(section_of(init=1.0, order=0.1))
    assert head[:4] == ["What varies", "Seeds", "SD of the difference", "Share of its variance"]
    assert head[4:] == ["SD of a", "SD of b"]
    assert [row[0] for row in rows] == [
        *("initial weights", "order of the training rows", "all together"),
    ]
    # Steps 0 to 19 have the variance 35; times 0.76 and 1.46 the interval; a quarter of 2 * 2.
    assert rows[0][1:] == ["20", "5.9 [4.5, 8.6]", "25 %", "5.9 [4.5, 8.6]", "0"]
    assert rows[2][3] == "100 %"


def test_the_largest_source_is_named_with_its_spread():
    body = section_of(order=0.1, init=1.0)
    assert body.startswith(
        'The largest standard deviation of the difference in test loss ("a" minus "b"), 5.92, '
        "comes from varying the initial weights alone, beside 11.8 where all vary together. Its "
        "interval lies above those of the other sources."
    )
    assert "From 20 seeds it is known to about -24 to +46 %." in body


def test_two_of_about_the_same_spread_are_not_told_apart():
    body = section_of(order=0.9, init=1.0, split=0.1)
    assert "overlaps that of the order of the training rows, so the seeds do not settle" in body


def test_without_any_spread_no_source_is_named():
    body = section_of(order=0.0, init=0.0)
    assert body.startswith("No source by itself makes any spread in the difference in test loss")
    assert "known to about" not in body
    assert rows_of(body)[2][2:4] == ["0", "0 %"]


def test_one_seed_says_nothing():
    body = section_of(n=1, init=1.0, order=1.0)
    assert body.startswith("Too few seeds finished")
    assert rows_of(body)[2][1:] == ["1", "-", "-", "-", "-"]


def test_one_variant_stands_for_itself():
    body = section_of(("_alone|",), init=1.0, order=0.1)
    assert r'of the test loss of "\_alone\|", 5.92,' in body
    assert len(rows_of(body)[0]) == 3 + 1  # the name's own bar is escaped
    assert "Share of its" not in body


@pytest.mark.parametrize("words", ["need not add up to 100 %", "stays at one value"])
def test_what_the_shares_cannot_say_is_said(words):
    assert words in section_of(init=1.0, order=0.1)


def test_without_a_table_there_is_no_section():
    assert variance_section(pd.DataFrame()).body == ""
