"""Which loss and which accuracy fit a target, and what the network's outputs must be for them."""

from finetune.data.summary import Constant
from finetune.errors import SpecError
from finetune.spec.data import TargetTask
from finetune.spec.training import Accuracy

USUAL_LOSSES: dict[TargetTask, str] = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mean_squared_error",
}

# The activation of the last layer, by loss; any other loss has a linear output.
OUTPUT_ACTIVATIONS: dict[str | None, str] = {
    "binary_crossentropy": "sigmoid",
    "binary_focal_crossentropy": "sigmoid",
    "sparse_categorical_crossentropy": "softmax",
}

# Those of the difference between target and prediction, which scaling a target only rescales.
_OF_DIFFERENCES = (
    "mean_squared_error", "mse", "mean_absolute_error", "mae", "huber", "log_cosh",
)  # fmt: skip

_ALLOWED: dict[TargetTask, str] = {
    "binary": "are 'binary_crossentropy' and other losses of one output",
    "multiclass": "is 'sparse_categorical_crossentropy'",
    "regression": "are 'mean_squared_error' and other losses of numbers",
}


def is_classification(loss: str | None) -> bool:
    """Return whether a loss is one of a classifier, for which accuracy is measured too."""
    return loss in OUTPUT_ACTIVATIONS


def fitting_loss(wanted: str | None, *, task: TargetTask, n_classes: int) -> str:
    """Return the loss to train with: the wanted one, or the one that is usual for the task.

    Two classes can be separated by any loss of one output; more classes need one of as many.

    Raises:
        SpecError: The wanted loss is not one for the task.
    """
    if wanted is None:
        return USUAL_LOSSES[task]
    # Keras's other names of these losses: the output layer is chosen by the usual ones.
    other = _flat(wanted).endswith(("crossentropy", "bce"))
    fits = {
        "binary": is_classification(wanted) or not other,
        "multiclass": wanted == USUAL_LOSSES["multiclass"],
        "regression": not other,
    }
    if not fits[task]:
        target = f"{n_classes} classes" if n_classes else "numbers for regression"
        raise SpecError(
            f"training.loss: received {wanted!r}; the target has {target}; allowed "
            f"{_ALLOWED[task]}; leave it out, or set data.task"
        )
    return wanted


def check_loss_of_scaled(loss: str) -> None:
    """Check that a loss means the same of a standardised target, which has values below 0.

    Raises:
        SpecError: It is another one, such as those of shares or counts.
    """
    known = {_flat(name) for name in _OF_DIFFERENCES}
    if _flat(loss) not in known:
        raise SpecError(
            f"training.loss: received {loss!r}, but the target is standardised, so that about half "
            f"of it is below 0; allowed with that are {', '.join(map(repr, _OF_DIFFERENCES))}; "
            "say data.scale_target = false"
        )


def constant_prediction(loss: str) -> Constant | None:
    """Return which constant prediction is best under a loss; None where no formula tells."""
    match _flat(loss):
        case "meansquarederror" | "mse":
            return "mean"
        case "meanabsoluteerror" | "mae":
            return "median"
        case "binarycrossentropy" | "sparsecategoricalcrossentropy":
            return "shares"
    return None


def _flat(name: str) -> str:
    """Return what Keras's names of one loss, a function or a class, have in common."""
    return name.lower().replace("_", "")


def fitting_accuracy(wanted: Accuracy | None, *, task: TargetTask, loss: str) -> Accuracy | None:
    """Return the accuracy to measure, a function of `keras.metrics`; None where there is none.

    Raises:
        SpecError: The wanted accuracy does not fit the network's outputs.
    """
    if wanted and task == "regression":
        raise SpecError(
            f"training.accuracy: received {wanted!r}, but the target is numbers for regression, of "
            "which none is right or wrong; allowed with classes; leave it out"
        )
    # Beginning with "sparse", it takes a class index and an output a class.
    of_classes = loss == USUAL_LOSSES["multiclass"]
    if wanted and wanted.startswith("sparse") != of_classes:
        fitting = "those that begin with sparse" if of_classes else "binary_accuracy"
        raise SpecError(
            f"training.accuracy: received {wanted!r} with the loss {loss!r}; allowed with it: "
            f"{fitting}; leave it out to follow the task"
        )
    if wanted or not is_classification(loss):
        return wanted
    return "sparse_categorical_accuracy" if of_classes else "binary_accuracy"
