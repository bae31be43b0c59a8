from dataclasses import replace

import pytest

from finetune.claims.fit_table import FIT_TABLE
from finetune.report.sections.opening import opening
from finetune.report.sections.verdict import verdicts
from tests.made_study import SAME, UNDERFIT, VARIANTS, make_claim, make_study
from tests.report.made_report import context_of, rows_of


def _opening(made):
    return opening(context_of(made.analysis(), figures=False))


def _method(made):
    """Render the section, which reads no table but the verdict: the others may be of any study."""
    return verdicts(context_of(replace(_ANY, verdicts=(made.verdict(),)), figures=False))


_ANY = make_study(seeds=1, variants=VARIANTS[:1]).analysis()


@pytest.fixture(scope="module")
def method(claimed_analysis):
    return verdicts(context_of(claimed_analysis))


def test_the_first_screen_is_verdict_figure_table_and_no_more(claimed_analysis):
    text = opening(context_of(claimed_analysis))
    starts = [block[:9] for block in text.split("\n\n")]
    assert starts == [
        *["**Support"] * 2,
        *["![Differe", "**Figure ", "![For eac", "**Figure "],
        *["| Variant", "Mean over"],
        *["**What to", "- More se"],
    ]
    assert len(text.replace(" ", "")) < 2600
    # What is read in two minutes.
    assert len(text.split()) < 900


def test_the_table_of_variants_holds_the_means(claimed, claimed_analysis):
    rows = rows_of(opening(context_of(claimed_analysis)), "Variant")
    assert rows["Variant"] == ["Training loss", "Test loss", "Test accuracy", "Epochs run (of 12)"]
    runs = claimed.runs.query("variant == 'reduction'")
    assert rows["reduction"][1].split(" ± ")[0] == f"{runs['test_loss'].mean():.3f}"
    assert rows["early stopping"][3] == "6.9"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (make_claim(UNDERFIT | {"test_accuracy": 0.02}), "Loss and accuracy disagree"),
        (make_claim(noise=0.1), "the margins are finer than the noise"),
    ],
    ids=["accuracy", "noise"],
)
def test_what_speaks_against_the_verdict_stands_before_the_figures(made, words):
    against = _opening(made).split("**But:**")[1].split("![")[0]
    assert words in against


def test_without_a_claim_the_variants_stand_alone(analysis):
    assert opening(context_of(analysis)).startswith("| Variant ")
    assert verdicts(context_of(analysis)) == ""


def test_failed_runs_and_missing_accuracies_are_seen_at_once():
    text = _opening(make_claim(seeds=3, failed=(("reduction", 1),), accuracy=False))
    assert "**1 of 12 runs failed.**" in text
    assert "accuracy" not in text.lower()


def test_one_seed_claims_nothing():
    text = _opening(make_study(seeds=1, variants=VARIANTS[:2]))
    assert "no evidence of a difference" in text
    assert "nan" not in text.lower()
    assert "±" not in text


def test_names_cannot_break_out_of_the_verdict():
    variants = [
        {"name": "a*b*|<i>", "reduce_lr": {}},
        {"name": "_c_", "reduce_lr": {"start_from_epoch": 2}},
    ]
    claim = {"kind": "underfits", "treatment": "a*b*|<i>", "control": "_c_"}
    made = make_study(seeds=2, variants=variants, claims=[claim])
    assert "<i>" not in _opening(made) + _method(made)
    assert r'"a\*b\*\|&lt;i&gt;"' in _opening(made)


def test_both_tables_name_nine_outcomes_and_mark_one(method):
    for kind in ("loss", "accuracy"):
        rows = rows_of(method, f"By {kind}")
        named = [name for head, row in rows.items() if head != f"By {kind}" for name in row]
        assert rows["**training worse**"][0] == "**&#10148; underfit**"
        assert sum("**" in name for name in named) == 1
        assert {name.strip("*").removeprefix("&#10148; ") for name in named} == set(
            FIT_TABLE.values()
        )


def test_an_undetermined_outcome_is_shown_as_such():
    body = _method(make_claim(UNDERFIT | {"test_loss": 0.005}, spread=0.002))
    rows = rows_of(body, "By loss")
    assert rows["**training worse**"][:2] == ["**? underfit**", "**? slower fit, harmless**"]
    assert "By loss the outcome is undetermined: the data leave 2 of the nine outcomes" in body
    assert "By accuracy the outcome is undetermined" not in body


def test_both_intervals_of_every_metric_are_given(claimed_analysis, method):
    rows = rows_of(method, "Treatment minus control")
    heads = rows["Treatment minus control"]
    assert heads == ["Margin", "Mean", "90 % interval", "95 % interval", "dz", "It is"]
    sides = [
        *(claimed_analysis.verdict.primary.train, claimed_analysis.verdict.primary.test),
        *(claimed_analysis.verdict.secondary.train, claimed_analysis.verdict.secondary.test),
    ]
    assert len(rows) == 1 + len(sides)
    for side, row in zip(sides, list(rows.values())[1:], strict=True):
        found = side.difference
        assert row[0] == f"± {side.margin:g}"
        assert row[2] == f"{found.lower:.3g} to {found.upper:.3g}"
        assert row[3] == f"{found.low:.3g} to {found.high:.3g}"
        assert row[5] == side.call


def test_the_same_again_check_is_shown_with_its_numbers(claimed, claimed_analysis, method):
    assert "It passes: by loss the outcome is" in method
    rows = rows_of(method, "Control again minus control")
    mean = claimed_analysis.verdict.same_again.primary.test.difference.mean
    assert rows["Test loss"][1] == f"{mean:.3g}"
    assert rows["Test loss"][5] == "equal"
    assert "It does not pass" in _method(make_claim(SAME, noise=0.1))
    assert "A/A" not in _method(replace(claimed, replicate=None))


def test_seeds_left_out_are_named():
    body = _method(make_claim(failed=(("reduction", 3), ("delayed", 7))))
    assert "Left out with their pairs: seed 3 (reduction: failed), 7 (delayed: failed)." in body


def test_one_pair_has_no_intervals():
    rows = rows_of(_method(make_claim(seeds=1)), "Treatment minus control")
    assert rows["Training loss"][2:4] == ["-", "-"]
