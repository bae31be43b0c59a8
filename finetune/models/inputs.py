"""The inputs of a network by their names."""

from collections.abc import Mapping
from typing import Any

import keras

from finetune.data.inputs import Shapes, map_inputs
from finetune.data.table import list_names


def named_inputs(model: Any) -> dict[str, Any] | None:
    """Return the symbolic input tensors of a network by name; None where Keras knows none.

    The names are those by which Keras takes a dictionary: its keys, where the network was made of
    one, or else the names of the inputs. Of a class of the user's it is not known what it takes.
    """
    found = _structure(model)
    if not isinstance(found, Mapping):
        found = {tensor.name: tensor for tensor in getattr(model, "inputs", None) or ()}
    # What is nested deeper has no names.
    plain = all(isinstance(tensor, keras.KerasTensor) for tensor in found.values())
    return dict(found) if found and plain else None


def why_no_inputs(model: Any, shapes: Shapes) -> str | None:
    """Return why a network cannot take the inputs of the data, in words; None where it may.

    Of a network whose inputs Keras does not know only a call tells.
    """
    takes = named_inputs(model)
    if takes is None or (len(takes) == 1 and not isinstance(shapes, Mapping)):
        return None
    if not isinstance(shapes, Mapping):
        return (
            f"takes {len(takes)} inputs ({list_names(list(takes))}), but the data have one; "
            "allowed are data with these names: a dictionary of arrays, or arrays of an NPZ file "
            "that data.inputs names"
        )
    if takes.keys() != shapes.keys():
        return (
            f"takes the inputs {list_names(list(takes))}, but the data have "
            f"{list_names(list(shapes))}; allowed are the same names; rename the arrays, or the "
            "inputs by keras.Input(name=...)"
        )
    differing = {name: shape for name, shape in shapes.items() if not _fits(takes[name], shape)}
    if differing:
        wanted = {name: tuple(takes[name].shape[1:]) for name in differing}
        return (
            f"takes rows of {list_shapes(wanted)}, but the data have {list_shapes(differing)}; "
            "allowed is one shape for both; change the network's input, or reshape the array"
        )
    return None


def list_shapes(shapes: Mapping[Any, tuple[int | None, ...]]) -> str:
    """Join shapes and the names of their inputs into a list, as "(8, 8, 1) for 'image'"."""
    return ", ".join(f"{shape} for {name!r}" for name, shape in shapes.items())


def _fits(tensor: Any, shape: tuple[int, ...]) -> bool:
    wanted = tensor.shape[1:]
    return len(wanted) == len(shape) and all(
        axis in (None, length) for axis, length in zip(wanted, shape, strict=True)
    )


def symbolic_rows(model: Any, shapes: Shapes) -> Any:
    """Return what a network is called with to trace shapes alone: tensors that hold no numbers.

    Keras looks for a dictionary's values by name where it computes, but not where it only traces.
    """
    rows = map_inputs(_symbolic, shapes)
    names = named_inputs(model)
    if not isinstance(rows, Mapping) or names is None or isinstance(_structure(model), Mapping):
        return rows
    return [rows[name] for name in names]


def _symbolic(shape: tuple[int, ...]) -> keras.KerasTensor:
    return keras.KerasTensor((None, *shape), dtype=keras.config.floatx())


def _structure(model: Any) -> Any:
    """Return what a functional network was made of: a tensor, a list or a dictionary of such."""
    return getattr(model, "_inputs_struct", None)
