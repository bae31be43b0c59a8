import re
from dataclasses import replace

import pandas as pd
import pytest

from finetune.report.figures.budgets import budget_lines
from finetune.report.figures.registry import figure_names
from finetune.report.figures.style import VariantStyles
from finetune.report.markdown import plus_minus
from finetune.report.sections.budgets import budget_section
from finetune.spec.variants import CallbackSpec
from tests.made_study import ODD_NAMES, ODD_VARIANTS, VARIANTS, make_study

SPEC = make_study(seeds=1).spec


def _body(tables, spec=SPEC) -> str:
    return budget_section(tables, spec, figures=figure_names(tables)).body


def _rows(body: str, head: str) -> dict[str, list[str]]:
    """Give the cells of the table with that head, by the first cell of each row."""
    lines = body[body.index(f"| {head}") :].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: row[1:] for row in cells}


def test_the_losses_within_budgets_are_the_tables(tables):
    rows = _rows(_body(tables), "Test loss after at most")
    budgets = ["1 epoch", "2 epochs", "5 epochs", "10 epochs", "12 epochs"]
    assert rows["Test loss after at most"] == budgets
    for place, budget in enumerate((1, 2, 5, 10, 12)):
        keys = f"variant == 'reduction' and budget == {budget} and metric == 'test_loss'"
        row = tables.budgets.query(keys).iloc[0]
        expected = plus_minus(row["mean"], row["low"], row["high"])
        assert rows["reduction"][place].strip("*") == expected


def test_the_lowest_mean_of_a_budget_is_bold_and_ties_are_too(tables):
    rows = _rows(_body(tables), "Test loss after at most")
    bold = {name: [cell.startswith("**") for cell in cells] for name, cells in rows.items()}
    # Nothing has stopped or cut within 2 epochs; no callback makes these losses lower later.
    assert [bold[variant["name"]][1] for variant in VARIANTS] == [True] * 4
    assert [bold[variant["name"]][4] for variant in VARIANTS] == [True, False, False, False]


def test_costs_are_epochs_run_and_saved(tables):
    rows = _rows(_body(tables), "Variant")
    assert rows["Variant"][0] == "Epochs run (of 12)"
    assert rows["no callbacks"][:2] == ["12", "0 %"]
    # 6, 7, 8 and 6 epochs of 12.
    assert rows["early stopping"][:2] == ["6.75", "43.8 %"]


def test_who_never_reaches_the_target_is_told(tables):
    times = tables.time_to_target.copy()
    times.loc[3, ["misses", "q25", "median", "q75"]] = [2, 3, 7, pd.NA]
    body = _body(replace(tables, time_to_target=times.assign(target=0.3)))
    assert _rows(body, "Variant")["both"][2:] == ["7 (3 to never)", "2 of 4"]
    assert "a validation loss of 0.3," in body


def test_the_caption_says_that_nothing_is_estimated(tables):
    body = _body(tables)
    assert "no policy looks at the budget" in body
    assert "results, not estimates" in body
    assert re.search(r"\*\*Figure \d\.\*\* What a budget of epochs buys", body)


def test_callbacks_of_the_users_own_are_not_vouched_for(tables):
    own = CallbackSpec(callback="mine:Averaging")
    first = SPEC.variants[0].model_copy(update={"callbacks": (own,)})
    named = SPEC.model_copy(update={"variants": (first, *SPEC.variants[1:])})
    assert 'Mind the user\'s own callbacks** in "no callbacks":' in _body(tables, named)
    assert "Mind" not in _body(tables)


def test_odd_names_stay_in_their_cells():
    body = _body(make_study(seeds=2, variants=ODD_VARIANTS).tables())
    assert r"\_hidden" in body
    assert r"\|&lt;&amp;&gt;\`" in body
    assert ODD_NAMES[3] not in body


def test_a_variant_without_a_finished_run_has_dashes():
    made = make_study(seeds=2, failed=(("both", 0), ("both", 1)))
    body = _body(made.tables())
    assert _rows(body, "Test loss after at most")["both"] == ["-"] * 5
    assert _rows(body, "Variant")["both"] == ["-", "-", "-", "0 of 0"]


def test_without_any_finished_run_there_is_no_section():
    everything = tuple((variant["name"], 0) for variant in VARIANTS)
    assert _body(make_study(seeds=1, failed=everything).tables()) == ""


def test_the_figure_draws_the_means_against_the_epochs_run(tables):
    axes = budget_lines(tables).axes[0]
    colour = VariantStyles(tables.variants).colours["early stopping"]
    line = next(line for line in axes.lines if line.get_color() == colour)
    assert list(line.get_xdata()) == [1, 2, 5, 6.75, 6.75]
    means = tables.budgets.query("variant == 'early stopping' and metric == 'test_loss'")["mean"]
    assert list(line.get_ydata()) == list(means)
    assert axes.get_xscale() == "log"


@pytest.mark.parametrize(
    "made",
    [
        make_study(seeds=1, failed=(("reduction", 0),)),
        make_study(seeds=2, variants=[{"name": f"v{i}"} for i in range(9)], accuracy=False),
    ],
    ids=["one seed", "nine variants"],
)
def test_the_figure_draws_unusual_studies(made):
    budget_lines(made.tables()).draw_without_rendering()
