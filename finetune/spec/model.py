"""The section `[model]` of a study: the network."""

from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from finetune.spec.base import IMPORT_PATH, PRINTABLE, Name, UserFileSpec

FileName = Annotated[str, Field(min_length=1, max_length=1000, pattern=PRINTABLE)]
Layers = Annotated[tuple[Name, ...], Field(max_length=1000)]
Units = Annotated[int, Field(ge=1, le=10**6)]

# What describes the network of Dense layers, and no other.
DENSE_KEYS = frozenset(
    {"hidden", "activation", "kernel_initializer", "dropout", "batch_normalization"}
)


class ModelSpec(UserFileSpec):
    """The network: Dense layers with an output layer that fits the task, or one of the user's.

    `hidden` holds the units of each hidden layer, `kernel_initializer` names the class of
    `keras.initializers` that draws their weights. `batch_normalization` comes between each hidden
    layer and its activation, `dropout` (a rate) after it. `factory` is
    `module:function(input_shape, n_outputs)`; `architecture` is a file that `keras.Model.to_json`
    wrote, `file` one with weights that `keras.Model.save` wrote. `fit_only` says why
    `keras.Model.fit` alone trains the network exactly; without it that is found out when the
    network is built.

    Of what a factory or a file loads, `pretrained` says what is kept: "frozen" keeps it in layers
    with nothing to train, and draws all others for each seed; "all" starts from all of it, and
    names of layers from theirs. `freeze` names layers that do not train. In names * and ? stand for
    any characters.
    """

    hidden: Annotated[tuple[Units, ...], Field(max_length=1000)] = (64, 32, 16)
    activation: Name = "relu"
    kernel_initializer: Name = "glorot_uniform"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    batch_normalization: bool = False
    factory: Annotated[str, Field(pattern=IMPORT_PATH)] | None = None
    architecture: FileName | None = None
    fit_only: FileName | None = None
    file: FileName | None = None
    pretrained: Literal["frozen", "all"] | Layers = "frozen"
    freeze: Layers = ()

    _begins_like: "ModelSpec | None" = PrivateAttr(default=None)

    @property
    def begins_like(self) -> "ModelSpec | None":
        """The network with which this one shares initial weights, by layer name and shape."""
        return self._begins_like

    def beginning_like(self, other: "ModelSpec") -> "ModelSpec":
        """Return a copy whose layers begin with the weights that `other`'s of the same name have.

        A network that differs in nothing begins with the same weights anyway.
        """
        model = self.model_copy()
        model._begins_like = None if self == other else other
        return model

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        given = [name for name in ("factory", "architecture", "file") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are all there; allowed is one of them")
        return self

    @property
    def own(self) -> str | None:
        """What makes a network of the user's; None for the default one."""
        return self.factory or self.architecture or self.file
