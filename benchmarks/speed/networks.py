"""The networks that are timed, from the founding one to images and sequences, each as a study.

Data and variants are the founding study's where nothing else is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec

_MADE = "benchmarks.speed.factories"
_DIGITS = (
    "data.source=load_digits",
    "data.args={}",
    "training.loss=sparse_categorical_crossentropy",
)


@dataclass(frozen=True)
class Network:
    """A network and the rows that it trains on.

    Attributes:
        label: What it is, in the report's words.
        overrides: Of the founding study, as `--set` takes them.
        target: How many times faster than tuned `fit` our engine is meant to be.
        limit: What limits our engine, in the report's words.
        why_not_jax: Why the plain jax trainer cannot express it; "" if it can.
        epochs: For which every run is trained, if it does not stop early.
    """

    label: str
    overrides: tuple[str, ...]
    target: float
    limit: str
    why_not_jax: str = "it has dense layers alone"
    epochs: int = 100

    def study(self) -> StudySpec:
        """Return the study that trains it."""
        return load_spec(overrides=["claims=[]", *self.overrides])


def _own(factory: str, rows: str = "") -> tuple[str, ...]:
    data = (f"data.source={_MADE}:{rows}", "data.args={}") if rows else ()
    return (*data, f"model.factory={_MADE}:{factory}")


NETWORKS: Mapping[str, Network] = {
    "founding": Network("founding MLP", (), 100, "products of small matrices", why_not_jax=""),
    "regularised": Network(
        "the same with dropout and batch normalisation",
        ("model.dropout=0.3", "model.batch_normalization=true"),
        60,
        "passes over activations: moments, masks, random numbers",
        why_not_jax="it has no dropout",
    ),
    "digits": Network(
        "10-class MLP on digits",
        _DIGITS,
        30,
        "products of small matrices",
        why_not_jax="it has two classes alone",
    ),
    "cnn-8": Network(
        "CNN on 8x8 digits",
        (*_DIGITS, "data.shape=[8, 8, 1]", *_own("small_cnn")),
        3,
        "the arithmetic, of few channels, and passes over activations",
        epochs=40,
    ),
    "cnn-32": Network(
        "CNN on synthetic 32x32x3 images",
        _own("cnn", "images"),
        1.2,
        "the arithmetic, which `fit` does as fast; what is gained is shared rows",
        epochs=20,
    ),
    "lstm": Network(
        "LSTM on sequences of 50",
        _own("lstm", "sequences"),
        5,
        "fifty steps one after another, each kept for the gradients",
        epochs=20,
    ),
    "embedding": Network(
        "embedding with pooling",
        _own("embedding", "token_ids"),
        15,
        "Adam, which moves all 32,000 embedded numbers of a row in each step",
    ),
    "frozen": Network(
        "frozen base with a head",
        _own("frozen_base"),
        0,
        "products of small matrices; the base is computed once",
        why_not_jax="it trains all layers",
    ),
}
