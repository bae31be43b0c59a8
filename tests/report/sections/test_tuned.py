"""The section on tuning as tables and structure; its findings are tested with the analysis."""

from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from finetune.report.markdown import Section, join_sections, p_value
from finetune.report.sections.comparisons import COMPARISONS
from finetune.report.sections.tuned import tuned
from tests.made_study import make_study
from tests.made_tuned import (
    DELAYED,
    START,
    make_arm,
    make_baseline,
    make_contrasts,
    make_importances,
    make_tuned,
)
from tests.report.made_report import context_of

_ANY = make_study(seeds=1).analysis()


def _body(*, figures: bool = True, **changed: Any) -> str:
    analysis = replace(_ANY, tuned=make_tuned(**changed))
    return tuned(context_of(analysis, figures=figures))


def _fields(body: str, start: str) -> list[str]:
    line = next(line for line in body.splitlines() if line.startswith(f"| {start} "))
    return [field.strip() for field in line.split("|")[1:-1]]


def test_findings_and_conclusion_come_first_and_then_a_row_an_arm():
    body = _body()
    assert body.startswith("- **Tuned against tuned:** ")
    assert body.index("**On the claim:** Tuned, it does not underfit.") < body.index("| Arm ")
    assert body.index("| tuned reduction ") < body.index("| tuned delay ") < body.index("###")
    assert _fields(body, START) == [
        START,
        r"reduce\_lr.factor 0.312, reduce\_lr.patience 4",
        "0.2512",
        "0.2641 [0.2581, 0.2701]",
        "+0.013",
        "0.2755 [0.2695, 0.2815]",
    ]
    assert _fields(body, DELAYED)[1] == (
        r"reduce\_lr.factor 0.2, reduce\_lr.patience 3, reduce\_lr.start\_from\_epoch 8"
    )


def test_an_arm_without_an_untuned_setting_shows_none():
    arms = [make_arm(name, untuned=None, untuned_fresh=None) for name in (START, DELAYED)]
    body = _body(arms=arms)
    assert _fields(body, START)[5] == "-"
    assert "The two winners were then" in body
    assert "settings of the study itself" in _body()


def test_the_objective_is_named_by_its_words():
    assert "judged by its final validation loss, mean over 20 seeds" in _body()
    best = _body(objective="best_val_loss")
    assert "judged by its validation loss at the best epoch" in best
    assert "final validation loss" not in best


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        (("init", "order"), "All seeds share the validation rows"),
        (("init", "split"), "other validation rows as well"),
        (("data",), "other validation rows as well"),
    ],
)
def test_what_optimism_covers_follows_from_what_varies(vary, words):
    assert words in _body(vary=vary)


def test_contrasts_have_the_rows_of_the_comparison_section():
    body, contrasts = _body(), make_contrasts()
    test_loss = next(row for row in contrasts if row["metric"] == "test_loss")
    lines = body.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("| Test loss: first"))
    fields = [field.strip() for field in lines[head + 2].split("|")[1:-1]]
    assert fields[:2] == ["tuned reduction - tuned delay", "-0.01040 [-0.01051, -0.01029]"]
    assert fields[3:] == [p_value(test_loss["p_holm"]), "100 % [88, 100]", "not shown"]
    assert "| Training loss: first - second" in body
    assert lines[lines.index("<details>") - 2].split("|")[-2].strip() == "yes"
    folded = body.split("<details>")[1].split("</details>")[0]
    assert sum(line.startswith("| T") for line in folded.splitlines()) == len(contrasts) == 4


def test_the_link_leads_to_the_comparison_section():
    title = COMPARISONS.title
    assert f"[{title}](#{title.lower().replace(' ', '-')})" in _body()


def test_without_contrasts_there_is_no_table_of_them():
    assert "against each other" not in _body(contrasts=[])


def test_below_fifty_trials_the_lack_of_importances_is_explained():
    arms = [make_arm(START, trials=49), make_arm(DELAYED, trials=64)]
    body = _body(arms=arms, importances=[])
    assert "from 50 trials an arm on, and the shorter search here has 49." in body
    assert "figures/search_importances.svg" not in body
    assert "shorter search" not in _body(importances=[])


def test_without_random_search_there_is_no_heading():
    body = _body()
    assert "### Against random search" not in body
    assert "Thin grey lines" not in body
    assert "**Random search** at the same budget was not run." in body


def test_random_search_is_shown_with_what_its_repeats_can_say():
    baseline = make_baseline([0.25, 0.252, 0.253, 0.256, 0.2601], [0.26, 0.261, 0.265, 0.27, 0.28])
    body = _body(baseline=baseline).split("### Against random search")[1]
    rows = [line for line in body.splitlines() if line.startswith("| tuned reduction ")]
    found = [[field.strip() for field in row.split("|")[2:-1]] for row in rows]
    assert found == [
        ["this one", "1", "0.2512", "0.2641"],
        ["random", "5", "0.253 (0.25 to 0.2601)", "0.265 (0.26 to 0.28)"],
    ]
    assert "better than those of 4 of 5 random searches in the search, and of 3 of 5" in body
    assert "beat all 5 in one case of 6" in body
    assert "was not run" not in body
    assert "Thin grey lines" in body


def test_failed_and_missing_trials_are_counted():
    assert "Not every trial counts" not in _body()
    body = _body(arms=[make_arm(START, failed=3), make_arm(DELAYED, trials=60)])
    assert '64 of 64 trials of "tuned reduction" were finished, and 3 of these failed' in body
    assert '60 of 64 trials of "tuned delay" were finished, and 0 of these failed' in body
    assert "trial 41 won; of 64 trials 3 failed" in body


def test_the_details_are_folded_and_open_the_dashboard():
    details = _body().rsplit("<details>", 1)[1]
    assert "```sh\noptuna-dashboard sqlite:///s.db\n```" in details
    searched = r"reduce\_lr.patience 1 to 15; reduce\_lr.start\_from\_epoch 1 to 40."
    assert rf"**Searched:** reduce\_lr.factor 0.05 to 0.95; {searched}" in details
    assert "64 trials, 20 seeds each, at most 100 epochs" in details
    assert "**Sampler:** TPE, multivariate." in details


def test_hostile_names_leave_the_markdown_whole():
    hostile = ("a|b *c* <img src=x>", "`d` $e$ [f](g)\n# h")
    arms = [make_arm(name, untuned=f"untuned {name}") for name in hostile]
    text = join_sections(
        "x",
        opening="",
        sections=[
            Section(
                "Tuned",
                _body(
                    arms=arms,
                    contrasts=make_contrasts(hostile),
                    importances=make_importances(hostile),
                    sampler="</details> | *s*",
                    conclusion="Of a|b **nothing** <b>.",
                    dashboard="optuna-dashboard ```x",
                ),
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


def test_what_was_not_drawn_is_not_shown():
    assert _body().count("](figures/search_") == 4
    assert _body(importances=[]).count("](figures/search_") == 3
    assert "](figures/" not in _body(figures=False)


def test_a_study_that_was_not_searched_has_no_section():
    assert tuned(context_of(_ANY)) == ""
