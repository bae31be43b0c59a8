"""Fixtures that the tests of reports share."""

import pytest

from finetune.analysis.analysis import Analysis
from tests.made_study import Study, make_claim, make_study


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
