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
    """The network: Dense layers with an output layer that fits the task, or one of the user's."""

    hidden: Annotated[tuple[Units, ...], Field(max_length=1000)] = (64, 32, 16)
    """Units of each hidden layer."""
    activation: Name = "relu"
    """Activation of the hidden layers, by its name in Keras."""
    kernel_initializer: Name = "glorot_uniform"
    """What draws the weights of the hidden layers, by its name in `keras.initializers`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Rate of dropout after each hidden layer."""
    batch_normalization: bool = False
    """Whether batch normalisation comes between each hidden layer and its activation."""
    factory: Annotated[str, Field(pattern=IMPORT_PATH)] | None = None
    """A network of your own: `module:function(input_shape, n_outputs)` returns a keras.Model; of
    several inputs the shapes are a dictionary."""
    architecture: FileName | None = None
    """A network of your own: a file that `keras.Model.to_json` wrote."""
    fit_only: FileName | None = None
    """Why `keras.Model.fit` alone trains the network exactly; without it that is found out when the
    network is built."""
    file: FileName | None = None
    """A network of your own, with weights: a file that `keras.Model.save` wrote."""
    pretrained: Literal["frozen", "all"] | Layers = "frozen"
    """What is kept of what a factory or a file loads: "frozen" keeps it in layers with nothing to
    train and draws all others for each seed; "all" starts from all of it, and names of layers from
    theirs, in which * and ? stand for any characters."""
    freeze: Layers = ()
    """Names of layers that do not train, in which * and ? stand for any characters."""

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
