"""Feed anything to what reads a user's files: values or errors of one line must come of it.

The fuzzer and the property tests are started as processes, as anyone can start them.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.reliability.events import Events

_ROOT = Path(__file__).parents[2]
_PROPERTY_TESTS = ("tests/spec/test_study_file.py", "tests/data/test_files.py")


def feed_inputs(seconds: int) -> Events:
    """Try inputs by coverage for so many seconds, and those of the property tests."""
    return [_by_coverage(seconds), _by_properties()]


def _by_coverage(seconds: int) -> dict[str, Any]:
    output, code = _run("-m", "tests.fuzz", "--seconds", str(seconds))
    # As in "fuzz: tried 1,200 studies, 900 tables in 60 s: ...".
    counts = re.findall(r"\d[\d,]*", _last_line(output).partition(" in ")[0])
    tried = sum(int(count.replace(",", "")) for count in counts)
    return _event("files mutated by coverage (atheris)", tried, code, output)


def _by_properties() -> dict[str, Any]:
    options = ("-n", "0", "--hypothesis-profile=long", "--hypothesis-show-statistics")
    output, code = _run("-m", "pytest", *options, *_PROPERTY_TESTS)
    counts = re.findall(r"(\d+) passing[a-z ]*, (\d+) failing", output)
    tried = sum(int(passing) + int(failing) for passing, failing in counts)
    return _event("files and overrides made by rules (hypothesis)", tried, code, output)


def _run(*arguments: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout, done.returncode


def _event(kind: str, tried: int, code: int, output: str) -> dict[str, Any]:
    errors = int(code != 0)
    last = _last_line(output)
    return {"kind": kind, "tried": tried, "lost": 0, "errors": errors, "output": last}


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else ""
