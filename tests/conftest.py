"""What holds for all tests."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.made_runs import Executor, made_up

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
def executor() -> Iterator[Executor]:
    """Stand in for training and drawing; studies then take a moment."""
    with made_up() as executor:
        yield executor


@pytest.fixture
def cli(executor, tmp_path, monkeypatch, capsys):
    """Run the command line in this process, with training made up; give code, output, errors."""
    from finetune.cli.app import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["finetune", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *capsys.readouterr()

    return call
