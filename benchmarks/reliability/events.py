"""Events: what came of each attempt to disturb a study.

An event has `kind` (what was attempted, in words), `tried` (how often), `lost` and `errors` (how
many) and `output` (of the program, where it tells something), and further columns of its kind.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Event = Mapping[str, Any]
Events = list[dict[str, Any]]


def by_kind(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Group events by their kind, in the order of the first of each."""
    kinds: dict[str, list[Event]] = {}
    for event in events:
        kinds.setdefault(event["kind"], []).append(event)
    return kinds


def total(events: Iterable[Event], column: str) -> int:
    """Sum a column over events."""
    return int(sum(event[column] for event in events))


def failed(events: Iterable[Event]) -> bool:
    """Return whether anything was lost or went wrong."""
    return any(event["lost"] or event["errors"] for event in events)
