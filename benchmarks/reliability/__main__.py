"""`python -m benchmarks.reliability`: try to lose results in every way, and write the report.

Each part can be run alone, as the report says for each of its lines.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from benchmarks.reliability.damage import damages
from benchmarks.reliability.disk import full_disks
from benchmarks.reliability.fuzz import inputs
from benchmarks.reliability.kills import kills as killed
from benchmarks.reliability.made_up import training_made_up
from benchmarks.reliability.report import Part, by_what, total, write_report
from benchmarks.reliability.together import together as at_once
from benchmarks.reliability.writes import writes as killed_amid_writes
from finetune.cli.terminal import answer
from finetune.store.atomic import write_whole

_PARTS = {
    "kills": ("--count 30 --seed 1", "--count 2 --seed 1"),
    "writes": ("--count 100 --seed 1", "--count 6 --seed 1"),
    "damage": ("--count 200 --seed 1", "--count 11 --seed 1"),
    "disk": ("--count 40", "--count 6"),
    "together": ("--count 10 --seed 1", "--count 2 --seed 1"),
    "fuzz": ("--seconds 60", "--seconds 6"),
}

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)
Count = Annotated[int, typer.Option(min=1, help="How many are tried.")]
Seed = Annotated[int, typer.Option(help="Draws the moments and places.")]
Events = Annotated[Path | None, typer.Option(help="CSV file for what came of each.")]


@app.callback(invoke_without_command=True)
def every_part(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/reliability"),
    quick: Annotated[bool, typer.Option("--quick", help="A few of each.")] = False,
) -> None:
    """Without a command: run every part in a process of its own, and write the report."""
    if context.invoked_subcommand is None:
        parts = [_part(name, full_or_few[quick], out) for name, full_or_few in _PARTS.items()]
        print(write_report(out, parts))
        raise typer.Exit(int(any(part.failed for part in parts)))


@app.command()
def kills(count: Count, seed: Seed = 1, events: Events = None) -> None:
    """Kill `finetune run` at random moments, and resume it."""
    _tell(killed(count, seed), events)


@app.command()
def writes(count: Count, seed: Seed = 1, events: Events = None) -> None:
    """Kill studies, searches and compactions while they write; training is made up."""
    with training_made_up():
        rows = killed_amid_writes(count, seed)
    _tell(rows, events)


@app.command()
def damage(count: Count, seed: Seed = 1, events: Events = None) -> None:
    """Damage a shard of a study, and resume it; training is made up."""
    with training_made_up():
        rows = damages(count, seed)
    _tell(rows, events)


@app.command()
def disk(count: Count, events: Events = None) -> None:
    """Fill the disk at every stage of a study and a search; training is made up."""
    with training_made_up():
        rows = full_disks(count)
    _tell(rows, events)


@app.command()
def together(count: Count, seed: Seed = 1, events: Events = None) -> None:
    """Run several programs on one folder at once; training is made up."""
    with training_made_up():
        rows = at_once(count, seed)
    _tell(rows, events)


@app.command()
def fuzz(
    seconds: Annotated[int, typer.Option(min=3, help="For atheris.")], events: Events = None
) -> None:
    """Feed anything to what reads a user's files."""
    _tell(inputs(seconds), events)


def _part(name: str, options: str, out: Path) -> Part:
    """Run a part by the command that its line will show."""
    command, clock = f"python -m benchmarks.reliability {name} {options}", time.perf_counter()
    print(f"== {command}", file=sys.stderr, flush=True)
    file = out / "tables" / f"{name}.csv"
    file.unlink(missing_ok=True)
    arguments = [*command.split()[1:], "--events", str(file)]
    subprocess.run([sys.executable, *arguments], check=False)
    return Part(command, _events(name, file), time.perf_counter() - clock)


def _events(name: str, file: Path) -> list[dict[str, Any]]:
    """Give what a part has written; where it failed to, that is what is wrong."""
    if not file.exists():
        return [{"what": name, "tried": 0, "lost": 0, "wrong": 1, "said": "the command failed"}]
    return pd.read_csv(file).to_dict("records")  # pyright: ignore[reportReturnType]


def _tell(rows: list[dict[str, Any]], events: Path | None) -> None:
    """Print how many were tried and what came of them; exit with 1 if anything was lost."""
    # Where this machine keeps what is temporary is nobody's business.
    here = re.escape(tempfile.gettempdir()) + r"/\w+/"
    for row in rows:
        row["said"] = re.sub(here, "", row["said"])
    if events:
        write_whole(events, pd.DataFrame(rows).to_csv(index=False).encode())
    for what, found in by_what(rows).items():
        tried, lost, wrong = (total(found, name) for name in ("tried", "lost", "wrong"))
        print(f"{what}: {tried:,} tried, {lost} lost, {wrong} wrong")
    raise typer.Exit(int(any(row["lost"] or row["wrong"] for row in rows)))


if __name__ == "__main__":
    answer(app)
