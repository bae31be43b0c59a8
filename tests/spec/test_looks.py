import math

import pytest
from pydantic import TypeAdapter, ValidationError

from finetune.spec.looks import MOST_LOOKS, SeedRange, Seeds, look_sizes

SEEDS = TypeAdapter(Seeds)


def seed_range(first: int, to: int) -> SeedRange:
    return SeedRange.model_validate({"from": first, "to": to})


def test_the_usual_looks_are_these():
    assert look_sizes(20, 300) == (20, 30, 45, 68, 100, 150, 225, 300)
    assert SeedRange() == seed_range(20, 300)


@pytest.mark.parametrize(("first", "to"), [(20, 300), (5, 6), (20, 20), (8, 200), (5, 11_000)])
def test_looks_ascend_from_the_first_to_the_last_number_of_seeds(first: int, to: int):
    sizes = look_sizes(first, to)
    assert (sizes[0], sizes[-1]) == (first, to)
    assert list(sizes) == sorted(set(sizes))
    assert len(sizes) <= MOST_LOOKS


@pytest.mark.parametrize(("first", "to"), [(20, 300), (5, 6), (20, 20), (8, 200), (5, 11_000)])
def test_the_shares_of_all_looks_are_all_of_alpha(first: int, to: int):
    looks = seed_range(first, to).looks
    assert math.fsum(look.share for look in looks) == pytest.approx(1)
    assert min(look.share for look in looks) > 0


def test_seeds_are_a_number_or_a_range():
    assert SEEDS.validate_python(7) == 7
    assert SEEDS.validate_python({"to": 100}) == seed_range(20, 100)


def test_a_range_is_written_as_it_is_read():
    written = SEEDS.dump_json(seed_range(8, 40))
    assert written == b'{"from":8,"to":40}'
    assert SEEDS.validate_json(written) == seed_range(8, 40)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "received 0"),
        (True, "received True"),
        ("many", "received 'many'"),
        (2.5, "received 2.5"),
        ({"from": 4}, "from: received 4"),
        ({"from": 30, "to": 20}, "to, 20, is below from, 30"),
        ({"from": 5, "to": 20_000}, "more than 20 looks from 5 to 20000"),
        ({"until": 30}, "unknown key 'until'"),
        ({"from": "5"}, "from: received '5'"),
    ],
)
def test_what_is_no_number_of_seeds_is_told_in_one_line(value, told: str):
    with pytest.raises(ValidationError) as caught:
        SEEDS.validate_python(value)
    message = caught.value.errors()[0]["msg"]
    assert told in message
    assert "allowed is a number of seeds, 1 to 1000000000000, or as many as it takes" in message
    assert "\n" not in message
