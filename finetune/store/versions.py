"""The versions of the packages that numbers come from."""

import platform
from functools import cache
from importlib import metadata

from finetune.spec.recipes import NUMERICS_VERSION

# What training rests on; what evaluates it besides.
_NUMERIC = ("finetune", "tensorflow", "keras", "numpy", "pandas", "scikit-learn")
_STATISTICAL = ("scipy", "statsmodels")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide the numbers of a report."""
    names = (*_NUMERIC, *_STATISTICAL)
    return {"python": platform.python_version(), **{name: _version(name) for name in names}}


def numeric_versions() -> dict[str, str]:
    """Return the versions of what decides the numbers of a run."""
    known = {name: _version(name) for name in _NUMERIC}
    return known | {"numerics of finetune": str(NUMERICS_VERSION)}


@cache
def _version(name: str) -> str:
    """Read a package's version once: it is written into every shard."""
    return metadata.version(name)
