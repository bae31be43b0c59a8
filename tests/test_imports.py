"""Imports point one way, and what a user waits for loads no TensorFlow."""

import subprocess

import pytest

from tests.processes import ROOT, SCRIPTS, loaded_by, main_with


def test_the_import_contracts_hold():
    answer = subprocess.run(
        [SCRIPTS / "lint-imports", "--no-cache"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout
    assert "4 kept, 0 broken" in answer.stdout


@pytest.mark.parametrize("module", ["finetune", "finetune.cli.app", "finetune.spec.study_file"])
def test_the_first_answer_loads_nothing_heavy(module):
    assert loaded_by(f"import {module}") == set()


@pytest.mark.parametrize(
    "module", ["finetune.studies.run", "finetune.planning.plan", "finetune.report.render"]
)
def test_the_driver_loads_no_tensorflow(module):
    assert not loaded_by(f"import {module}") & {"tensorflow", "keras"}


def test_the_public_names_are_there():
    import finetune

    assert all(getattr(finetune, name) for name in finetune.__all__)


@pytest.mark.slow
def test_a_whole_run_loads_no_tensorflow_in_its_driver(tmp_path):
    small = [
        "vary=['init']",
        "seeds=2",
        "training.epochs=2",
        "model.hidden=[4]",
        "data.args.n_samples=60",
    ]
    sets = [part for override in small for part in ("--set", override)]
    loaded = loaded_by(main_with(["run", "--workers", "2", "--out", "out", *sets]), cwd=tmp_path)
    assert "pandas" in loaded
    assert not loaded & {"tensorflow", "keras"}
    assert (tmp_path / "out" / "report.md").is_file()
    again = loaded_by(main_with(["report", "out"]), cwd=tmp_path)
    assert not again & {"tensorflow", "keras"}
