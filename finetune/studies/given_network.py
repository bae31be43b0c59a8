"""The network that a program gives `finetune.compare`, as a study keeps it beside its results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from finetune.errors import SpecError
from finetune.models.architecture import network_json
from finetune.models.initial_values import SeededModel
from finetune.models.network_file import network_file

# The keys of `[model]` that say what is kept of a given network.
_ALLOWED = ("pretrained", "freeze")


@dataclass(frozen=True)
class GivenNetwork:
    """A network, and the section `[model]` of a study that reads it from a file."""

    seeded: SeededModel
    section: dict[str, Any]

    @property
    def model(self) -> keras.Model:
        """The network itself."""
        return self.seeded.model

    @property
    def name(self) -> str:
        """Of the file."""
        return self.section.get("file") or self.section["architecture"]

    def content(self) -> bytes:
        """Return what the file holds, the same for the same network."""
        if "file" in self.section:
            return network_file(self.seeded)
        return network_json(self.model).encode()


def given_network(build: Callable[[], keras.Model], settings: Mapping[str, Any]) -> GivenNetwork:
    """Build a network and describe it: as JSON, or with its weights where any were loaded.

    Args:
        build: Returns the network.
        settings: What the program says of `[model]`.

    Raises:
        SpecError: A setting is none of those for a given network, or does not fit it.
    """
    for key in settings:
        if key not in _ALLOWED:
            raise SpecError(
                f"model.{key}: received a setting, but the network is model_fn's; allowed are "
                f"{' and '.join(_ALLOWED)}; leave it out"
            )
    seeded = SeededModel(build)
    # Names that the settings use are the network's own, which JSON counts anew.
    if settings or seeded.loaded.loaded_layers:
        return GivenNetwork(seeded, {"file": "network.keras", **settings})
    return GivenNetwork(seeded, {"architecture": "network.json"})
