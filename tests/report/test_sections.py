import re

import pytest

from finetune.report.figures.registry import figure_names
from finetune.report.sections.callbacks import callbacks_section, identity_sentences
from finetune.report.sections.closing import (
    duration,
    failures_section,
    provenance_section,
    reproduction_section,
)
from finetune.report.sections.results import results_section
from finetune.report.sections.setup import setup_section
from finetune.spec.data import DataSpec
from tests.made_study import VARIANTS, make_study


def test_the_setup_says_each_callback_with_its_min_delta(study):
    body = setup_section(study.spec).body
    assert r"stops after 2 epochs without better val\_loss, min\_delta 0, restores" in body
    assert r"LR times 0.4 after 3 epochs without better val\_loss, min\_delta 0.0001" in body
    assert "ignores the first 8 epochs" in body
    assert 'In "both" early stopping counts an improvement of more than 0 and' in body
    assert "`make_classification(n_samples=60, weights=[0.5, 0.5])`; 60 % training" in body


def test_no_min_delta_note_where_the_callbacks_agree():
    both = VARIANTS[3] | {"early_stopping": {"patience": 2, "min_delta": 1e-4}}
    assert "Mind" not in setup_section(make_study(variants=[both]).spec).body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"source": "people.csv", "target": "plan", "drop": ("id",), "categorical": ("zip",)},
            [
                "`people.csv`, target `plan`; 60 % training",
                "every class by its share where the target is classes)",
                "never the test rows. Left out: `id`. Columns of numbers are imputed",
                "columns of text and booleans and `zip` are one-hot encoded",
            ],
        ),
        (
            {"source": "own:load", "args": {"n": 3}, "task": "multiclass"},
            ["`own:load(n=3)`, for several classes; ", "every class by its share)"],
        ),
        ({"source": "own:load", "task": "regression"}, ["for regression; ", "(split seed 42)."]),
        ({"source": "load_iris", "stratify": False}, ["`load_iris`; 60 %", "test rows.\n"]),
    ],
)
def test_the_setup_says_where_rows_come_from_and_what_was_made_of_them(data, said):
    spec = make_study().spec.model_copy(update={"data": DataSpec(**data)})
    body = setup_section(spec).body
    assert [part for part in said if part not in body] == []
    assert "the loss that is usual for the task" in body


@pytest.mark.parametrize(
    ("vary", "changed", "scope"),
    [
        (("init", "order"), "initial weights and the order of the", "one data set and one split"),
        (("split",), "which rows train", "all runs share one data set."),
        (("init", "data"), "drawn anew from its generator", "not about other kinds of data"),
        ((), "nothing", "one data set and one split"),
    ],
)
def test_the_scope_follows_from_what_varies(vary, changed, scope):
    body = setup_section(make_study(seeds=1, vary=vary).spec).body
    assert changed in body
    assert scope in body


def test_the_figures_are_numbered_in_order_and_the_long_table_is_folded(tables):
    body = results_section(tables, figures=figure_names(tables)).body
    places = re.findall(r"Figure (\d)\.", body)
    assert places == ["2", "3", "4", "5", "6"]
    assert body.index("<details>") > body.index("Figure 6.")
    assert body.split("<details>")[1].count("| reduction ") == 8


def test_failed_runs_are_listed(tables):
    made = make_study(seeds=2, failed=(("both", 1),))
    assert "| both" in failures_section(made.tables(), {}).body
    assert failures_section(tables, {}).body == ""


def test_identical_variants_are_said_with_counts_and_the_reason(study, tables):
    (sentence,) = identity_sentences(tables, study.spec)
    assert sentence.startswith('"early stopping" and "both" were identical in 4 of 4 seeds')
    assert 'LR reduction of "both" never fired' in sentence
    assert "at most 8 epochs, and it ignores the first 8" in sentence


@pytest.mark.parametrize(("changed", "said"), [((0,), ["3 of 4"]), ((0, 1), [])])
def test_identity_is_said_from_more_than_half_of_the_seeds(study, changed, said):
    made = make_study()
    cells = (made.runs["variant"] == "both") & made.runs["seed"].isin(changed)
    made.runs.loc[cells, "test_loss"] += 1
    sentences = identity_sentences(made.tables(), made.spec)
    assert len(sentences) == len(said)
    assert all(count in sentence for count, sentence in zip(said, sentences, strict=True))


def test_the_callback_table_counts_epochs_from_one(study, tables):
    rows = callbacks_section(tables, study.spec).body.split("\n")
    cells = {
        row.split("|")[1].strip(): [c.strip() for c in row.split("|")[2:-1]] for row in rows[:6]
    }
    assert cells["no callbacks"] == ["-", "-", "-", "0.01", "-", "-"]
    assert cells["early stopping"] == ["-", "-", "-", "0.01", "4 of 4", "6.5 (6 to 8)"]
    assert cells["reduction"] == ["4 of 4", "4", "1", "0.004", "-", "-"]
    assert cells["both"] == ["0 of 4", "-", "0", "0.01", "4 of 4", "6.5 (6 to 8)"]


def test_provenance_shows_what_is_there():
    manifest = {
        **{"engine": "keras", "versions": {"keras": "3.15"}, "seeds": 3},
        **{"machine": {"cores": 2, "memory_gib": 8}, "wall_seconds": {"train": 75.0, "report": 4}},
        **{"runs_reused": 0, "started": None},
    }
    body = provenance_section(manifest).body
    assert "train 75 s, report 4.0 s" in body
    assert "Seeds | 3" in re.sub(" +", " ", body)
    assert r"cores 2, memory\_gib 8" in body
    assert "Runs reused from the store | 0" in body
    assert "Started" not in body
    assert provenance_section({}).body == ""


def test_what_a_machine_does_not_tell_is_left_out():
    body = provenance_section({"machine": {"cores": 2, "memory_gib": None}}).body
    assert "cores 2" in body
    assert "memory" not in body


def test_the_command_is_shown_as_code():
    assert "```sh\nfinetune run\n```" in reproduction_section({"command": "finetune run"}).body
    assert "```" not in reproduction_section({}).body


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.99, "10 s"), (99, "99 s"), (99.5, "1 min 40 s"), (7260, "2 h 1 min")],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said


def test_provenance_tells_rows_trained_against_runs_delivered_and_what_was_slow():
    effort = {"run_epochs_delivered": 51226, "row_epochs_trained": 41428, "notes": ["a | b"]}
    body = provenance_section(effort).body
    assert "51226" in body
    assert "41428" in body
    assert r"a \| b" in body
