"""Where a key of the network or of training stands in a study: a variant may have set it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec


def located(error: SpecError, spec: StudySpec, trained: Iterable[str]) -> SpecError:
    """Return an error about a key that variants set with where the first of them sets it.

    What trains a variant knows its network and training alone, and names `model.factory`, which
    here becomes `variants.2.model.factory`; an error about what the study itself sets stays.

    Args:
        error: Its message begins with a dotted key and a colon.
        spec: The study, whose variants have their overrides.
        trained: The names of those that were trained together.
    """
    steps = str(error).partition(":")[0].split(".")
    names = [variant.name for variant in spec.variants]
    numbers = [names.index(name) if name in names else None for name in trained]
    if any(at is None or not _sets(spec.variants[at], steps) for at in numbers):
        return error
    return type(error)(f"variants.{numbers[0]}.{error}")


def _sets(variant: VariantSpec, steps: Sequence[str]) -> bool:
    """Return whether a variant sets a key, or one within its table, otherwise than the study."""
    node: Any = {"model": variant.model, "training": variant.training}
    for step in steps:
        if not isinstance(node, Mapping) or step not in node:
            return False
        node = node[step]
    return True
