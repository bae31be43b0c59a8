"""What a network must beat: the loss of a constant prediction, on each seed's rows."""

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error

from finetune.data.splits import TargetSplits, load_targets
from finetune.data.summary import Baselines, Constant
from finetune.spec.data import DataSpec
from finetune.spec.seeds import Source


def measure_baselines(
    spec: DataSpec, *, seeds: int, vary: tuple[Source, ...], constant: Constant | None
) -> Baselines:
    """Measure what a constant prediction reaches at the seeds 0 to `seeds` - 1.

    Raises:
        DataError: The rows of a seed cannot be loaded.
    """
    if constant is None:
        return Baselines(None, (), (), ())
    count = seeds if {"split", "data"} & set(vary) else 1
    targets = (load_targets(spec, seed, vary=vary) for seed in range(count))
    train, val, test = zip(*(constant_losses(one, constant) for one in targets), strict=True)
    return Baselines(constant, train, val, test)


def constant_losses(targets: TargetSplits, constant: Constant) -> tuple[float, float, float]:
    """Return the loss of a constant prediction on the training, validation and test rows.

    The mean squared error of the mean, the mean absolute error of the median, the cross-entropy of
    the classes' shares.
    """
    # Neither looks at the features, of which it only counts the rows.
    fitted = _dummy(constant).fit(np.zeros((len(targets.train), 1)), targets.train)
    train, val, test = (
        _measure(fitted, y, constant=constant) for y in (targets.train, targets.val, targets.test)
    )
    return train, val, test


def _dummy(constant: Constant) -> DummyClassifier | DummyRegressor:
    if constant == "shares":
        return DummyClassifier(strategy="prior")
    return DummyRegressor(strategy=constant)


def _measure(
    fitted: DummyClassifier | DummyRegressor, y: np.ndarray, *, constant: Constant
) -> float:
    x = np.zeros((len(y), 1))
    if isinstance(fitted, DummyClassifier):
        return float(log_loss(y, fitted.predict_proba(x), labels=fitted.classes_))
    error = mean_squared_error if constant == "mean" else mean_absolute_error
    return float(error(y, fitted.predict(x)))
