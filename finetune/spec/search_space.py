"""The space of a search: what may be chosen, by dotted paths in a variant."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from finetune.spec.base import BaseSpec
from finetune.spec.dimensions import Dimension, RangeSpec
from finetune.spec.sections import sections_of
from finetune.spec.variants import VariantSpec

# The sections of a variant of which keys can be searched.
_SECTIONS = ("early_stopping", "reduce_lr", "set_lr", "schedule", "model", "training")

_OWN = "networks of your own are variants, whose files count; write a variant for each"
_MEASURE = "trials are compared by the validation loss, and nothing that measures may change"
_FIXED: Mapping[str, str] = {
    **dict.fromkeys(("factory", "architecture", "content", "fit_only"), _OWN),
    **dict.fromkeys(("loss", "accuracy", "metrics"), _MEASURE),
}

_DIMENSION_KEYS = ("range", "log", "step", "choices")
_MOST_PATHS = 100
# Below a section, as those of "training.optimizer.args.weight_decay".
_MOST_KEYS = 3

DELAY, PATIENCE = "reduce_lr.start_from_epoch", "reduce_lr.patience"
EPOCHS = "training.epochs"

# Each arm of a claim about reducing the LR is given its own best LR.
DEFAULT_SPACE: Mapping[str, RangeSpec] = {
    "reduce_lr.factor": RangeSpec(range=(0.05, 0.95), log=True),
    PATIENCE: RangeSpec(range=(1, 15)),
    DELAY: RangeSpec(range=(1, 40)),
    "training.optimizer.learning_rate": RangeSpec(range=(1e-4, 1e-1), log=True),
}


def applies(path: str, variant: VariantSpec) -> bool:
    """Return whether a path can be searched in a variant.

    Not below a policy that it lacks, and no delay where it has none: of two variants that differ
    by a delay, the one without stays without.
    """
    section, key = path.split(".")[:2]
    policy = getattr(variant, section)
    if isinstance(policy, BaseSpec):
        if key == "start_from_epoch":
            return bool(getattr(policy, key, 0))
        return key in type(policy).model_fields
    return policy is not None


def _read_paths(value: Any) -> Any:
    """Return a space by whole paths: `--set` and bare keys make tables within tables of them."""
    if not isinstance(value, Mapping):
        return value
    flat = dict(_flat(value))
    if not 1 <= len(flat) <= _MOST_PATHS:
        raise ValueError(
            f"received {len(flat)} paths; allowed are 1 to {_MOST_PATHS}; name what may be chosen, "
            'as "reduce_lr.factor" = [0.05, 0.95], or leave the section out for the default'
        )
    return flat


def _flat(table: Mapping[str, Any], *above: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        within = isinstance(value, Mapping) and value and not {*value} & {*_DIMENSION_KEYS}
        if within:
            yield from _flat(value, *above, key)
        else:
            yield ".".join((*above, key)), value


def _check_paths(space: dict[str, Any]) -> dict[str, Any]:
    for path in space:
        _check_path(path)
    return space


def _check_path(path: str) -> None:
    """Raise ValueError where a path does not lead to a key of a variant."""
    section, *keys = path.split(".")
    if section not in _SECTIONS or not keys or not all(keys) or len(path) > 200:
        raise _unknown(path, [f"{name}. ..." for name in _SECTIONS])
    candidates: list[type[BaseSpec]] = sections_of(VariantSpec.model_fields[section])
    for key in keys:
        fields = {name: field for one in candidates for name, field in one.model_fields.items()}
        if fields and key not in fields:
            raise _unknown(path, fields)
        # Below a table of the user's, as an optimizer's arguments, any key may stand.
        candidates = sections_of(fields[key]) if fields else []
    if candidates:
        raise _unknown(path, [f"{path}.{name}" for one in candidates for name in one.model_fields])
    if section in ("model", "training") and keys[0] in _FIXED:
        raise ValueError(f"received the path {path!r}, which is not searched: {_FIXED[keys[0]]}")


def _unknown(path: str, allowed: Any) -> ValueError:
    return ValueError(
        f"received the path {path[:200]!r}, which is no key of a variant; allowed there are "
        f'{", ".join(sorted(allowed))}; name one, as "training.optimizer.learning_rate"'
    )


def _add_tables(schema: dict[str, Any]) -> None:
    """Allow in the JSON Schema what begins with a section, also as tables within tables."""
    dimension = schema["additionalProperties"]
    within = dimension
    for _ in range(_MOST_KEYS):
        table = {"type": "object", "additionalProperties": within}
        within = {"anyOf": [*dimension["anyOf"], table]}
    begins = f"^({'|'.join(_SECTIONS)})"
    schema["patternProperties"] = {rf"{begins}\..": dimension, f"{begins}$": table}
    schema["additionalProperties"] = False


Space = Annotated[
    dict[str, Dimension],
    BeforeValidator(_read_paths),
    AfterValidator(_check_paths),
    Field(json_schema_extra=_add_tables),
]
