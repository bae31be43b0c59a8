"""Fixtures that the tests of statistics share."""

import pytest

from tests import made_comparisons
from tests.made_comparisons import MakeRuns


@pytest.fixture
def make_runs() -> MakeRuns:
    """The function that makes a table of runs; see `made_comparisons.make_runs`."""
    return made_comparisons.make_runs
