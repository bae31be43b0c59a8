from dataclasses import replace

import pytest

from finetune.claims.fit_table import FIT_TABLE
from finetune.report.sections.opening import opening
from finetune.report.sections.verdict import verdict_section
from tests.made_study import SAME, UNDERFIT, VARIANTS, make_claim, make_study


def _opening(made, figures=()):
    return opening(made.tables(), made.spec, figures=figures)


def _method(made):
    """Render the section, which reads no table but the verdict: the others may be of any study."""
    return verdict_section(replace(_ANY, verdict=made.verdict()), made.spec).body


_ANY = make_study(seeds=1, variants=VARIANTS[:1]).tables()


def _rows(body: str, head: str) -> dict[str, list[str]]:
    """Give the cells of the table whose first head is given, by the first cell of each row."""
    lines = body[body.index(f"| {head} ") :].partition("\n\n")[0].split("\n")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: row[1:] for row in [cells[0], *cells[2:]]}


@pytest.fixture(scope="module")
def method(claimed, claimed_tables):
    return verdict_section(claimed_tables, claimed.spec).body


def test_the_first_screen_is_verdict_figure_table_and_no_more(claimed, claimed_tables):
    text = opening(claimed_tables, claimed.spec, figures=["claim"])
    starts = [part[:9] for part in text.split("\n\n")]
    assert starts == ["**Support", "![Differe", "**Figure ", "| Variant", "Mean over"]
    assert text.startswith('**Supported: "reduction" underfits compared with "delayed": over 10')
    assert len(text.replace(" ", "")) < 2000


def test_the_table_of_variants_holds_the_means(claimed, claimed_tables):
    rows = _rows(opening(claimed_tables, claimed.spec, figures=[]), "Variant")
    assert rows["Variant"] == ["Training loss", "Test loss", "Test accuracy", "Epochs run (of 12)"]
    runs = claimed.runs.query("variant == 'reduction'")
    assert rows["reduction"][1].split(" ± ")[0] == f"{runs['test_loss'].mean():.3f}"
    assert rows["early stopping"][3] == "6.9"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (make_claim(UNDERFIT | {"test_accuracy": 0.02}), "Loss and accuracy disagree"),
        (make_claim(noise=0.1), "the margins are finer than the noise"),
    ],
    ids=["accuracy", "noise"],
)
def test_what_speaks_against_the_verdict_stands_right_below_it(made, said):
    assert said in _opening(made).split("\n\n")[1]


def test_without_a_claim_the_variants_stand_alone(study, tables):
    assert opening(tables, study.spec, figures=[]).startswith("| Variant ")
    assert verdict_section(tables, study.spec).body == ""


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
    claim = {"treatment": "a*b*|<i>", "control": "_c_"}
    made = make_study(seeds=2, variants=variants, claim=claim)
    assert "<i>" not in _opening(made) + _method(made)
    assert r'"a\*b\*\|&lt;i&gt;"' in _opening(made)


def test_the_rule_and_what_decided_are_told(claimed_tables, method):
    assert "set before anything ran:** With" not in method
    assert "supported if the one-sided 0.95 lower bounds" in method
    reason = claimed_tables.verdict.reason.replace("_", r"\_")
    assert f"**What decided:** {reason}." in method


def test_both_tables_name_nine_cells_and_mark_one(method):
    for kind in ("loss", "accuracy"):
        rows = _rows(method, f"By {kind}")
        named = [cell for head, row in rows.items() if head != f"By {kind}" for cell in row]
        assert rows["**training worse**"][0] == "**&#10148; underfit**"
        assert sum("**" in cell for cell in named) == 1
        assert {cell.strip("*").removeprefix("&#10148; ") for cell in named} == set(
            FIT_TABLE.values()
        )


def test_an_undetermined_outcome_is_shown_as_such():
    body = _method(make_claim(UNDERFIT | {"test_loss": 0.005}, spread=0.002))
    rows = _rows(body, "By loss")
    assert rows["**training worse**"][:2] == ["**? underfit**", "**? slower fit, harmless**"]
    assert "By loss the outcome is undetermined: the data leave 2 of the nine cells" in body
    assert "By accuracy the outcome is undetermined" not in body


def test_both_intervals_of_every_metric_are_given(claimed_tables, method):
    rows = _rows(method, "Treatment minus control")
    heads = rows["Treatment minus control"]
    assert heads == ["Margin", "Mean", "90 % interval", "95 % interval", "dz", "It is"]
    sides = [
        *(claimed_tables.verdict.primary.train, claimed_tables.verdict.primary.test),
        *(claimed_tables.verdict.secondary.train, claimed_tables.verdict.secondary.test),
    ]
    assert len(rows) == 1 + len(sides)
    for side, row in zip(sides, list(rows.values())[1:], strict=True):
        found = side.difference
        assert row[0] == f"± {side.margin:g}"
        assert row[2] == f"{found.lower:.3g} to {found.upper:.3g}"
        assert row[3] == f"{found.low:.3g} to {found.high:.3g}"
        assert row[5] == side.call


def test_the_same_again_check_is_shown_with_its_numbers(claimed, claimed_tables, method):
    assert "It passes: by loss the outcome is" in method
    rows = _rows(method, "Control again minus control")
    mean = claimed_tables.verdict.same_again.primary.test.difference.mean
    assert rows["Test loss"][1] == f"{mean:.3g}"
    assert rows["Test loss"][5] == "equal"
    assert "It does not pass" in _method(make_claim(SAME, noise=0.1))
    assert "A/A" not in _method(replace(claimed, replicate=None))


def test_cuts_seeds_power_and_scope_are_told(method):
    assert "before the delay of 8 epochs ended in 10 of 10 paired seeds" in method
    assert "- No seed was left out." in method
    assert "With 80 % power, 10 seeds support the claim" in method
    assert "seeds are enough to settle it" in method
    assert "the split and the data set stayed as they were" in method


def test_seeds_left_out_are_named():
    body = _method(make_claim(failed=(("reduction", 3), ("delayed", 7))))
    assert "Left out with their pairs: seed 3 (reduction: failed), 7 (delayed: failed)." in body


def test_one_pair_has_no_intervals():
    rows = _rows(_method(make_claim(seeds=1)), "Treatment minus control")
    assert rows["Training loss"][2:4] == ["-", "-"]
