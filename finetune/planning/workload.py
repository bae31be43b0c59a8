"""The size of a study's network, where the study's files say it, and of the work to train it."""

import math
from itertools import pairwise

from finetune.engines.base import FOUNDING_WORKLOAD, Workload
from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.usercode.files import locate_file
from finetune.usercode.keras_config import read_network, read_saved_network
from finetune.usercode.network_size import count_network_weights


def count_weights(spec: StudySpec, n_features: int) -> int | None:
    """Return the number of weights of the network; None where the user's code builds it.

    Raises:
        SpecError: The file of the network cannot be read.
    """
    model = spec.model
    if model.factory:
        return None
    if model.architecture:
        field = "model.architecture"
        file = locate_file(model, model.architecture, field=field, error=SpecError)
        return count_network_weights(read_network(file, field=field), n_features)
    if model.file:
        file = locate_file(model, model.file, field="model.file", error=SpecError)
        return count_network_weights(read_saved_network(file, field="model.file"), n_features)
    sizes = (n_features, *model.hidden, 1)
    return sum((size + 1) * units for size, units in pairwise(sizes))


def training_workload(spec: StudySpec, n_rows: int, n_weights: int | None) -> Workload:
    """Return the workload of a run, with the founding study's weights where none are known."""
    share = 1 - spec.data.test_size - spec.data.val_size
    return Workload(
        n_rows=max(1, math.ceil(n_rows * share)),
        n_weights=n_weights or FOUNDING_WORKLOAD.n_weights,
        batch_size=spec.training.batch_size,
    )
