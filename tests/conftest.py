"""What holds for all tests."""

import os
import sys

import pytest
from hypothesis import settings

from finetune.analysis.analysis import Analysis
from finetune.cli.training import Services
from finetune.execution.training import Options
from tests.made_runs import MadeUpExecutor
from tests.made_study import Study, make_claim, make_study

# TensorFlow's C++ speaks on loading; tests read the standard error of what they start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# How long an example takes says nothing about whether it is right. CI tries more of them.
settings.register_profile("finetune", deadline=None, max_examples=40 if "CI" in os.environ else 30)
# For `python -m benchmarks.reliability fuzz`: always the same ones.
settings.register_profile("long", deadline=None, max_examples=1000, derandomize=True)
settings.load_profile("finetune")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requires_trainable_backend: in Keras's own tests, which we run with our class"
    )


@pytest.fixture
def executor() -> MadeUpExecutor:
    """Stand in for training; studies then take a moment."""
    return MadeUpExecutor()


@pytest.fixture
def options(executor) -> Options:
    """Options of a run whose training is made up and whose report has no figures."""
    return Options(executor, figures=False)


@pytest.fixture
def cli(executor, tmp_path, monkeypatch, capsys):
    """Run the command line in this process, with training made up; return code, output, errors.

    `confirm` answers the question whether to train what takes much; by default nobody does.
    """
    from finetune.cli.app import main

    monkeypatch.chdir(tmp_path)

    def choose(workers, **options):
        executor.chosen = {**options, "workers": workers}
        return executor

    def call(*arguments: str, confirm=lambda question: None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["finetune", *arguments])
        # Drawing takes longer than all else together, and is tested elsewhere.
        services = Services(choose_executor=choose, confirm=confirm, figures=False)
        with pytest.raises(SystemExit) as stop:
            main(services)
        return stop.value.code or 0, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def study() -> Study:
    """The default small study: 4 seeds, nothing failed."""
    return make_study()


@pytest.fixture(scope="session")
def analysis(study) -> Analysis:
    """The analysis of the default small study."""
    return study.analysis()


@pytest.fixture(scope="session")
def claimed() -> Study:
    """A study in which the treatment clearly underfits, by loss and by accuracy."""
    return make_claim()


@pytest.fixture(scope="session")
def claimed_analysis(claimed) -> Analysis:
    """The analysis of that study, its verdict among them."""
    return claimed.analysis()
