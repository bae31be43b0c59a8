"""The report of what was tried, `report.md`; beside it a table of events for each part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

_EVERY_PART = "python -m benchmarks.reliability"

_MEANING = (
    "**kill -9 of `finetune run`**: real programs that really train, by either engine, in one "
    "process or with worker processes. Killed are all of the processes, the first of them or a "
    "worker, at a moment drawn between a quarter and the whole of the time that the study takes; "
    "the same command is then given again until it is done.",
    "**kill -9 amid a study, a search, a compaction**: the same commands with made-up training, "
    "each in a fork, killed up to 0.01 s (a search up to 0.3 s) after it has touched its folder a "
    "number of times that is drawn.",
    "**damage to a shard**: one file of a shard has a bit flipped, is cut short, emptied, made "
    "longer, overwritten, replaced by another shard, a folder or a link, or removed; then the "
    "study is run again. Damage must be told by the shard's name, and the damaged file must lie "
    "in `store/set-aside` as it was.",
    "**full disk**: from one touch of the folder on no file can grow, or a small tmpfs is full; "
    "the command must end with one line and exit code 2, and go on once there is room.",
    "**five programs on one folder at once**: two runs of one study, one of another study and two "
    "compactions, begun within half a second.",
    "**files**: study files, overrides, data files and networks that are damaged or no such "
    "thing; each must give a value or an error of one line.",
    "**Lost** counts stored runs and trials that cannot be read afterwards, and damage that was "
    "not told or not kept. **Wrong** counts results in which a table or the verdict differs by a "
    "byte from an undisturbed run, and programs that end in another way than they should.",
)


Event = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """What a command found, in so many seconds.

    An event has `what` was tried, `tried` (how often), `lost` and `wrong` (how much), and more.
    """

    command: str
    events: Sequence[Event]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether anything was lost or is wrong."""
        return any(event["lost"] or event["wrong"] for event in self.events)


def by_what(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Give the events of each kind."""
    kinds: dict[str, list[Event]] = {}
    for event in events:
        kinds.setdefault(event["what"], []).append(event)
    return kinds


def total(events: Iterable[Event], name: str) -> int:
    """Add up what the events say of something."""
    return int(sum(event[name] for event in events))


def write_report(out: Path, parts: Sequence[Part]) -> Path:
    """Write `report.md` into the folder; give its path."""
    write_whole(out / "report.md", render(parts).encode())
    return out / "report.md"


def render(parts: Sequence[Part]) -> str:
    """Give the report as Markdown."""
    events = [event for part in parts for event in part.events]
    sections = [
        Section("What the lines mean", bullets(*_MEANING)),
        Section("Where the kills fell", _moments(events)),
        Section("Reproduce", code_block(f"{_EVERY_PART}\n", language="bash")),
        Section("Machine and versions", _provenance(parts)),
    ]
    opening = paragraphs(_summary(events), _lines(parts))
    return join_sections("Reliability", opening=opening, sections=sections)


def _summary(events: Sequence[Event]) -> str:
    tried = {
        "kills": "kill -9",
        "corruptions": "damage",
        "full disks": "full",
        "races of five programs": "five programs",
        "fuzzed inputs": "files",
    }
    counts = [
        f"{total((e for e in events if e['what'].startswith(start)), 'tried'):,} {said}"
        for said, start in tried.items()
    ]
    lost, wrong = total(events, "lost"), total(events, "wrong")
    if not lost and not wrong:
        came = "Nothing was lost, and no number differs from an undisturbed run by a byte."
    else:
        came = f"**Something is amiss: {lost} losses and {wrong} wrong results.**"
    return f"Tried: **{', '.join(counts)}**. {came}"


def _lines(parts: Sequence[Part]) -> str:
    rows = [
        [what, _tried(found), str(total(found, "lost")), str(total(found, "wrong")), code(command)]
        for command, events in ((part.command, part.events) for part in parts)
        for what, found in by_what(events).items()
    ]
    columns = ["what was tried", "how often", "lost", "wrong", "command"]
    return table(rows, columns=columns, align="left")


def _tried(found: Sequence[Event]) -> str:
    """Give how often something was tried, or why it was not."""
    tried = total(found, "tried")
    return f"{tried:,}" if tried else f"left out: {found[-1]['said']}"


def _moments(events: Sequence[Event]) -> str:
    """Say what the kills found and left: they fell amid work, not beside it."""
    kills = [event for event in events if event["what"].startswith("kill -9") and event["tried"]]
    rows = [
        [
            what,
            _count(not e["runs_stored"] for e in found),
            _count(e["runs_stored"] and not e["report"] for e in found),
            _count(e["report"] for e in found),
            _count(e["uncommitted"] for e in found),
            _count(e["partial"] for e in found),
        ]
        for what, found in by_what(kills).items()
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


def _count(those: Iterable[Any]) -> str:
    return str(sum(map(bool, those)))


def _provenance(parts: Sequence[Part]) -> str:
    said = {**machine(), **versions()}
    took = {f"{part.command.split()[3]}, seconds": f"{part.seconds:.0f}" for part in parts}
    rows = [[name, str(value)] for name, value in {**said, **took}.items()]
    return table(rows, columns=["", "value"])
