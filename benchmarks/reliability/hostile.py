"""A stranger's folder: nothing in it may run, lead out of it, wait, or end in a traceback.

Training is simulated, but for modules that lie beside a study: these are run beside real worker
processes, which must not import them.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability import plants
from benchmarks.reliability.events import Events
from benchmarks.reliability.forks import Outcome, start_fork
from benchmarks.reliability.parallel import run_parallel
from benchmarks.reliability.study import command, read_tables
from benchmarks.reliability.writes import arguments as study_arguments
from benchmarks.reliability.writes import run_undisturbed
from finetune.store.results import ResultStore

_MAX_SECONDS = 120
# As the installed command: worker processes import it too, and must start nothing of their own.
_SCRIPT = 'from finetune.cli.app import main\n\nif __name__ == "__main__":\n    main()\n'


@dataclass(frozen=True)
class Attempt:
    """Something planted into the folder of a finished study, and the command that meets it.

    Attributes:
        kind: What it is, in words.
        plant: Puts it into the folder of a study.
        command: A command's arguments, for that folder.
        mended: Whether the command must end well, with the numbers of an undisturbed study;
            otherwise it must end in one line.
    """

    kind: str
    plant: Callable[[Path], object]
    command: Callable[[Path], list[str]]
    mended: bool = False


def plant_hostile(count: int) -> Events:
    """Plant so much, one thing each time, of all kinds in turn; return an event each time."""
    attempts = _in_turn(_attempts())[: count - 2]
    with tempfile.TemporaryDirectory() as scratch:
        sound = Path(scratch) / "sound"
        expected = run_undisturbed("study", sound).tables

        def work(number: int) -> Events:
            folder = Path(scratch) / f"hostile-{number}" / "out"
            shutil.copytree(sound, folder)
            try:
                return [_try(attempts[number], folder, expected)]
            finally:
                shutil.rmtree(folder.parent)

        events = run_parallel(work, range(len(attempts)))
        modules = _try_modules(Path(scratch) / "modules")
        return [*events, modules, _try_surroundings(Path(scratch) / "surroundings")]


def _attempts() -> list[Attempt]:
    """Return all that is planted; a run mends what it can train anew."""
    run, report, read = _run, _report, _read_study_file
    return [
        *(Attempt("a foreign shard", plant, run, mended=True) for plant in plants.SHARDS),
        *(Attempt("a foreign shard", plant, report) for plant in plants.SHARDS),
        *(Attempt("a link in the folder", plant, run) for plant in plants.LINKS),
        *(Attempt("a link in the folder", plant, report) for plant in plants.LINKS),
        *(Attempt("no identity", plant, run, mended=True) for plant in plants.IDENTITIES),
        *(Attempt("a special file", plant, run, mended=True) for plant in plants.SPECIAL_SHARDS),
        *(Attempt("a special file", plant, report) for plant in plants.SPECIAL_MANIFESTS),
        *(Attempt("a special file", plant, read) for plant in plants.SPECIAL_STUDIES),
        *(Attempt("a name", plant, _run_study_file, mended=True) for plant in plants.NAMES),
        *(Attempt("a network file", plant, _run_study_file) for plant in plants.NETWORKS),
        *(Attempt("a size", plant, read) for plant in plants.SIZES),
    ]


def _in_turn(attempts: list[Attempt]) -> list[Attempt]:
    """Return one attempt of each kind, then the second of each, and so on."""
    kinds = {attempt.kind: 0 for attempt in attempts}
    groups = [[one for one in attempts if one.kind == kind] for kind in kinds]
    return [one for some in itertools.zip_longest(*groups) for one in some if one]


def _run(folder: Path) -> list[str]:
    return study_arguments("study", folder)


def _report(folder: Path) -> list[str]:
    return ["report", str(folder)]


def _read_study_file(folder: Path) -> list[str]:
    return ["run", str(folder / plants.STUDY_FILE), "--no-imports", "--out", str(folder)]


def _run_study_file(folder: Path) -> list[str]:
    return [*_read_study_file(folder), "--yes"]


def _try(attempt: Attempt, folder: Path, expected: dict[str, bytes]) -> dict:
    attempt.plant(folder)
    outside = plants.read_outside(folder)
    outcome = start_fork(attempt.command(folder), folder).wait()
    wrong = not outcome.is_user_error
    if attempt.mended:
        wrong = bool(outcome.code) or _is_unsound(attempt, folder, expected)
    return _event(attempt.kind, outcome, lost=plants.read_outside(folder) != outside, wrong=wrong)


def _is_unsound(attempt: Attempt, folder: Path, expected: dict[str, bytes]) -> bool:
    """Return whether a folder that a command mended differs from that of a sound study."""
    ResultStore(folder / "store").check()
    if attempt.kind == "a name":
        return plants.holds_formulas(folder)
    again = start_fork(_report(folder), folder).wait()
    return bool(again.code) or read_tables(folder) != expected or "set aside" in again.output


def _try_modules(folder: Path) -> dict:
    """Run a study of real worker processes in a folder with modules that must not be imported."""
    folder.mkdir()
    tried = plants.plant_modules(folder)
    script = folder.with_name("finetune-script.py")
    script.write_text(_SCRIPT)
    options = ["--workers", "2", "--no-imports", "--yes"]
    arguments = [sys.executable, str(script), *command("run", folder / "out", *options)]
    outcome = _outcome(arguments, folder)
    code_run = plants.count_imported(folder)
    event = _event("modules beside a study", outcome, lost=False, wrong=outcome.code != 0)
    return {**event, "number": 0, "tried": tried, "code_run": code_run,
            "errors": event["errors"] + code_run}  # fmt: skip


def _try_surroundings(folder: Path) -> dict:
    """Run where the current folder is gone, output is refused, or encryption is required."""
    script = folder.with_name("finetune-script.py")
    run_script = f"runpy.run_path({str(script)!r}, run_name='__main__')"
    gone = f"import os, runpy; os.rmdir(os.getcwd()); {run_script}"
    run = [sys.executable, str(script), *command("run", folder / "out", "--workers", "2", "--yes")]
    programs = (
        [sys.executable, "-P", "-c", gone],
        ["sh", "-c", f"{sys.executable} {script} --help > /dev/full"],
        ["env", "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=true", *run],
    )
    outcomes = []
    for program in programs:
        folder.mkdir(exist_ok=True)
        outcomes.append(_outcome(program, folder))
    bad = [outcome for outcome in outcomes if not outcome.is_user_error]
    event = _event("surroundings", (bad or outcomes)[0], lost=False, wrong=bool(bad))
    return {**event, "number": 0, "tried": len(programs), "errors": len(bad)}


def _outcome(arguments: list[str], folder: Path) -> Outcome:
    """Run a program and its workers in a folder; what waits for ever is ended, and shows so."""
    with subprocess.Popen(
        arguments,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as program:
        try:
            output, _ = program.communicate(timeout=_MAX_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            output, _ = program.communicate()
        return Outcome(program.returncode, output, 0)


def _event(kind: str, outcome: Outcome, *, lost: bool, wrong: bool) -> dict:
    traceback = "Traceback" in outcome.output
    return {
        "kind": f"hostile: {kind}",
        "tried": 1,
        "code_run": 0,
        "lost": int(lost),
        "tracebacks": int(traceback),
        "errors": int(wrong or traceback),
        "output": outcome.output.strip()[-300:] if wrong or lost or traceback else "",
    }
