from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from finetune.analysis.tuned import Tuned
from finetune.report.markdown import join_sections, p_value
from finetune.report.sections.comparisons import comparison_section
from finetune.report.sections.tuned import edge, tuned_section
from finetune.spec.claims import Margins
from finetune.stats.comparison import compare

START, DELAYED = "tuned reduction", "tuned delay"
OWN = {START: "reduction", DELAYED: "delay"}
RANGES = {"factor": (0.05, 0.95), "patience": (1, 15), "start_from_epoch": (1, 40)}
MARGINS = Margins(train_loss=0.01, test_loss=0.005, train_accuracy=0.01, test_accuracy=0.005)


def estimate_of(mean: float) -> dict[str, float]:
    return {"n": 30, "mean": mean, "low": mean - 0.006, "high": mean + 0.006}


def make_arm(name: str, **changed: Any) -> dict[str, Any]:
    arm: dict[str, Any] = {"name": name, "untuned": OWN.get(name), "trials": 64, "failed": 0}
    arm |= {"winner": 41, "setting": {"factor": 0.3123, "patience": 4.0}, "searched": 0.2512}
    arm |= {"fresh": estimate_of(0.2641), "untuned_fresh": estimate_of(0.2755)}
    return arm | changed


def make_contrasts(arms: tuple[str, str] = (START, DELAYED)) -> list[Any]:
    """Compare two arms of 30 seeds: the first is better on the test set, and alike in training."""
    lift = [0.0002 * (seed % 5) for seed in range(30)]
    runs = pd.DataFrame(
        {"variant": arm, "seed": seed, "status": "ok", "train_loss": 0.02 + place * lift[seed]}
        | {"test_loss": 0.1 + place * (0.01 + lift[seed]), "val_loss": 0.25}
        | dict.fromkeys(("train_accuracy", "val_accuracy", "test_accuracy"), 0.9 + place * 0.01)
        for place, arm in enumerate(arms)
        for seed in range(30)
    )
    return compare(runs, [arms], margins=MARGINS, alpha=0.05, seed=1).to_dict("records")


def make_importances(arms: tuple[str, str] = (START, DELAYED)) -> list[dict[str, Any]]:
    shares = [("patience", 0.3812), ("factor", 0.6188)]
    return [{"arm": arm, "parameter": name, "importance": x} for arm in arms for name, x in shares]


def make_baseline(searched: list[float], fresh: list[float]) -> list[dict[str, Any]]:
    found = enumerate(zip(searched, fresh, strict=True))
    return [
        {"arm": arm, "sampler": "random", "repeat": repeat, "searched": a, "fresh": b}
        for repeat, (a, b) in found
        for arm in (START, DELAYED)
    ]


def make_tuned(**changed: Any) -> Tuned:
    delay = {"factor": 0.2, "patience": 3.0, "start_from_epoch": 8.0}
    data: dict[str, Any] = {
        "study": "cccc",
        "problem": "aaaa",
        "search": "bbbb",
        "objective": "final_val_loss",
    }
    data |= {"sampler": "TPE, multivariate", "ranges": RANGES, "trials": 64, "seeds": 20}
    data |= {"epochs": 100, "batch": 8, "confirmation_seeds": 30, "contrasts": make_contrasts()}
    data |= {"arms": [make_arm(START), make_arm(DELAYED, setting=delay)]}
    data |= {"importances": make_importances(), "conclusion": "Tuned, it does not underfit."}
    return Tuned.model_validate(data | {"dashboard": "optuna-dashboard sqlite:///s.db"} | changed)


def _body(**changed: Any) -> str:
    return tuned_section(make_tuned(**changed)).body


def _cells(body: str, start: str) -> list[str]:
    line = next(line for line in body.splitlines() if line.startswith(f"| {start} "))
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_findings_and_conclusion_come_first_and_then_a_row_an_arm():
    body = _body()
    assert body.startswith("- **Tuned against tuned:** ")
    assert body.index("**On the claim:** Tuned, it does not underfit.") < body.index("| Arm ")
    assert body.index("| tuned reduction ") < body.index("| tuned delay ") < body.index("###")
    assert _cells(body, START) == [
        *(START, "factor 0.312, patience 4", "0.2512", "0.2641 [0.2581, 0.2701]"),
        *("+0.013", "0.2755 [0.2695, 0.2815]"),
    ]
    assert _cells(body, DELAYED)[1] == r"factor 0.2, patience 3, start\_from\_epoch 8"


@pytest.mark.parametrize(("searched", "said"), [(0.2, "+0.064"), (0.2741, "-0.01"), (0.2641, "+0")])
def test_optimism_is_positive_where_the_search_promised_too_much(searched, said):
    body = _body(arms=[make_arm(START, searched=searched), make_arm(DELAYED)])
    assert _cells(body, START)[4] == said


def test_an_arm_without_a_setting_of_its_own_shows_none():
    arms = [make_arm(name, untuned=None, untuned_fresh=None) for name in (START, DELAYED)]
    body = _body(arms=arms)
    assert _cells(body, START)[5] == "-"
    assert "The two winners were then" in body
    assert "settings of the study itself" in _body()


def test_the_objective_is_said_in_words():
    assert "judged by its final validation loss, mean over 20 seeds" in _body()
    best = _body(objective="best_val_loss")
    assert "judged by its validation loss at the best epoch" in best
    assert "final validation loss" not in best


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        (("init", "order"), "All seeds share the validation rows"),
        (("init", "split"), "other validation rows as well"),
        (("data",), "other validation rows as well"),
    ],
)
def test_what_optimism_covers_follows_from_what_varies(vary, said):
    assert said in _body(vary=vary)


@pytest.mark.parametrize(
    ("name", "value", "end"),
    [
        *(("factor", 0.05, "low"), ("factor", 0.053, "low"), ("factor", 0.0532, None)),
        # 2 % of the range below 0.95 on a linear scale is no edge on the logarithmic one.
        *(("factor", 0.94, "high"), ("factor", 0.89, None), ("factor", 0.068, None)),
        *(("patience", 1, "low"), ("patience", 2, None), ("patience", 15, "high")),
        *(("start_from_epoch", 40, "high"), ("start_from_epoch", 39, None)),
    ],
)
def test_an_edge_is_within_two_percent_of_a_range(name, value, end):
    low, high = RANGES[name]
    assert edge(name, value, low=low, high=high) == end


def test_a_range_of_one_value_has_no_edge():
    assert edge("patience", 3, low=3, high=3) is None


def test_winners_at_an_edge_are_named_with_their_range():
    body = _body(arms=[make_arm(START, setting={"factor": 0.051, "patience": 15.0})] * 2)
    assert "**At the edge of its range:**" in body
    start = '- "tuned reduction": '
    outside = "so the optimum may lie outside."
    assert f"{start}factor 0.051 is at the low end of 0.05 to 0.95, {outside}" in body
    assert f"{start}patience 15 is at the high end of 1 to 15, {outside}" in body


def test_nothing_lies_outside_an_edge_that_is_the_lowest_possible():
    body = _body(arms=[make_arm(START, setting={"factor": 0.3, "patience": 1.0})] * 2)
    assert "patience 1 is at the low end of 1 to 15, and nothing lower is possible." in body
    assert "may lie outside" not in body


def test_winners_inside_their_ranges_are_said_to_be():
    body = _body()
    assert "No winner lies at the edge" in body
    assert "At the edge" not in body


def test_contrasts_have_the_rows_of_the_comparison_section():
    body, contrasts = _body(), make_contrasts()
    test_loss = next(row for row in contrasts if row["metric"] == "test_loss")
    lines = body.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("| Test loss: first"))
    cells = [cell.strip() for cell in lines[head + 2].split("|")[1:-1]]
    assert cells[:2] == ["tuned reduction - tuned delay", "-0.01040 [-0.01051, -0.01029]"]
    assert cells[3:] == [p_value(test_loss["p_holm"]), "100 % [88, 100]", "not shown"]
    assert "| Training loss: first - second" in body
    assert lines[lines.index("<details>") - 2].split("|")[-2].strip() == "yes"
    folded = body.split("<details>")[1].split("</details>")[0]
    assert sum(line.startswith("| T") for line in folded.splitlines()) == len(contrasts) == 4


def test_the_link_leads_to_the_comparison_section(claimed_tables):
    title = comparison_section(claimed_tables, figures=[]).title
    assert f"[{title}](#{title.lower().replace(' ', '-')})" in _body()


def test_without_contrasts_there_is_no_table_of_them():
    assert "against each other" not in _body(contrasts=[])


def test_importances_are_ranked_within_an_arm():
    body = _body()
    assert '- "tuned reduction": factor 0.62, patience 0.38.' in body
    assert "figures/search_importances.svg" in body


def test_below_fifty_trials_the_lack_of_importances_is_explained():
    arms = [make_arm(START, trials=49), make_arm(DELAYED, trials=64)]
    body = _body(arms=arms, importances=[])
    assert "from 50 trials an arm on, and the shorter search here has 49." in body
    assert "figures/search_importances.svg" not in body
    assert "shorter search" not in _body(importances=[])


def test_an_empty_baseline_is_said_and_has_no_heading():
    body = _body()
    assert "### Against random search" not in body
    assert "Thin grey lines" not in body
    assert "**Random search** at the same budget was not run." in body


def test_random_search_is_shown_with_what_its_repeats_can_say():
    baseline = make_baseline([0.25, 0.252, 0.253, 0.256, 0.2601], [0.26, 0.261, 0.265, 0.27, 0.28])
    body = _body(baseline=baseline).split("### Against random search")[1]
    rows = [line for line in body.splitlines() if line.startswith("| tuned reduction ")]
    found = [[cell.strip() for cell in row.split("|")[2:-1]] for row in rows]
    assert found == [
        ["this one", "1", "0.2512", "0.2641"],
        ["random", "5", "0.253 (0.25 to 0.2601)", "0.265 (0.26 to 0.28)"],
    ]
    assert "better than those of 4 of 5 random searches in the search, and of 3 of 5" in body
    assert "beat all 5 in one case of 6" in body
    assert "was not run" not in body
    assert "Thin grey lines" in body


def test_failed_and_missing_trials_are_told():
    assert "Not every trial counts" not in _body()
    body = _body(arms=[make_arm(START, failed=3), make_arm(DELAYED, trials=60)])
    assert '64 of 64 trials of "tuned reduction" were finished, and 3 of these failed' in body
    assert '60 of 64 trials of "tuned delay" were finished, and 0 of these failed' in body
    assert "trial 41 won; of 64 trials 3 failed" in body


def test_the_details_are_folded_and_open_the_dashboard():
    details = _body().rsplit("<details>", 1)[1]
    assert "```sh\noptuna-dashboard sqlite:///s.db\n```" in details
    assert r"factor 0.05 to 0.95; patience 1 to 15; start\_from\_epoch 1 to 40." in details
    assert "64 trials, 20 seeds each, at most 100 epochs" in details
    assert "**Sampler:** TPE, multivariate." in details


def test_hostile_names_leave_the_markdown_whole():
    hostile = ("a|b *c* <img src=x>", "`d` $e$ [f](g)\n# h")
    arms = [make_arm(name, untuned=f"own {name}") for name in hostile]
    text = join_sections(
        "x",
        opening="",
        sections=[
            tuned_section(
                make_tuned(
                    arms=arms,
                    contrasts=make_contrasts(hostile),
                    importances=make_importances(hostile),
                    sampler="</details> | *s*",
                    conclusion="Of a|b **nothing** <b>.",
                    dashboard="optuna-dashboard ```x",
                )
            )
        ],
    )
    tokens = MarkdownIt().enable("table").parse(text)
    kinds = [token.type for token in tokens]
    delimiters = [line for line in text.splitlines() if line.startswith("|:-")]
    assert kinds.count("table_open") == len(delimiters) == 4
    assert kinds.count("heading_open") == 4
    assert all("<img" not in line and "<b>" not in line for line in text.splitlines())
    assert text.count("</details>") == text.count("<details>") == 2
    assert [token.content for token in tokens if token.type == "fence"] == [
        "optuna-dashboard ```x\n"
    ]
    images = [c for token in tokens for c in token.children or [] if c.type == "image"]
    assert len(images) == 4
    shown = "".join(c.content for token in tokens for c in token.children or [])
    assert "a|b *c* <img src=x>" in shown
    assert "Of a|b **nothing** <b>." in shown


def with_own(difference: float) -> list[Any]:
    """Add the contrast of the first arm with its own setting, `difference` higher in test loss."""
    rows = make_contrasts()
    own = {"treatment": START, "control": OWN[START], "difference": difference}
    own |= {"low": difference - 0.004, "high": difference + 0.004}
    return [*rows, *(row | own for row in rows if row["metric"] == "test_loss")]


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.02, "higher (worse)"), (-0.02, "lower (better)"), (0.001, "is not shown to end")],
)
def test_what_tuning_bought_is_told_on_rows_that_it_never_saw(difference, said):
    line = next(x for x in _body(contrasts=with_own(difference)).splitlines() if "bought" in x)
    assert "final validation loss went from 0.276 to 0.264" in line
    assert said in line
    assert ("does not carry over" in line) == (difference > -0.02)
    assert line.replace(",,", ",") == line


def test_without_a_setting_of_its_own_nothing_was_bought():
    arms = [make_arm(name, untuned=None, untuned_fresh=None) for name in (START, DELAYED)]
    assert "bought" not in _body(arms=arms)
