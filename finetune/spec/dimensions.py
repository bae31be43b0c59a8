"""One dimension of a search's space: a range of numbers, or a list of choices."""

import json
import math
import reprlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field

from finetune.spec.base import MAX_COUNT, BaseSpec

Number = int | float

_FORMS = (
    "[low, high], a table { range = [low, high], log = true } with log, step or neither, "
    'and { choices = ["adam", "sgd"] }'
)
_MOST_STEPS = 10**6
_MOST_CHOICES = 1000


class RangeSpec(BaseSpec):
    """Numbers from one to another: whole ones where both ends and the step are."""

    range: tuple[Number, Number]
    """The lowest and the highest value."""
    log: bool = False
    """Whether they are drawn evenly on a logarithmic scale."""
    step: Number | None = None
    """The values are the lowest one and whole steps above it."""

    @property
    def low(self) -> Number:
        """The lowest value."""
        return self.range[0]

    @property
    def high(self) -> Number:
        """The highest value that can be reached: of a step, the last one within the range."""
        if self.step is None:
            return self.range[1]
        # In decimals, as 0.1 + 2 * 0.1 is meant.
        low, high, step = (Decimal(str(one)) for one in (*self.range, self.step))
        return type(self.range[0])(low + (high - low) // step * step)

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The lowest and the highest value, between which all others lie."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Return whether a value lies in the range and is of its type."""
        return type(value) is type(self.low) and self.low <= value <= self.high

    def share(self, value: float) -> float:
        """Return how far from low (0) to high (1) a value lies; the range has two ends."""
        scale = math.log if self.log else float
        return (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))

    def up_to(self, limit: int) -> Self | None:
        """Return the part of the range up to a limit; None where nothing is left."""
        low, high = self.range
        return self.model_copy(update={"range": (low, min(high, limit))}) if low <= limit else None


class ChoicesSpec(BaseSpec):
    """A list of choices of one type: text, numbers, truth values or arrays."""

    choices: tuple[Any, ...]
    """All that may be chosen."""

    @property
    def ends(self) -> tuple[Any, ...]:
        """All choices, since none lies between others."""
        return self.choices

    @property
    def by_label(self) -> Mapping[str, Any]:
        """The choices by the text that stands for each: text by itself, all else as JSON."""
        return {label(choice): choice for choice in self.choices}

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of the choices, of the same type."""
        return label(value) in self.by_label and type(value) in map(type, self.choices)

    def up_to(self, limit: int) -> Self | None:
        """Return the choices up to a limit; None where nothing is left."""
        kept = tuple(choice for choice in self.choices if choice <= limit)
        return self.model_copy(update={"choices": kept}) if kept else None


def label(value: Any) -> str:
    """Return the text that stands for a value: text itself, and all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def read_dimension(value: Any) -> RangeSpec | ChoicesSpec:
    """Return the dimension that a study file gives as an array or a table.

    Raises:
        ValueError: It is neither a range nor a list of choices, or one that holds nothing.
    """
    if isinstance(value, RangeSpec | ChoicesSpec):
        return value
    table = {"range": value} if isinstance(value, list | tuple) else value
    for keys, read in ((("choices",), _read_choices), (("range", "log", "step"), _read_range)):
        if isinstance(table, Mapping) and keys[0] in table and table.keys() <= {*keys}:
            return read(table)
    raise _refuse(value, f"are {_FORMS}", "write one of these")


def _read_range(table: Mapping[str, Any]) -> RangeSpec:
    ends, log, step = table["range"], table.get("log", False), table.get("step")
    if not isinstance(ends, list | tuple) or len(ends) != 2 or not all(map(_is_number, ends)):
        wanted = f"is [low, high], two numbers of at most {MAX_COUNT:.0e}"
        raise _refuse(ends, wanted, "for a list give { choices = [...] }")
    if ends[0] > ends[1]:
        raise _refuse(ends, "is [low, high] with low <= high", "swap the two")
    if not isinstance(log, bool):
        raise _refuse(log, "for log is true or false", "leave it out for false")
    if log and ends[0] <= 0:
        raise _refuse(ends, "with log are numbers above 0", "raise low, or leave log out")
    if step is not None:
        _check_step(step, ends, log=log)
    numbers = (*ends, *(() if step is None else (step,)))
    # A range with a fraction somewhere is one of fractions.
    kind = int if all(isinstance(one, int) for one in numbers) else float
    low, high, *steps = map(kind, numbers)
    return RangeSpec(range=(low, high), log=log, step=steps[0] if steps else None)


def _check_step(step: Any, ends: Any, *, log: bool) -> None:
    if not _is_number(step) or step <= 0:
        raise _refuse(step, "for step is a number above 0", "leave it out for every value")
    if log:
        raise _refuse(step, "beside log is no step", "leave one of the two out")
    if (ends[1] - ends[0]) / step > _MOST_STEPS:
        raise _refuse(step, f"are at most {_MOST_STEPS:,} steps in a range", "raise the step")


def _read_choices(table: Mapping[str, Any]) -> ChoicesSpec:
    choices = table["choices"]
    if not isinstance(choices, list | tuple) or not 1 <= len(choices) <= _MOST_CHOICES:
        wanted = f"for choices is a list of 1 to {_MOST_CHOICES}"
        raise _refuse(choices, wanted, "give what may be chosen")
    kinds = sorted({_kind(choice) for choice in choices})
    if len(kinds) > 1 or not kinds[0]:
        found = f"choices of {' and '.join(kind or 'other things' for kind in kinds)}"
        wanted = "are choices of one type: text, numbers, truth values or arrays of these"
        raise _refuse(choices, f"{wanted} (found: {found})", "leave the others out")
    labels = [label(choice) for choice in choices]
    if len(set(labels)) < len(labels):
        raise _refuse(choices, "is each choice once", "leave the others out")
    return ChoicesSpec(choices=tuple(choices))


def _kind(value: Any) -> str:
    """Return the type of a choice as messages name it; "" for what cannot be one."""
    if isinstance(value, bool):
        return "truth values"
    if _is_number(value):
        return "numbers"
    if isinstance(value, list | tuple):
        flat = all(_kind(one) in ("truth values", "numbers", "text") for one in value)
        return "arrays" if flat else ""
    return "text" if isinstance(value, str) and len(value) <= 80 else ""


def _is_number(value: Any) -> bool:
    """Return whether a value is a number that floats hold exactly enough to count with."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= MAX_COUNT


def _refuse(value: Any, allowed: str, remedy: str) -> ValueError:
    return ValueError(f"received {reprlib.repr(value)}; allowed {allowed}; {remedy}")


def _add_short_form(schema: dict[str, Any]) -> None:
    """Allow [low, high] in the JSON Schema, too."""
    ends = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    schema["anyOf"].append(ends)


Dimension = Annotated[
    RangeSpec | ChoicesSpec,
    BeforeValidator(read_dimension),
    Field(json_schema_extra=_add_short_form),
]
