"""Feed anything to what reads a user's files: values or errors of one line must come of it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_HYPOTHESIS = ("tests/test_study_file.py", "tests/data/test_files.py")


def inputs(seconds: int) -> list[dict[str, Any]]:
    """Try inputs by coverage for so many seconds, and those of the property tests."""
    return [_by_coverage(seconds), _by_properties()]


def _by_coverage(seconds: int) -> dict[str, Any]:
    said, code = _python("-m", "tests.fuzz", "--seconds", str(seconds))
    last = said.splitlines()[-1] if said else ""
    # As in "fuzz: tried 1,200 studies, 900 tables in 60 s: ...".
    counts = re.findall(r"\d[\d,]*", last.partition(" in ")[0])
    tried = sum(int(count.replace(",", "")) for count in counts)
    return _row("files mutated by coverage (atheris)", tried, code, said)


def _by_properties() -> dict[str, Any]:
    options = ("-n", "0", "--hypothesis-profile=long", "--hypothesis-show-statistics")
    said, code = _python("-m", "pytest", *options, *_HYPOTHESIS)
    counts = re.findall(r"(\d+) passing[a-z ]*, (\d+) failing", said)
    tried = sum(int(sound) + int(failing) for sound, failing in counts)
    return _row("files and overrides made by rules (hypothesis)", tried, code, said)


def _python(*arguments: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout, done.returncode


def _row(what: str, tried: int, code: int, said: str) -> dict[str, Any]:
    last = said.strip().splitlines()[-1] if said.strip() else ""
    wrong = int(code != 0)
    return {"what": what, "tried": tried, "lost": 0, "wrong": wrong, "code": code, "said": last}
