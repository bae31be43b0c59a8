"""The report of what was tried, `report.md`; beside it a table of events for each experiment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.events import Event, by_kind, failed, total
from finetune.report.markdown import (
    Section,
    bullets,
    code,
    code_block,
    join_sections,
    paragraphs,
    table,
)
from finetune.store.atomic import write_whole
from finetune.store.machine import machine
from finetune.store.versions import versions

_MEANING = (
    "**kill -9 of `finetune run`**: real programs that really train, by either engine, in one "
    "process or with worker processes. Killed are all of the processes, the first of them or a "
    "worker, at a moment drawn between a quarter and the whole of the time that the study takes; "
    "the same command is then given again until it is done.",
    "**kill -9 amid a study, a search, a compaction**: the same commands with simulated training, "
    "each in a fork, killed up to 0.01 s (a search up to 0.3 s) after a file operation in its "
    "folder that is drawn.",
    "**damage to a shard**: one file of a shard has a bit flipped, is cut short, emptied, made "
    "longer, overwritten, replaced by another shard, a folder or a link, or removed; then the "
    "study is run again. A note must name the damaged shard, and the damaged file must lie in "
    "`store/set-aside` as it was.",
    "**full disk**: from one file operation in the folder on no file can grow, or a small tmpfs is "
    "full; the command must end with one line and exit code 2, and go on once there is room.",
    "**five programs on one folder at once**: two runs of one study, one of another study and two "
    "compactions, started within half a second.",
    "**hostile**: into the folder of a finished study is put what a stranger may put there: shards "
    "that are named as they should be and hold something else, links that lead out, what is no "
    "identity, pipes, devices and folders in the place of files, names that spreadsheets and "
    "browsers obey; and beside a study modules that Python might import. What can be trained anew "
    "must be, with the same tables; all else must end in one line.",
    "**files**: study files, overrides, data files and networks that are damaged or no such "
    "thing; each must give a value or an error of one line.",
    "**Lost** counts stored runs and trials that cannot be read afterwards, and damage that was "
    "not noted or not kept. **Errors** counts results in which a table or the verdict differs by a "
    "byte from an undisturbed run, and programs that end in another way than they should.",
)


@dataclass(frozen=True)
class Experiment:
    """A command that tried to lose results, its events, and the seconds that it took."""

    command: str
    events: Sequence[Event]
    seconds: float


def write_report(out: Path, experiments: Sequence[Experiment]) -> Path:
    """Write `report.md` into the folder; return its path."""
    write_whole(out / "report.md", render(experiments).encode())
    return out / "report.md"


def render(experiments: Sequence[Experiment]) -> str:
    """Return the report as Markdown."""
    events = [event for experiment in experiments for event in experiment.events]
    reproduce = code_block("python -m benchmarks.reliability\n", language="bash")
    sections = [
        Section("What the lines mean", bullets(*_MEANING)),
        Section("When the kills came", _kills(events)),
        Section("What hostile folders did", _hostile(events)),
        Section("Reproduce", reproduce),
        Section("Machine and versions", _provenance(experiments)),
    ]
    opening = paragraphs(_summary(events), _lines(experiments))
    return join_sections("Reliability", opening=opening, sections=sections)


def _summary(events: Sequence[Event]) -> str:
    # What is counted together: the kinds that begin alike.
    counted = {
        "kills": "kill -9",
        "corruptions": "damage",
        "full disks": "full",
        "hostile folders": "hostile",
        "races of five programs": "five programs",
        "fuzzed inputs": "files",
    }
    counts = [
        f"{total((e for e in events if e['kind'].startswith(start)), 'tried'):,} {name}"
        for name, start in counted.items()
    ]
    if failed(events):
        lost, errors = total(events, "lost"), total(events, "errors")
        result = f"**Something is amiss: {lost} losses and {errors} errors.**"
    else:
        result = "Nothing was lost, and no number differs from an undisturbed run by a byte."
    return f"Tried: **{', '.join(counts)}**. {result}"


def _lines(experiments: Sequence[Experiment]) -> str:
    rows = [
        [
            kind,
            _tried(events),
            str(total(events, "lost")),
            str(total(events, "errors")),
            code(experiment.command),
        ]
        for experiment in experiments
        for kind, events in by_kind(experiment.events).items()
    ]
    columns = ["what was tried", "how often", "lost", "errors", "command"]
    return table(rows, columns=columns, align="left")


def _tried(events: Sequence[Event]) -> str:
    """Return how often something was tried, or why it was not."""
    tried = total(events, "tried")
    return f"{tried:,}" if tried else f"left out: {events[-1]['output']}"


def _kills(events: Sequence[Event]) -> str:
    """Return a table of what the folder held after kills: they came amid work, not beside it."""
    kills = [event for event in events if event["kind"].startswith("kill -9") and event["tried"]]
    rows = [
        [
            kind,
            _count(not e["runs_stored"] for e in some),
            _count(e["runs_stored"] and not e["report"] for e in some),
            _count(e["report"] for e in some),
            _count(e["uncommitted"] for e in some),
            _count(e["partial"] for e in some),
        ]
        for kind, some in by_kind(kills).items()
    ]
    columns = [
        "kills", "nothing stored yet", "runs stored, no report yet", "a report is there",
        "half a shard is there", "half a file is there",
    ]  # fmt: skip
    note = (
        "What the folder held after the kill. Halves may be those of an earlier kill: once they "
        "are an hour old, the next run removes half files, and `finetune compact` half shards."
    )
    return paragraphs(table(rows, columns=columns), note) if rows else ""


def _hostile(events: Sequence[Event]) -> str:
    """Return a table of what came of folders that strangers may send."""
    planted = [event for event in events if event["kind"].startswith("hostile")]
    counted = ("tried", "code_run", "lost", "tracebacks")
    rows = [
        [kind, *(str(total(some, name)) for name in counted)]
        for kind, some in by_kind(planted).items()
    ]
    columns = ["planted", "tried", "code run", "lost", "tracebacks"]
    return table(rows, columns=columns) if rows else ""


def _count(truths: Iterable[Any]) -> str:
    return str(sum(map(bool, truths)))


def _provenance(experiments: Sequence[Experiment]) -> str:
    seconds = {f"{e.command.split()[3]}, seconds": f"{e.seconds:.0f}" for e in experiments}
    values = {**machine(), **versions(), **seconds}
    return table([[name, str(value)] for name, value in values.items()], columns=["", "value"])
