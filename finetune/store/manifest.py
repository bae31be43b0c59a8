"""Where numbers come from: the versions of the libraries and the machine that made them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from finetune.errors import StoreError
from finetune.spec.study import EngineName, StudySpec
from finetune.store.machine import machine
from finetune.store.versions import versions


def manifest(
    spec: StudySpec, *, engine: str, seeds: int, command: str | None, started: datetime
) -> dict[str, Any]:
    """Give what identifies a training: the whole spec, the versions and the machine."""
    return {
        "name": spec.name,
        "engine": engine,
        "digest": spec.problem,
        "command": command,
        "started": started.isoformat(timespec="seconds"),
        "seeds": seeds,
        "versions": versions(),
        "machine": machine(),
        "spec": spec.model_dump(mode="json"),
    }


class _Failure(BaseModel):
    reason: str


class _Manifest(BaseModel):
    """What a report reads of a manifest, which may come from a stranger; the rest is kept too."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    engine: EngineName
    digest: str
    command: str | None
    started: str
    seeds: int
    versions: dict[str, str]
    machine: dict[str, str | int | None]
    wall_seconds: dict[str, float]
    spec: dict[str, Any]
    notes: list[str] = []
    failures: list[_Failure] = []


def read_manifest(folder: Path) -> tuple[dict[str, Any], StudySpec]:
    """Read what `manifest` and the training left in a study's folder, and the study itself.

    Raises:
        StoreError: there is none, or it is not one that this version wrote.
    """
    try:
        about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        _Manifest.model_validate(about)
        return about, StudySpec.model_validate_json(json.dumps(about["spec"]))
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(
            f"DIR: {str(folder)!r} holds no study that can be read ({type(error).__name__}); "
            "allowed is a folder that `finetune run` wrote"
        ) from error
