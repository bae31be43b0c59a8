"""Words for what a search tried: values, settings and dimensions of its space, unescaped."""

from collections.abc import Mapping
from typing import Any

from finetune.report.markdown import number
from finetune.spec.dimensions import ChoicesSpec, RangeSpec, label


def value_words(value: Any) -> str:
    """Return a value: fractions with three digits, whole numbers with all of theirs."""
    return number(value) if isinstance(value, float) else label(value)


def setting_words(setting: Mapping[str, Any]) -> str:
    """Return a setting: each path with its value."""
    return ", ".join(f"{path} {value_words(value)}" for path, value in setting.items())


def dimension_words(dimension: RangeSpec | ChoicesSpec) -> str:
    """Return what may be chosen: the ends of a range, or every choice."""
    if isinstance(dimension, ChoicesSpec):
        return " or ".join(map(value_words, dimension.choices))
    step = "" if dimension.step is None else f" in steps of {value_words(dimension.step)}"
    return f"{value_words(dimension.low)} to {value_words(dimension.high)}{step}"
