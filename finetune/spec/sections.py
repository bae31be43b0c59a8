"""The sections of a study that a field holds, by its annotation."""

from typing import Any, get_args

from pydantic.fields import FieldInfo

from finetune.spec.base import BaseSpec
from finetune.spec.merging import Overrides


def sections_of(field: FieldInfo) -> list[type[BaseSpec]]:
    """Find the sections that a field holds, or of which it overrides keys."""
    overridden = [mark.section for mark in field.metadata if isinstance(mark, Overrides)]
    return overridden or _sections_in(field.annotation)


def _sections_in(annotation: Any) -> list[type[BaseSpec]]:
    """Find each `BaseSpec` inside an annotation such as `tuple[VariantSpec, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseSpec):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections_in(inner)]
