"""Imports point one way, and what a user waits for loads no TensorFlow."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "distributed", "optuna", "matplotlib")


def loaded_by(code: str, *, cwd: Path = ROOT) -> set[str]:
    """Give the heavy packages that a fresh process has loaded after some code."""
    tell = f"import sys; print('loaded', *(name for name in {HEAVY} if name in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(answer.stdout.splitlines()[-1].split()[1:])


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


@pytest.mark.parametrize("module", ["finetune", "finetune.cli", "finetune.study_file"])
def test_the_first_answer_loads_nothing_heavy(module):
    assert loaded_by(f"import {module}") == set()


@pytest.mark.parametrize("module", ["finetune.study", "finetune.plan", "finetune.report.writing"])
def test_the_driver_loads_no_tensorflow(module):
    assert not loaded_by(f"import {module}") & {"tensorflow", "keras"}


def test_the_public_names_are_there():
    import finetune

    assert all(getattr(finetune, name) for name in finetune.__all__)


def run_in_driver(arguments: list[str]) -> str:
    return (
        f"import sys; sys.argv = {['finetune', *arguments]}\n"
        "from finetune.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code"
    )


@pytest.mark.slow
def test_a_whole_run_loads_no_tensorflow_in_its_driver(tmp_path):
    small = ["seeds=2", "training.epochs=2", "model.hidden=[4]", "data.args.n_samples=60"]
    sets = [part for override in small for part in ("--set", override)]
    code = run_in_driver(["run", "--workers", "2", "--out", "out", *sets])
    loaded = loaded_by(code, cwd=tmp_path)
    assert "pandas" in loaded
    assert not loaded & {"tensorflow", "keras"}
    assert (tmp_path / "out" / "report.md").is_file()
    assert not loaded_by(run_in_driver(["report", "out"]), cwd=tmp_path) & {"tensorflow", "keras"}
