"""A search's space and settings in Optuna's terms, and back."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from finetune.spec.dimensions import ChoicesSpec, RangeSpec, label


def distribution(dimension: RangeSpec | ChoicesSpec) -> BaseDistribution:
    """Return what Optuna draws a value of the dimension from; of choices, their labels."""
    if isinstance(dimension, ChoicesSpec):
        return CategoricalDistribution(list(dimension.by_label))
    low, high, log = dimension.low, dimension.high, dimension.log
    if dimension.whole:
        return IntDistribution(int(low), int(high), log=log, step=int(dimension.step or 1))
    return FloatDistribution(low, high, log=log, step=dimension.step)


def params_of(
    setting: Mapping[str, Any], space: Mapping[str, RangeSpec | ChoicesSpec]
) -> dict[str, Any]:
    """Return a setting as the parameters of a trial of Optuna's."""
    return {
        path: label(value) if isinstance(space[path], ChoicesSpec) else value
        for path, value in setting.items()
    }


def setting_of(
    params: Mapping[str, Any], space: Mapping[str, RangeSpec | ChoicesSpec]
) -> dict[str, Any]:
    """Return the parameters of a trial of Optuna's as a setting."""
    setting = dict(params)
    for path, dimension in space.items():
        if isinstance(dimension, ChoicesSpec):
            setting[path] = dimension.by_label[setting[path]]
    return setting
