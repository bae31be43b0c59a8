"""What `finetune list` and `finetune show` print of studies, before anything is trained."""

import json
from collections.abc import Mapping
from typing import Any

import tomlkit

from finetune.spec.study import StudySpec
from finetune.spec.study_file import read_tree, shipped_names
from finetune.spec.variants import VariantSpec


def shipped_text() -> str:
    """Return a line a shipped study: its name, and what it asks."""
    names = shipped_names()
    width = max(map(len, names)) + 2
    asked = {name: read_tree(name)[0].get("description", "") for name in names}
    return "\n".join(f"{name:<{width}}{question}" for name, question in asked.items())


def study_text(spec: StudySpec) -> str:
    """Return a study as a TOML file with every default filled in.

    What differs between its variants stands above it, as comments.
    """
    lines = [f"#   {variant.name}: {_difference(variant)}" for variant in spec.variants]
    whole = tomlkit.dumps(_without_empty(spec.model_dump(mode="json", exclude_none=True)))
    return "\n".join(
        ["# What each variant adds to the study, or sets otherwise:", *lines, "", whole]
    )


def _without_empty(tree: Any) -> Any:
    """Return a tree without its empty tables, which say nothing."""
    if isinstance(tree, list):
        return [_without_empty(value) for value in tree]
    if not isinstance(tree, Mapping):
        return tree
    return {key: _without_empty(value) for key, value in tree.items() if value != {}}


def _difference(variant: VariantSpec) -> str:
    return ", ".join(map(_setting, variant.settings.items())) or "nothing"


def _setting(setting: tuple[str, Any]) -> str:
    path, value = setting
    return path if value == {} else f"{path} = {json.dumps(value, ensure_ascii=False)}"
