"""What fuzzing starts from: whole files of each kind, and the words that they are made of."""

import io
import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from finetune.spec.base import BaseSpec
from finetune.spec.claims import BetterSpec, UnderfitsSpec
from finetune.spec.data import FILE_FORMATS, DataSpec
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.spec.model import ModelSpec
from finetune.spec.search import MapSpec, SearchSpec
from finetune.spec.study import StudySpec
from finetune.spec.study_file import shipped_studies
from finetune.spec.training import TrainingSpec
from finetune.spec.variants import EarlyStoppingSpec, ReduceLRSpec, VariantSpec

_SPECS: tuple[type[BaseSpec], ...] = (
    StudySpec, DataSpec, ModelSpec, TrainingSpec, VariantSpec, EarlyStoppingSpec, ReduceLRSpec,
    UnderfitsSpec, BetterSpec, SearchSpec, RangeSpec, ChoicesSpec, MapSpec,
)  # fmt: skip
_HOSTILE = (
    "../x", "/etc/passwd", "a:b", "=1+1", "\\u202e", "\\u009b", "1e999", "-1", "nan", "1e9", "{}",
    "[]", "class_name", "module", "registered_name", "Lambda", "keras.layers", "os", "vocabulary",
    "\\x93NUMPY", "PAR1",
)  # fmt: skip


def words() -> list[str]:
    """Return the keys of study files, and words that have broken programs."""
    keys = {key for spec in _SPECS for key in spec.model_fields}
    return [*sorted(keys), *_HOSTILE]


def seeds(target: str) -> Iterator[bytes]:
    """Yield whole inputs of a target."""
    if target == "studies":
        for file in sorted(shipped_studies().glob("*.toml")):
            yield file.read_bytes()
            yield file.read_bytes() + b"\n#set training.epochs=3\n#set data.source=a.csv\n"
    elif target == "tables":
        yield from _tables()
    else:
        yield json.dumps(_NETWORK).encode()


def _tables() -> Iterator[bytes]:
    rows = {"y": [0, 1, 2] * 6, "a": np.linspace(-1, 1, 18), "town": list("uvw") * 6}
    frame = pd.DataFrame(rows)
    parquet, npz = io.BytesIO(), io.BytesIO()
    frame.to_parquet(parquet)
    np.savez(npz, x=frame[["a"]].to_numpy(), y=frame["y"].to_numpy())
    contents = {
        ".csv": frame.to_csv(index=False).encode(),
        ".tsv": frame.to_csv(index=False, sep="\t").encode(),
        ".parquet": parquet.getvalue(),
        ".npz": npz.getvalue(),
    }
    for number, format in enumerate(FILE_FORMATS):
        yield bytes([number]) + contents[format]


def _layer(name: str, module: str = "keras.layers", **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


_NETWORK = _layer(
    "Sequential",
    "keras",
    layers=[
        _layer("InputLayer", batch_shape=[None, 4]),
        _layer("Dense", units=3, activation="relu", kernel_initializer=_layer("Zeros")),
        _layer("Dense", units=1, activation=_layer("function", "builtins")),
    ],
)
