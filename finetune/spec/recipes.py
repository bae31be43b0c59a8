"""Recipes: the digest of all that determines the numbers of a variant's runs, but the seed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from finetune.spec.base import BaseSpec
from finetune.spec.data import DataSpec
from finetune.spec.metrics import REGRESSION_METRICS
from finetune.spec.model import ModelSpec
from finetune.spec.training import TrainingSpec
from finetune.spec.variants import VariantSpec

# In every digest. Raise it when a change to the code changes the numbers that runs produce.
NUMERICS_VERSION = 1

_NO_DECISIONS = ("name", "model", "training")

# In the digest of data that may hold text, whose reading it counts. Raise it when text is read as
# other numbers or categories, so that no run of the earlier reading passes for one of the new.
READING_VERSION = 2

# In the digest of networks that the user's code builds, which may load weights. Raise it when other
# weights are kept of what such code loads.
LOADING_VERSION = 2


def digest(inputs: Mapping[str, Any]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `inputs`, whatever its key order."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _non_defaults(section: BaseSpec) -> dict[str, Any]:
    """Return what differs from the defaults, so that a key added later leaves old digests alone."""
    return section.model_dump(mode="json", exclude_defaults=True)


def variant_inputs(variant: VariantSpec) -> dict[str, Any]:
    """Return what determines a variant's decisions; its network and training are not among it."""
    inputs = _non_defaults(variant)
    return {key: value for key, value in inputs.items() if key not in _NO_DECISIONS}


def data_inputs(data: DataSpec) -> dict[str, Any]:
    """Return what determines the rows and their split; a file counts by its SHA-256, not its path.

    The format stays, since the same bytes read as CSV and as TSV are different rows.
    """
    inputs = _non_defaults(data)
    # Whether it was set or is the default, it is the same split.
    inputs.pop("stratify", None)
    if data.stratified:
        inputs["stratify"] = True
    # So classes keep their recipes, and numbers have those of before where they are not scaled.
    inputs.pop("scale_target", None)
    if data.scale_target and data.may_be_regression:
        inputs["scale_target"] = True
    # Their order says nothing of the numbers either.
    if data.inputs:
        inputs["inputs"] = sorted(data.inputs)
    if data.content and data.kind == "file":
        inputs["source"] = data.format
    # Neither scikit-learn nor `compare`, which writes an NPZ file, brings columns of text.
    if data.kind != "sklearn" and data.format != ".npz":
        inputs["reading"] = READING_VERSION
    return inputs


def model_inputs(model: ModelSpec) -> dict[str, Any]:
    """Return what determines the network; a file counts by its SHA-256, not its path."""
    inputs = _non_defaults(model)
    # The engine counts by itself.
    inputs.pop("fit_only", None)
    for kind in ("architecture", "file"):
        if model.content and kind in inputs:
            inputs[kind] = "file"
    if model.factory:
        inputs["loading"] = LOADING_VERSION
    if model.begins_like:
        inputs["begins_like"] = model_inputs(model.begins_like)
    return inputs


def training_inputs(training: TrainingSpec) -> dict[str, Any]:
    """Return what determines how a run is trained."""
    inputs = _non_defaults(training)
    # Allowed only where it is the default for the task, and so the same recipe as without it.
    if inputs.get("loss") == "binary_crossentropy":
        del inputs["loss"]
    # Their order says nothing of the numbers; these are allowed only where they are the default.
    if training.metrics is not None:
        inputs["metrics"] = sorted(training.metrics)
        if inputs["metrics"] == sorted(REGRESSION_METRICS):
            del inputs["metrics"]
    return inputs
