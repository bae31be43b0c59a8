"""What budgets of epochs buy and cost, as tables; their numbers are tested with the analysis."""

from dataclasses import replace

import pandas as pd

from finetune.report.markdown import plus_minus
from finetune.report.sections.budgets import budgets
from finetune.spec.variants import CallbackSpec
from tests.made_study import ODD_NAMES, ODD_VARIANTS, VARIANTS, make_study
from tests.report.made_report import context_of, rows_of


def body_of(analysis) -> str:
    return budgets(context_of(analysis))


def test_the_losses_within_budgets_are_the_tables(analysis):
    rows = rows_of(body_of(analysis), "Test loss after at most")
    ends = ["1 epoch", "2 epochs", "5 epochs", "10 epochs", "12 epochs"]
    assert rows["Test loss after at most"] == ends
    losses = analysis.loss_by_budget.query("variant == 'reduction'").to_dict("records")
    for shown, row in zip(rows["reduction"], losses, strict=True):
        estimate = plus_minus(row["mean"], row["low"], row["high"])
        assert shown == (f"**{estimate}**" if row["lowest"] else estimate)


def test_costs_are_epochs_run_and_saved(analysis):
    rows = rows_of(body_of(analysis), "Variant")
    assert rows["Variant"][0] == "Epochs run (of 12)"
    assert rows["no callbacks"][:2] == ["12", "0 %"]
    assert rows["early stopping"][:2] == ["6.75", "43.8 %"]


def test_runs_that_never_reach_the_target_are_counted(analysis):
    times = analysis.time_to_target.copy()
    times.loc[3, ["misses", "q25", "median", "q75"]] = [2, 3, 7, pd.NA]
    body = body_of(replace(analysis, time_to_target=times.assign(target=0.3)))
    assert rows_of(body, "Variant")["both"][2:] == ["7 (3 to never)", "2 of 4"]
    assert "a validation loss of 0.3," in body


def test_callbacks_of_the_user_are_not_vouched_for(analysis):
    callback = CallbackSpec(callback="mine:Averaging")
    first = analysis.spec.variants[0].model_copy(update={"callbacks": (callback,)})
    variants = (first, *analysis.spec.variants[1:])
    named = replace(analysis, spec=analysis.spec.model_copy(update={"variants": variants}))
    assert 'callbacks** in "no callbacks":' in body_of(named)
    assert "Mind" not in body_of(analysis)


def test_odd_names_stay_in_their_fields():
    body = body_of(make_study(seeds=2, variants=ODD_VARIANTS).analysis())
    assert r"\_hidden" in body
    assert r"\|&lt;&amp;&gt;\`" in body
    assert ODD_NAMES[3] not in body


def test_a_variant_without_a_finished_run_has_dashes():
    made = make_study(seeds=2, failed=(("both", 0), ("both", 1)))
    body = body_of(made.analysis())
    assert rows_of(body, "Test loss after at most")["both"] == ["-"] * 5
    assert rows_of(body, "Variant")["both"] == ["-", "-", "-", "0 of 0"]


def test_without_any_finished_run_there_is_no_section():
    everything = tuple((variant["name"], 0) for variant in VARIANTS)
    assert body_of(make_study(seeds=1, failed=everything).analysis()) == ""
