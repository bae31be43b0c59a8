"""Fuzz every target for its share of the time; the last line says how many inputs were tried."""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TARGETS = ("studies", "tables", "networks")


def main() -> int:
    """Give 0 if nothing but values and one-line errors came of any input, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="time for all targets together")
    seconds = parser.parse_args().seconds
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: skipped, since atheris is not installed: pip install 'finetune[fuzz]'")
        return 0
    tried = {}
    for target in _TARGETS:
        said, ended = _fuzz(target, max(1, seconds // len(_TARGETS)))
        runs = re.findall(r"^Done (\d+) runs", said, re.MULTILINE)
        if ended or not runs:
            print(said[-6000:])
            print(f"fuzz: {target}: an input above makes another exception than a FinetuneError")
            return 1
        tried[target] = int(runs[-1])
    counts = ", ".join(f"{count:,} {target}" for target, count in tried.items())
    print(f"fuzz: tried {counts} in {seconds} s: values and errors of one line, no other exception")
    return 0


def _fuzz(target: str, seconds: int) -> tuple[str, int]:
    """Fuzz one target in a process of its own; give what it said and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.fuzzer", target, folder, str(seconds)]
        done = subprocess.run(
            command,
            check=False,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    return done.stdout, done.returncode


if __name__ == "__main__":
    sys.exit(main())
