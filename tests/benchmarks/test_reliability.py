"""The report of what was tried to lose results: counts, and what was left out."""

import pytest

from benchmarks.reliability.report import Part, render


def event(what: str, **more) -> dict:
    found = {"runs_stored": 3, "report": False, "uncommitted": 0, "partial": 1, "said": ""}
    return {"what": what, "tried": 1, "lost": 0, "wrong": 0, **found, **more}


PARTS = [
    Part(
        "python -m benchmarks.reliability writes --count 2", [event("kill -9 amid a study")] * 2, 1
    ),
    Part("python -m benchmarks.reliability damage --count 1", [event("damage to a shard")], 2),
    Part("python -m benchmarks.reliability fuzz", [event("files", tried=0, said="no atheris")], 3),
]


def test_each_line_has_its_count_and_its_command():
    text = render(PARTS)
    assert "**2 kills, 1 corruptions, 0 full disks" in text
    assert "Nothing was lost" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| kill -9 amid a study")][:1]
    assert [part.strip() for part in line.split("|")[2:5]] == ["2", "0", "0"]
    assert "`python -m benchmarks.reliability writes --count 2`" in line
    assert "left out: no atheris" in text
    assert not any(part.failed for part in PARTS)


@pytest.mark.parametrize("fault", ["lost", "wrong"])
def test_a_loss_is_said_first(fault):
    part = Part("python -m benchmarks.reliability damage", [event("damage", **{fault: 1})], 1)
    assert part.failed
    assert "Something is amiss" in render([*PARTS, part]).splitlines()[2]
