"""Fuzz every target for its share of the time; the last line says how many inputs were tried."""

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

_ROOT = Path(__file__).parents[2]
_TARGETS = ("studies", "tables", "networks")


def fuzz(
    seconds: Annotated[int, typer.Option(min=1, help="Time for all targets together.")] = 60,
) -> None:
    """Fuzz every target; exit with 1 if an input raised anything but a FinetuneError."""
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: skipped, since atheris is not installed: pip install -e '.[fuzz]'")
        return
    tried = {}
    for target in _TARGETS:
        output, code = _fuzz(target, max(1, seconds // len(_TARGETS)))
        runs = re.findall(r"^Done (\d+) runs", output, re.MULTILINE)
        if code or not runs:
            print(output[-6000:])
            print(f"fuzz: {target}: an input above raises another exception than a FinetuneError")
            raise typer.Exit(1)
        tried[target] = int(runs[-1])
    counts = ", ".join(f"{count:,} {target}" for target, count in tried.items())
    print(f"fuzz: tried {counts} in {seconds} s: values and errors of one line, no other exception")


def _fuzz(target: str, seconds: int) -> tuple[str, int]:
    """Fuzz one target in a process of its own; return its output and exit code."""
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
    typer.run(fuzz)
