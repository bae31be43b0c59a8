"""A report as a notebook shows it, from the files of its folder alone."""

import re

import numpy as np
import pandas as pd
import pytest

from finetune.report.notebook import notebook_html


def shown(folder, *, variants=("plain", "stops"), low=0.1, verdicts=()) -> str:
    """Write a summary in which every mean is 0.25, and return what a notebook shows of it."""
    rows = [
        {"variant": name, "metric": metric, "mean": 0.25, "low": low, "high": 0.4}
        for name in variants
        for metric in ("test_loss", "train_loss", "median_of_something")
    ]
    table = pd.DataFrame(rows)
    table.loc[table["low"].isna(), "high"] = np.nan
    (folder / "tables").mkdir()
    table.to_csv(folder / "tables" / "summary.csv", index=False)
    return notebook_html(folder, title="a < b", verdicts=verdicts)


def fields(text: str) -> list[str]:
    return re.findall("<t[hd]>(.*?)</t[hd]>", text)


def test_a_row_is_a_variant_and_a_column_a_metric(tmp_path):
    text = shown(tmp_path, verdicts=["it & that"])
    assert "<h3>a &lt; b</h3>\n<p><b>it &amp; that</b></p>" in text
    estimate = "0.25 [0.1, 0.4]"
    assert fields(text) == [
        "",
        "train_loss",
        "test_loss",
        "plain",
        estimate,
        estimate,
        "stops",
        estimate,
        estimate,
    ]


@pytest.mark.parametrize("name", ["None", "NA", "null", "nan", "n/a"])
def test_a_variant_may_have_a_name_that_means_missing_elsewhere(tmp_path, name):
    assert fields(shown(tmp_path, variants=("plain", name)))[6] == name


def test_one_seed_has_no_interval(tmp_path):
    text = shown(tmp_path, low=np.nan)
    assert "nan" not in text
    assert fields(text)[4:6] == ["0.25", "0.25"]


def test_the_figures_that_there_are_stand_in_the_text(tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("claim", "ranks"):
        (tmp_path / "figures" / f"{name}.png").write_bytes(b"png")
    text = shown(tmp_path)
    assert re.findall('<img alt="(.*?)"', text) == ["claim"]
    assert "data:image/png;base64,cG5n" in text
