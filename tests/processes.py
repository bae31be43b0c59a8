"""Fresh processes: the installed command, and what a piece of code loads."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "distributed", "optuna", "matplotlib")


def finetune(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command to its end."""
    return subprocess.run(
        [SCRIPTS / "finetune", *arguments], check=False, cwd=cwd, capture_output=True, text=True
    )


def start(*arguments: str, cwd: Path, **options: Any) -> "subprocess.Popen[str]":
    """Start the installed command."""
    return subprocess.Popen(
        [SCRIPTS / "finetune", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def main_with(arguments: list[str]) -> str:
    """Return code that runs the command line inside the process."""
    return (
        f"import sys; sys.argv = {['finetune', *arguments]}\n"
        "from finetune.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as stop: pass"
    )


def loaded_by(code: str, *, cwd: Path = ROOT) -> set[str]:
    """Return the heavy packages that a fresh process has loaded after some code."""
    report = f"import sys; print('loaded', *(name for name in {HEAVY} if name in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        check=True,
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    return set(answer.stdout.splitlines()[-1].split()[1:])
