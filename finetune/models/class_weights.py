"""Class weights: what each class counts in the training loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from finetune.errors import SpecError


@dataclass(frozen=True)
class ClassWeights:
    """What weighs the classes: "balanced", or a weight for each class by its number."""

    weights: Literal["balanced"] | tuple[float, ...]

    @classmethod
    def of(
        cls, wanted: Literal["balanced"] | Mapping[str, float] | None, classes: tuple[str, ...]
    ) -> "ClassWeights | None":
        """Resolve `training.class_weight`; a class that it does not name has 1, as with Keras.

        Args:
            wanted: As the study has it, by the names of the classes.
            classes: These names, in order; empty for regression.

        Raises:
            SpecError: The target has no classes, or none of that name; or all weights are 0.
        """
        if wanted is None:
            return None
        if not classes:
            raise SpecError(
                "training.class_weight: received weights, but the target is numbers for "
                "regression; allowed with classes; leave it out, or weigh rows by data.weight"
            )
        if isinstance(wanted, str):
            return cls(wanted)
        unknown = [name for name in wanted if name not in classes]
        if unknown:
            known = ", ".join(map(repr, classes[:20]))
            raise SpecError(
                f"training.class_weight: received the class {unknown[0]!r}, which the target does "
                f"not have; allowed are {known}{' and others' if len(classes) > 20 else ''}"
            )
        weights = tuple(wanted.get(name, 1.0) for name in classes)
        if not any(weights):
            raise SpecError(
                "training.class_weight: received 0 for every class, so that nothing is learned; "
                "allowed are weights of 0 or more that are not all 0; raise one"
            )
        return cls(weights)

    def by_class(self, y: np.ndarray) -> dict[int, float]:
        """Return the weight of each class for training rows `y`, classes by their number.

        Balanced, each class's rows have the same sum of weights, and all rows the mean 1. Rounded
        to float32, as Keras does whatever the precision.
        """
        weights = self.weights
        if weights == "balanced":
            labels = np.unique(y)
            weights = compute_class_weight("balanced", classes=labels, y=y.reshape(-1))
        return dict(enumerate(np.asarray(weights, np.float32).tolist()))
