"""Recipes: the digest of all that determines the numbers of a variant's runs, but the seed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from finetune.spec.base import BaseSpec
from finetune.spec.data import DataSpec
from finetune.spec.model import ModelSpec
from finetune.spec.training import TrainingSpec
from finetune.spec.variants import VariantSpec

# Part of every digest. Raise it when a change to the code changes the numbers that runs produce.
NUMERICS_VERSION = 1


def digest(parts: Mapping[str, Any]) -> str:
    """Give 16 hexadecimal digits that name the content, whatever the order of its keys."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _non_defaults(part: BaseSpec) -> dict[str, Any]:
    """Give what differs from the defaults, so that a key added later leaves old digests alone."""
    return part.model_dump(mode="json", exclude_defaults=True)


def policy_parts(variant: VariantSpec) -> dict[str, Any]:
    """Return what determines a variant's decisions: all but its name."""
    parts = _non_defaults(variant)
    del parts["name"]
    return parts


def data_parts(data: DataSpec) -> dict[str, Any]:
    """Give what determines the rows: the way they are split, and a file's content, not its path."""
    parts = _non_defaults(data)
    parts.pop("stratify", None)
    if data.stratified:
        parts["stratify"] = True
    if data.content and data.kind == "file":
        parts["source"] = data.format
    return parts


def model_parts(model: ModelSpec) -> dict[str, Any]:
    """Return what determines the network: a file's content, not its path."""
    parts = _non_defaults(model)
    if model.content and model.architecture:
        parts["architecture"] = "file"
    return parts


def training_parts(training: TrainingSpec) -> dict[str, Any]:
    """Return what determines how a run is trained."""
    parts = _non_defaults(training)
    # It is allowed only where the task would choose it anyway, and so it is the same recipe.
    if parts.get("loss") == "binary_crossentropy":
        del parts["loss"]
    return parts
