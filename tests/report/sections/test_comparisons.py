from dataclasses import replace

import pytest

from finetune.report.markdown import estimate, p_value
from finetune.report.sections.comparisons import comparisons
from tests.made_study import VARIANTS, make_claim, make_study
from tests.report.made_report import context_of


def _body(analysis):
    return comparisons(context_of(analysis))


@pytest.fixture(scope="module")
def body(claimed_analysis):
    return _body(claimed_analysis)


def _row(body: str, start: str) -> list[str]:
    line = next(line for line in body.splitlines() if line.startswith(f"| {start} "))
    return [field.strip() for field in line.split("|")[2:-1]]


def test_test_loss_comes_first_and_the_raw_difference_before_dz(body):
    assert body.index("| Test loss: first - second") < body.index("| Training loss: first - second")
    heads = _row(body, "Test loss: first - second")
    assert heads == ["Difference", "dz", "p (Holm)", "Better in", "Equal (± 0.005)"]


def test_the_compact_table_holds_the_contrasts(claimed_analysis, body):
    row = claimed_analysis.contrasts.query("metric == 'test_loss'").iloc[0]
    fields = _row(body, "reduction - delayed")
    assert fields[0] == estimate(row["difference"], row["low"], row["high"])
    assert fields[1] == f"{row['dz']:.2f}"
    assert fields[2:] == [p_value(row["p_holm"]), "0 % [0, 31]", "not shown"]


def test_equal_pairs_are_counted_and_not_tested(body):
    fields = _row(body, "delayed - no callbacks")
    assert fields == ["0 (all 10 pairs equal)", "0.00", "1", "-", "yes"]


def test_ties_stand_apart_from_the_win_rate():
    made = make_claim()
    first = made.runs["seed"].isin([0, 1, 2])
    same = made.runs.loc[first & (made.runs["variant"] == "delayed"), "test_loss"].to_numpy()
    made.runs.loc[first & (made.runs["variant"] == "reduction"), "test_loss"] = same
    assert _row(_body(made.analysis()), "reduction - delayed")[3] == "0 % [0, 41], 3 tied"


def test_the_full_table_is_folded_and_has_every_metric(claimed_analysis, body):
    folded = body.split("<details>")[1].split("</details>")[0]
    rows = [line for line in folded.splitlines() if line.startswith("| T")]
    assert len(rows) == len(claimed_analysis.contrasts) == 16


def test_few_seeds_are_exploratory(body):
    assert body.startswith("**Exploratory.** All of this rests on fewer than 20 seeds")
    assert "reduction - delayed (exploratory)" in body
    assert "xploratory" not in _body(make_claim(seeds=20).analysis())
    some = make_claim(seeds=20, failed=(("early stopping", 0),)).analysis()
    assert "What is marked so rests on" in _body(some)
    assert "reduction - delayed (exploratory)" not in _body(some)


def test_tests_that_disagree_are_listed_and_only_those(claimed_analysis, body):
    assert "in all 16 comparisons" in body
    contrasts = claimed_analysis.contrasts.copy()
    contrasts.loc[1, ["p", "p_wilcoxon", "p_sign_flip"]] = [0.04, 0.0604, 0.03]
    text = _body(replace(claimed_analysis, contrasts=contrasts))
    assert "in 1 of 16 comparisons" in text
    assert "Training loss, early stopping - no callbacks: t test 0.04, Wilcoxon 0.06" in text


def test_ranks_are_those_of_the_rankings(claimed_analysis, body):
    ranking = claimed_analysis.rankings[1]
    assert ranking.metric == "test_loss"
    line = next(row for row in body.splitlines() if row.startswith("| reduction   "))
    assert [field.strip() for field in line.split("|")][3] == f"{ranking.average['reduction']:.2f}"
    assert f"test loss chi-squared {ranking.friedman:.3g}, p {p_value(ranking.p_friedman)}" in body
    assert "**Figure 4.** A picture, not the verdict" in body


def test_two_variants_have_no_ranks_and_one_has_no_section():
    two = _body(make_study(seeds=2, variants=VARIANTS[:2]).analysis())
    assert "early stopping - no callbacks" in two
    assert "Friedman" not in two
    assert _body(make_study(seeds=1, variants=VARIANTS[:1]).analysis()) == ""


def test_a_contrast_without_a_pair_shows_no_number():
    failed = (("reduction", 0), ("reduction", 1))
    body = _body(make_claim(seeds=2, failed=failed).analysis())
    assert "nan" not in body
    assert _row(body, r"reduction - delayed (exploratory)")[0] == "-"
