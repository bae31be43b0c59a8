"""Fixtures that the tests of claims share."""

import pytest

from finetune.spec.study import StudySpec
from tests import made_comparisons
from tests.made_comparisons import MakeRuns


@pytest.fixture
def spec() -> StudySpec:
    """A study of three variants, the delay ends at epoch 20, margins 0.01 and 0.005."""
    return made_comparisons.make_spec()


@pytest.fixture
def make_runs() -> MakeRuns:
    """The function that makes a table of runs; see `made_comparisons.make_runs`."""
    return made_comparisons.make_runs
