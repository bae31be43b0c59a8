"""Durations, sizes and counts as people write them."""

import pytest

from finetune.planning.units import count, duration, size


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (9.99, "10 s"),
        (99, "99 s"),
        (99.5, "1 min 40 s"),
        (7260, "2 h 1 min"),
        (10 * 86400, "10 days"),
        (4e8, "13 years"),
        (1e300, "3.2e+292 years"),
    ],
)
def test_a_duration_is_in_the_units_that_a_person_would_use(seconds, shown):
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(1, "1 MB"), (2.5e9, "2.5 GB"), (12e12, "12 TB"), (10**400, "1.0e+285 PB")],
)
def test_a_size_is_in_the_largest_unit_that_fits(amount, shown):
    assert size(amount) == shown


@pytest.mark.parametrize(("number", "shown"), [(1234, "1,234"), (10**400, "1.0e+300")])
def test_a_count_beyond_reading_is_a_power_of_ten(number, shown):
    assert count(number) == shown
