"""Overrides `KEY=VALUE` of a study file: dotted keys, values as TOML writes them."""

import tomllib
from typing import Any

from finetune.errors import SpecError
from finetune.spec.messages import shorten


def apply_override(tree: dict[str, Any], override: str) -> None:
    """Set one value in a tree of dictionaries and lists, in place.

    Args:
        tree: A study file as parsed.
        override: As `training.epochs=50` or `variants.2.reduce_lr.patience=1`: items of lists go by
            their number, from 0; tables that are not there are added.

    Raises:
        SpecError: It is not of that form, or leads to no item of a list or into a plain value.
    """
    key, separator, text = override.partition("=")
    steps = key.strip().split(".")
    if not separator or not all(steps):
        raise SpecError(
            f"--set: received {override!r}; allowed is KEY=VALUE, as training.epochs=50"
        )
    node: Any = tree
    for depth, step in enumerate(steps[:-1]):
        node = _descend(node, step, at=".".join(steps[: depth + 1]))
    if isinstance(node, list):
        node[_index(node, steps[-1], at=key)] = _parse_value(text)
    elif isinstance(node, dict):
        node[steps[-1]] = _parse_value(text)
    else:
        raise _no_keys(node, at=key)


def _descend(node: Any, step: str, *, at: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, step, at=at)]
    if isinstance(node, dict):
        return node.setdefault(step, {})
    raise _no_keys(node, at=at)


def _no_keys(node: Any, *, at: str) -> SpecError:
    return SpecError(f"--set: {at!r} goes below {shorten(node)}, which has no keys")


def _index(items: list[Any], step: str, *, at: str) -> int:
    if step not in map(str, range(len(items))):
        raise SpecError(
            f"--set: received {at!r}; allowed numbers there are 0 to {len(items) - 1}, since the "
            f"list has {len(items)} entries"
        )
    return int(step)


def _parse_value(text: str) -> Any:
    """Parse a TOML value; what is not TOML is taken as plain text, so names need no quotes."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()
    # A line break in the text could set further keys.
    return parsed["value"] if len(parsed) == 1 else text
