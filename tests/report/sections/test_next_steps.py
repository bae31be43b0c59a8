"""What the first screen says to do next."""

import pytest

from finetune.report.render import report_context
from finetune.report.sections.next_steps import next_steps
from tests.made_study import CLAIM, CLAIM_VARIANTS, make_claim, make_study
from tests.report.made_report import made_manifest

# Of two variants that are alike no run differs.
SAME_VARIANTS = [*CLAIM_VARIANTS, {"name": "the same"}]

# Just below their margins, with much noise beside it.
CLOSE = {"train_loss": 0.02, "test_loss": 0.0045, "train_accuracy": -0.02, "test_accuracy": -0.0045}


def steps(made, command: str | None = "finetune run study.toml --seeds 20 --out x") -> str:
    manifest = made_manifest(command=command)
    return next_steps(report_context(made.analysis(), manifest, figures=False))


def test_settled_claims_are_taken_further():
    text = steps(make_claim(seeds=20))
    assert "Every claim is settled" in text
    assert "`finetune map study.toml`" in text
    assert "--until-decided" not in text


def test_open_claims_get_more_seeds_by_a_command_to_paste():
    text = steps(make_claim(CLOSE, seeds=20, noise=0.002, spread=0.01))
    assert "`finetune run study.toml --out x --until-decided --to 300`" in text


@pytest.mark.parametrize(
    ("command", "to_paste"),
    [
        ("finetune run", "finetune run --until-decided"),
        ("finetune run --seeds=8 a.toml", "finetune run a.toml --until-decided"),
        ("finetune run a.toml --until-decided --from 5 --to 8", "finetune run a.toml --until"),
        ("finetune search a.toml --trials 9 --baseline", "finetune run a.toml --until-decided"),
        ("finetune run 'a b.toml'", "finetune run 'a b.toml' --until-decided"),
        ("finetune.run('a.toml')", "finetune run made.toml --until-decided"),
        ("finetune run 'a", "finetune run made.toml --until-decided"),
        (None, "finetune run made.toml --until-decided"),
    ],
)
def test_the_command_is_that_of_the_report_with_its_seeds_replaced(command, to_paste):
    text = steps(make_claim(seeds=7), command)
    assert f"`{to_paste}" in text
    assert text.count("--to ") == 1


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (
            {**CLAIM, "treatment": "delayed", "control": "reduction"},
            "A shorter patience makes it act, as `--set variants.3.reduce_lr.patience=1`",
        ),
        (
            {
                "kind": "not worse",
                "metric": "test_loss",
                "treatment": "the same",
                "control": "no callbacks",
            },
            "are the same runs: what differs between them never acted",
        ),
    ],
)
def test_a_claim_that_was_not_tested_says_what_would_make_it_act(claim, told):
    made = make_study(seeds=20, variants=SAME_VARIANTS, claims=[claim])
    (verdict,) = made.analysis().verdicts
    assert verdict.verdict == "not tested"
    assert told in steps(made)
    assert "Every claim is settled" not in steps(made)


def test_a_study_without_claims_has_nothing_to_settle():
    assert steps(make_study()) == ""
