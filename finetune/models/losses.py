"""Which loss fits a task, and what the network's outputs must be for it."""

from finetune.errors import SpecError
from finetune.spec.data import TargetTask

# What the last layer does and how many outputs it has, told by the loss.
OUTPUT_ACTIVATIONS: dict[str | None, str] = {
    "binary_crossentropy": "sigmoid",
    "binary_focal_crossentropy": "sigmoid",
    "sparse_categorical_crossentropy": "softmax",
}


USUAL_LOSSES: dict[TargetTask, str] = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mean_squared_error",
}


_ALLOWED: dict[TargetTask, str] = {
    "binary": "are 'binary_crossentropy' and other losses of one output",
    "multiclass": "is 'sparse_categorical_crossentropy'",
    "regression": "are 'mean_squared_error' and other losses of numbers",
}


def is_classification(loss: str | None) -> bool:
    """Tell whether a loss is one of a classifier, for which accuracy is measured too."""
    return loss in OUTPUT_ACTIVATIONS


def fitting_loss(wanted: str | None, *, task: TargetTask, n_classes: int) -> str:
    """Give the loss to train with: the wanted one, or the one that is usual for the task.

    Two classes may be told apart by any loss of one output; more classes need one of as many.

    Raises:
        SpecError: The wanted loss is not one for the task.
    """
    if wanted is None:
        return USUAL_LOSSES[task]
    # With Keras's other names for them the output layer would not fit.
    other = wanted.lower().replace("_", "").endswith(("crossentropy", "bce"))
    fits = {
        "binary": is_classification(wanted) or not other,
        "multiclass": wanted == USUAL_LOSSES["multiclass"],
        "regression": not other,
    }
    if not fits[task]:
        target = f"{n_classes} classes" if n_classes else "numbers for regression"
        raise SpecError(
            f"training.loss: received {wanted!r}; the target has {target}; allowed "
            f"{_ALLOWED[task]}; leave it out, or say data.task"
        )
    return wanted
