"""Fixtures that the tests of analysis share."""

import gc

import pytest

from finetune.analysis.tables import ReportTables
from tests.made_study import Study, make_claim, make_study


@pytest.fixture(scope="session", autouse=True)
def _quick_collections():
    # statsmodels collects garbage at every correction for many tests: let it find little to walk.
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def study() -> Study:
    """The default small study: 4 seeds, nothing failed."""
    return make_study()


@pytest.fixture(scope="session")
def tables(study) -> ReportTables:
    """The tables of the default small study."""
    return study.tables()


@pytest.fixture(scope="session")
def claimed() -> Study:
    """A study in which the treatment clearly underfits, by loss and by accuracy."""
    return make_claim()


@pytest.fixture(scope="session")
def claimed_tables(claimed) -> ReportTables:
    """The tables of that study, its verdict among them."""
    return claimed.tables()
