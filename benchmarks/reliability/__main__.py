"""`python -m benchmarks.reliability`: try to lose results in every way, and write the report.

Each experiment can be run alone, as the report says for each of its lines.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from benchmarks.reliability.concurrent_programs import run_concurrently
from benchmarks.reliability.damage import damage_shards
from benchmarks.reliability.disk import fill_disks
from benchmarks.reliability.events import Events, by_kind, failed, total
from benchmarks.reliability.fuzz import feed_inputs
from benchmarks.reliability.hostile import plant_hostile
from benchmarks.reliability.kills import kill_training
from benchmarks.reliability.report import Experiment, write_report
from benchmarks.reliability.writes import kill_while_writing
from finetune.cli.terminal import run_program
from finetune.store.atomic import write_whole

# Name of each experiment: its options, in full and quick.
_EXPERIMENTS = {
    "kills": ("--count 30 --seed 1", "--count 2 --seed 1"),
    "writes": ("--count 100 --seed 1", "--count 6 --seed 1"),
    "damage": ("--count 200 --seed 1", "--count 11 --seed 1"),
    "disk": ("--count 40", "--count 6"),
    "concurrent": ("--count 10 --seed 1", "--count 2 --seed 1"),
    "hostile": ("--count 90", "--count 12"),
    "fuzz": ("--seconds 60", "--seconds 6"),
}

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)
Count = Annotated[int, typer.Option(min=1, help="How many are tried.")]
Seed = Annotated[int, typer.Option(help="Draws the moments and places.")]
File = Annotated[Path | None, typer.Option("--events", help="CSV file for the events.")]


@app.callback(invoke_without_command=True)
def run_all(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/reliability"),
    quick: Annotated[bool, typer.Option("--quick", help="A few of each.")] = False,
) -> None:
    """Without a command: run every experiment in its own process, and write the report."""
    if context.invoked_subcommand is None:
        experiments = [_run(name, both[quick], out) for name, both in _EXPERIMENTS.items()]
        print(write_report(out, experiments))
        raise typer.Exit(int(any(failed(experiment.events) for experiment in experiments)))


@app.command()
def kills(count: Count, seed: Seed = 1, events: File = None) -> None:
    """Kill `finetune run` at random moments, and resume it."""
    _finish(kill_training(count, seed), events)


@app.command()
def writes(count: Count, seed: Seed = 1, events: File = None) -> None:
    """Kill studies, searches and compactions while they write; training is simulated."""
    _finish(kill_while_writing(count, seed), events)


@app.command()
def damage(count: Count, seed: Seed = 1, events: File = None) -> None:
    """Damage a shard of a study, and resume it; training is simulated."""
    _finish(damage_shards(count, seed), events)


@app.command()
def disk(count: Count, events: File = None) -> None:
    """Fill the disk at every stage of a study and a search; training is simulated."""
    _finish(fill_disks(count), events)


@app.command()
def concurrent(count: Count, seed: Seed = 1, events: File = None) -> None:
    """Run several programs on one folder at once; training is simulated."""
    _finish(run_concurrently(count, seed), events)


@app.command()
def hostile(count: Count, events: File = None) -> None:
    """Plant what a stranger may into a study's folder; training is simulated, but for one."""
    _finish(plant_hostile(count), events)


@app.command()
def fuzz(
    seconds: Annotated[int, typer.Option(min=3, help="For atheris.")], events: File = None
) -> None:
    """Feed anything to what reads a user's files."""
    _finish(feed_inputs(seconds), events)


def _run(name: str, options: str, out: Path) -> Experiment:
    """Run an experiment by the command that its line will show."""
    command, clock = f"python -m benchmarks.reliability {name} {options}", time.perf_counter()
    print(f"== {command}", file=sys.stderr, flush=True)
    file = out / "tables" / f"{name}.csv"
    file.unlink(missing_ok=True)
    arguments = [*command.split()[1:], "--events", str(file)]
    subprocess.run([sys.executable, *arguments], check=False)
    return Experiment(command, _read_events(name, file), time.perf_counter() - clock)


def _read_events(name: str, file: Path) -> Events:
    """Read what an experiment has written; nothing written is an error."""
    if not file.exists():
        return [{"kind": name, "tried": 0, "lost": 0, "errors": 1, "output": "the command failed"}]
    return pd.read_csv(file).to_dict("records")  # pyright: ignore[reportReturnType]


def _finish(events: Events, file: Path | None) -> None:
    """Print and write what came of the attempts; exit with 1 if anything was lost."""
    # The path of this machine's temporary folder belongs in no report.
    temporary = re.escape(tempfile.gettempdir()) + r"/\w+/"
    for event in events:
        event["output"] = re.sub(temporary, "", event["output"])
    if file:
        write_whole(file, pd.DataFrame(events).to_csv(index=False).encode())
    for kind, some in by_kind(events).items():
        tried, lost, errors = (total(some, name) for name in ("tried", "lost", "errors"))
        print(f"{kind}: {tried:,} tried, {lost} lost, {errors} errors")
    raise typer.Exit(int(failed(events)))


if __name__ == "__main__":
    run_program(app)
