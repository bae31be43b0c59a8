"""The engines by name. Importing one loads TensorFlow, so it happens where training happens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from finetune.engines.base import Engine
from finetune.spec.study import EngineName


@cache
def engine(name: EngineName) -> Engine:
    """Give the engine of that name, the same one at every call, with the graphs it has traced."""
    with _standard_error_closed():
        import tensorflow as tf

        tf.constant(0)
    if name == "keras":
        from finetune.engines.keras_fit import KerasEngine

        return KerasEngine()
    from finetune.engines.population.engine import PopulationEngine

    return PopulationEngine()


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Keep from the user what TensorFlow's C++ says on loading, which no setting silences."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
