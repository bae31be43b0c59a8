"""False decisions are counted as claims are judged; boundaries are those of published tables."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import brentq

from benchmarks.validity.cases import ALPHA, CASES, fit_case, metric_case, p_values
from benchmarks.validity.drawn import Drawn
from benchmarks.validity.many_looks import decided_by, judge_at, stopping_rows
from benchmarks.validity.mean_tests import OURS, TESTS, student
from benchmarks.validity.measured import BESIDE, DECIDING, measured_sources
from benchmarks.validity.measurements import Extent, measure
from benchmarks.validity.one_look import student_power
from benchmarks.validity.plans import CHOSEN, RANGE, SIZES, spendings
from benchmarks.validity.report import write_report
from benchmarks.validity.sources import MADE_UP, NORMAL, Outliers
from benchmarks.validity.spending import crossing_chances, nominal_levels, spending_boundaries
from benchmarks.validity.summary import decisions, worst
from finetune.claims import fit_outcome, metric_comparison
from finetune.claims.better import Better
from finetune.claims.equivalent import Equivalent
from finetune.claims.not_worse import NotWorse
from finetune.stats.looks import DrawnStudies, stop
from finetune.stats.t_test import Sample

# Constants of tests with equally spaced looks, two-sided at 0.05.
# Source: Jennison and Turnbull (2000), tables 2.1 (Pocock) and 2.3 (O'Brien and Fleming).
POCOCK = {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 10: 2.555}
OBRIEN_FLEMING = {1: 1.960, 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 10: 2.087}


def constant(looks: int, *, power: float) -> float:
    """Find c for boundaries of c times the information to this power."""
    share = np.arange(1, looks + 1) / looks

    def missing(c: float) -> float:
        return crossing_chances(c * share**power, share, both=True).sum() - 0.05

    return brentq(missing, 1.0, 4.0, xtol=1e-9)  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("looks", POCOCK)
def test_constants_of_published_tables_are_reached_to_their_digits(looks: int):
    assert round(constant(looks, power=0.0), 3) == POCOCK[looks]
    assert round(constant(looks, power=-0.5), 3) == pytest.approx(OBRIEN_FLEMING[looks], abs=1e-9)


@pytest.mark.parametrize(
    ("spend", "published"),
    [
        (
            lambda share: 0.05 * np.log(1 + (np.e - 1) * share),
            [2.438, 2.427, 2.410, 2.397, 2.386],
        ),
        (
            lambda share: 4 * stats.norm.sf(stats.norm.isf(0.0125) / np.sqrt(share)),
            [4.877, 3.357, 2.680, 2.290, 2.031],
        ),
    ],
    ids=["like Pocock", "like O'Brien and Fleming"],
)
def test_boundaries_of_published_spendings(spend, published: Sequence[float]):
    """Two-sided at 0.05, five looks: Lan and DeMets (1983), Reboussin et al. (2000).

    The spending that is like O'Brien and Fleming's is theirs of each side at 0.025, doubled.
    """
    found = spending_boundaries(spend, [0.2, 0.4, 0.6, 0.8, 1.0], both=True)
    np.testing.assert_allclose(found, published, atol=6e-4)


def test_what_is_spent_by_each_look_is_what_crosses():
    information = [0.1, 0.35, 1.0]
    boundaries = spending_boundaries(lambda share: 0.05 * share, information)
    chances = crossing_chances(boundaries, information)
    np.testing.assert_allclose(chances.cumsum(), 0.05 * np.array(information), atol=1e-9)
    # The first look has nothing before it; later levels exceed what they spend.
    levels = nominal_levels(boundaries)
    assert levels[0] == pytest.approx(0.005)
    assert (levels[1:] > chances[1:]).all()


def test_exact_levels_are_looser_than_bonferronis():
    tried = spendings()
    exact = tried["with the seeds, exact for normal means (Lan and DeMets)"]
    bonferroni = tried["with the seeds (Bonferroni)"]
    assert tried[CHOSEN] == RANGE.looks
    assert exact[0].share == pytest.approx(bonferroni[0].share)
    assert all(
        one.share > other.share for one, other in zip(exact[1:], bonferroni[1:], strict=True)
    )
    for name, looks in tried.items():
        if looks is not exact:
            assert sum(look.share for look in looks) == pytest.approx(1), name


def test_p_values_of_our_test_are_those_of_comparisons():
    worsening = np.random.default_rng(0).exponential(size=(30, 50)) - 0.7
    found = p_values(Sample.of(worsening), margin=0.2, test=TESTS[OURS])
    for name, p in metric_comparison.p_values(worsening, margin=0.2).items():
        np.testing.assert_array_equal(found[name], p)


@pytest.mark.parametrize(("ours", "theirs"), [("larger", "greater"), ("smaller", "less")])
def test_students_test_is_scipys(ours, theirs):
    values = np.random.default_rng(1).normal(size=(12, 20))
    found = student(Sample.of(values), 0.3, alternative=ours)
    for p, column in zip(found, values.T, strict=True):
        _, expected = stats.ttest_1samp(column, 0.3, alternative=theirs)
        assert p == pytest.approx(expected, rel=1e-9)
    flat = Sample.of(np.full((5, 1), 0.4))
    assert student(flat, 0.3, alternative=ours) == (0.0 if ours == "larger" else 1.0)


@pytest.mark.parametrize("metrics", [1, 2])
def test_the_claim_to_underfit_is_judged_as_studies_judge_it(metrics: int):
    rng = np.random.default_rng(2)
    train, test = rng.normal(0.3, 1, (2, 20, 4000))
    if metrics == 1:
        test = test + 100
    for sign in (1, -1):
        drawn = (sign * train, sign * test if metrics == 2 else test)
        samples = [Sample.of(one) for one in drawn[:metrics]]
        yes, no = (p < ALPHA for p in fit_case(metrics).judge(samples, TESTS[OURS]))
        both = {"margins": (0.0, 0.0), "alpha": ALPHA}
        np.testing.assert_array_equal(yes, fit_outcome.supported(*drawn, **both))
        np.testing.assert_array_equal(no, fit_outcome.refuted(*drawn, **both))
        assert yes.any() or no.any()


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        (metric_case(Better()), (False, True)),
        (metric_case(NotWorse()), (False, True)),
        (metric_case(NotWorse(), end=-1), (False, True)),
        (metric_case(Equivalent()), (False, True)),
        (metric_case(Equivalent(), end=-1), (True, False)),
    ],
)
def test_a_mean_above_the_end_at_which_a_case_places_it_decides(case, answer):
    sample = Sample.of(np.random.default_rng(3).normal(3.0, 1.0, size=(20, 5)))
    yes, no = (p < ALPHA for p in case.judge([sample], TESTS[OURS]))
    assert (yes.all(), no.all()) == answer
    assert (yes.any(), no.any()) == answer


@pytest.mark.parametrize("source", MADE_UP, ids=lambda source: source.name)
def test_made_up_differences_have_a_mean_of_0_and_a_standard_deviation_of_1(source):
    for drawn in source.draw(np.random.default_rng(4), (300, 3000)):
        assert abs(drawn.mean()) < 0.01
        assert drawn.std() == pytest.approx(1, abs=0.03)
        tied = source.family in ("tied", "mostly equal")
        assert (len(np.unique(drawn)) < 30) == tied


def test_studies_are_decided_once():
    # Supported at the second look; refuted at the first; never; and refuted after it was supported.
    p_supported = np.array([[0.9, 0.9, 0.9, 0.01], [0.01, 0.01, 0.9, 0.9]])
    p_refuted = np.array([[0.9, 0.01, 0.9, 0.9], [0.9, 0.9, 0.9, 0.01]])
    supported, refuted = decided_by(p_supported, p_refuted, shares=[1.0, 1.0])
    assert (list(supported), list(refuted)) == ([0.25, 0.5], [0.25, 0.25])
    supported, refuted = decided_by(p_supported, p_refuted, shares=[0.1, 0.9])
    assert (list(supported), list(refuted)) == ([0.0, 0.5], [0.0, 0.25])


@pytest.mark.parametrize("place", [0, 8])
def test_studies_end_as_the_looks_of_the_library_end_them(place: int):
    source = MADE_UP[place]
    differences, _ = source.draw(np.random.default_rng(5), (SIZES[-1], 2000))
    drawn = Drawn.of(source, SIZES, studies=2000, rng=np.random.default_rng(5))
    ended = stop(DrawnStudies.of(differences, RANGE.looks), alphas=(ALPHA, ALPHA))
    shares = [look.share for look in RANGE.looks]
    supported, refuted = decided_by(*judge_at(drawn, CASES[1], SIZES), shares=shares)
    assert supported[-1] == pytest.approx(ended.below.mean())
    assert refuted[-1] == pytest.approx(ended.above.mean())
    shifted = next(iter(stopping_rows(drawn, [0.3])))
    there = stop(DrawnStudies.of(differences, RANGE.looks), alphas=(ALPHA, ALPHA), shift=0.3)
    assert shifted["seeds"] == pytest.approx(there.seeds.mean())
    assert shifted["power"] == pytest.approx(there.above.mean())


def test_students_power_is_what_is_counted():
    drawn = np.random.default_rng(6).normal(0.5, 1, size=(20, 40_000))
    counted = np.mean(student(Sample.of(drawn), 0.0, alternative="larger") < ALPHA)
    assert student_power(20, 0.5) == pytest.approx(counted, abs=0.01)


def test_rare_outliers_are_far_and_few():
    values = np.random.default_rng(7).uniform(-1, 1, size=40)
    assert not Outliers.of(values).rare
    values[3] = 20
    found = Outliers.of(values)
    assert found.rare and found.share == 1 / 40
    assert found.farthest == pytest.approx((20 - values.mean()) / values.std())
    values = np.zeros(100)
    values[:6] = 1  # 3.9 standard deviations from the mean, but no longer rare
    assert not Outliers.of(values).rare
    assert not Outliers().rare


def write_study(folder: Path, name: str, claims: Sequence[dict]) -> None:
    """Write what is read of a study: its verdicts, and 40 pairs of each claim."""
    rng = np.random.default_rng(8)
    rows = [
        {"claim": claim["name"], "comparison": comparison, "seed": seed,
         "train_loss": rng.uniform() ** 2, "test_loss": rng.normal(), "train_accuracy": 0.5,
         "test_accuracy": rng.integers(3) / 100}
        for claim in claims
        for comparison in ("treatment minus control", "control minus replicate")
        for seed in range(40)
    ]  # fmt: skip
    (folder / name / "tables").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / name / "tables" / "pairs.csv", index=False)
    (folder / name / "verdict.json").write_text(json.dumps({"claims": list(claims)}))


@pytest.fixture
def reports(tmp_path) -> Path:
    fit = {"train": {"metric": "train_loss"}, "test": {"metric": "test_loss"}}
    underfits = {"name": "it | underfits", "kind": "underfits", "primary": fit}
    compared = {"metric": "test_accuracy", "margin": 0.01, "worsening": {"sd": 0.02, "mean": -1}}
    equal = {"name": "as good", "kind": "equivalent", "comparison": compared}
    claims = [underfits | {"verdict": "refuted"}, equal | {"verdict": "supported"}]
    write_study(tmp_path, "first", claims)
    write_study(tmp_path, "again", claims)
    write_study(tmp_path, "neither", [underfits | {"verdict": "not tested"}])
    return tmp_path


def test_measured_differences_are_centred_and_judged_by_their_claim(reports):
    sources = measured_sources(reports)
    # What the second study has too, and what never differs, is left out.
    assert [(source.name.partition(", ")[2], source.family) for source in sources] == [
        ("train loss and test loss", DECIDING),
        ("train loss", DECIDING),
        ("test loss", DECIDING),
        ("test accuracy", BESIDE),
        ("test accuracy", DECIDING),
        ("train loss", BESIDE),
        ("test loss", BESIDE),
    ]
    assert {case.metrics for case in sources[0].cases} == {2}
    assert {case.name for source in sources[4:] for case in source.cases} == {"equivalent"}
    for source in sources:
        drawn = source.draw(np.random.default_rng(9), (500, 200))
        assert len(drawn) == source.cases[0].metrics
        for one in drawn:
            assert abs(one.mean()) < 0.02
            assert one.std() == pytest.approx(1, abs=0.02)


def test_metrics_of_a_pair_are_drawn_together(reports):
    table = pd.read_csv(reports / "first" / "tables" / "pairs.csv")
    rows = table[
        (table["claim"] == "it | underfits") & (table["comparison"] == "treatment minus control")
    ]
    measured = np.corrcoef(rows["train_loss"], rows["test_loss"])[0, 1]
    train, test = measured_sources(reports)[0].draw(np.random.default_rng(10), (40, 5000))
    assert np.corrcoef(train.ravel(), test.ravel())[0, 1] == pytest.approx(measured, abs=0.02)


def test_the_worst_row_of_each_group_is_found_with_its_error():
    table = pd.DataFrame(
        {"family": ["b", "b", "a"], "studies": 100, "supported": [0.1, 0.0, 0.2],
         "refuted": [0.0, 0.5, 0.0]}
    )  # fmt: skip
    found = worst(decisions(table), ["family"])
    assert list(found) == [("b",), ("a",)]
    assert [row["rate"] for row in found.values()] == [0.5, 0.2]
    assert [row["decision"] for row in found.values()] == ["refuted", "supported"]
    assert [row["error"] for row in found.values()] == pytest.approx([0.05, 0.04])


def test_the_report_of_a_few_studies_tells_all(reports):
    extent = Extent(studies=30, reports=reports)
    measured = measure(extent, lambda _: None)
    student_rows = measured.one_look[measured.one_look["differences"] == NORMAL.name]
    assert set(student_rows["test"]) == set(TESTS)
    text = write_report(reports / "validity", measured, extent).read_text()
    assert text.startswith("# Validity\n\n**Over all looks of seeds = { from = 20, to = 300 } ")
    assert "it \\| underfits" in text
    assert "## What rare outliers do\n\nNo study has measured any." in text
    written = pd.read_csv(reports / "validity" / "tables" / "looks.csv")
    assert len(written) == len(measured.looks)
    assert (reports / "validity" / "figures" / "looks.svg").stat().st_size > 1000
