"""The scale of a target for regression, learned from the training rows alone."""

from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from finetune.data.summary import TargetScale


def target_scale(y: np.ndarray) -> TargetScale:
    """Return the scale of the training rows' target `y` (row,)."""
    fitted: Any = StandardScaler().fit(y[:, None])
    return TargetScale(float(fitted.mean_[0]), float(fitted.scale_[0]))


def standardise(y: np.ndarray, scale: TargetScale) -> np.ndarray:
    """Return a target (row,) in units of the scale, from its mean."""
    return (y - scale.mean) / scale.scale
