"""A network and what was loaded into it as a file in Keras's own format."""

import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from finetune.models.architecture import network_json
from finetune.models.initial_values import SeededModel, is_seed_state
from finetune.models.layer_names import names_in_network

# The key beside Keras's own under which the file lists the positions of what was loaded.
LOADED = "loaded_variables"

# An archive dates its members; the same network must give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def network_file(seeded: SeededModel) -> bytes:
    """Return what `model.file` reads: the network, and the values that were loaded into it.

    Variables that nothing was loaded into are 0 there, and are drawn by their initialisers
    when the file is read.
    """
    # Built again, since the names of layers tell how many were made before.
    tree = json.loads(network_json(seeded.model, names=names_in_network(seeded.model)))
    model: Any = keras.saving.deserialize_keras_object(tree)
    loaded = seeded.loaded_positions()
    for index, (ours, given) in enumerate(
        zip(model.variables, seeded.model.variables, strict=True)
    ):
        kept = index in loaded and not is_seed_state(given)
        ours.assign(given if kept else keras.ops.zeros_like(ours))
    buffer = io.BytesIO()
    with TemporaryDirectory() as folder, zipfile.ZipFile(buffer, "w") as archive:
        weights = Path(folder, "model.weights.h5")
        model.save_weights(weights)
        content = {
            "metadata.json": json.dumps({"keras_version": keras.__version__}).encode(),
            "config.json": json.dumps({**tree, LOADED: loaded}).encode(),
            weights.name: weights.read_bytes(),
        }
        for name, value in content.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), value)
    return buffer.getvalue()
