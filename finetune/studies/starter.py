"""A commented study file to start from: `finetune init`."""

import json
from importlib import resources
from pathlib import Path

from finetune.errors import SpecError
from finetune.spec.schema import SCHEMA_FILE, schema_text
from finetune.store.atomic import write_whole

_GENERATED = 'source = "make_classification"  '
_ARGUMENTS = "args = { n_samples = 1000, random_state = 42 }"


def write_starter(path: Path, *, data: str | None = None, target: str | None = None) -> None:
    """Write a study file in which every key is explained; `data` and `target` are filled in.

    Beside it goes the schema by which editors complete and check it.

    Raises:
        SpecError: The file is there already, or cannot be written.
    """
    text = (resources.files("finetune.studies") / "starter.toml").read_text(encoding="utf-8")
    if data:
        text = text.replace(_GENERATED, f"source = {json.dumps(data)}  ")
        text = text.replace(_ARGUMENTS, f"# {_ARGUMENTS}")
    if target:
        text = text.replace('# target = "column"', f"target = {json.dumps(target)}")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        write_whole(path.parent / SCHEMA_FILE, schema_text().encode())
    except OSError as error:
        raise SpecError(
            f"FILE: cannot write {str(path)!r}: {error.strerror}; give the path of a new file"
        ) from error
