"""The user's files that a study depends on: where they lie, and the SHA-256 of each."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from finetune.errors import DataError, FinetuneError, SpecError
from finetune.spec.base import UserFileSpec
from finetune.spec.data import DataSpec
from finetune.spec.model import ModelSpec
from finetune.spec.regular_file import open_regular
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.usercode.imports import find_module, load_function, load_object
from finetune.usercode.keras_config import read_network, read_saved_network

S = TypeVar("S", bound=UserFileSpec)

# Keys of `[model]` that name one.
_FILES_OF_NETWORKS = {"factory", "architecture", "file"}


def locate_files(spec: StudySpec, folder: Path | None = None) -> StudySpec:
    """Find every file that a study depends on; return the study with the SHA-256 of each.

    Files and modules are looked for in `folder`, where the study file lies, and then in the
    current folder. A module counts by its own file, not by what that imports in turn.

    Raises:
        DataError: The data file is not there, cannot be read, or does not match `data.content`.
        SpecError: The file of the model's factory, or of a callback, does not match its
            `content`; or the file of the network holds more than Keras's own layers.
    """
    folders = [str(place.resolve()) for place in (folder, Path.cwd()) if place]
    data = _locate_data(spec.data, folders)
    model = _locate_model(spec.model, folders, field="model")
    spec = spec.model_copy(update={"data": data, "model": model})
    variants = tuple(
        _locate_own_network(
            spec,
            _locate_callbacks(variant, folders, field=f"variants.{number}.callbacks"),
            folders,
            field=f"variants.{number}.model",
        )
        for number, variant in enumerate(spec.variants)
    )
    return spec.model_copy(update={"variants": variants})


def locate_file(
    section: UserFileSpec, source: str, *, field: str, error: type[FinetuneError]
) -> Path:
    """Return the path of the file that a section depends on, whatever is in it.

    Raises:
        FinetuneError: Of type `error`: it is not there.
    """
    return _find(source, _folders(section), field=field, error=error)[1]


def find_file(
    section: UserFileSpec, source: str, *, field: str, error: type[FinetuneError]
) -> tuple[Path, str]:
    """Find the file that a section depends on.

    Returns:
        Its path, and its SHA-256 as hexadecimal digits.

    Raises:
        FinetuneError: Of type `error`: it is not there, cannot be read, or does not match the
            section's `content`.
    """
    file = locate_file(section, source, field=field, error=error)
    return file, _checked_sha256(section, file, field=field, error=error)


def import_function(
    section: UserFileSpec, path: str, *, field: str, error: type[FinetuneError]
) -> Callable[..., Any]:
    """Import the `module:function` that a section names.

    Returns:
        The function; whatever it raises becomes an `error` of one line that says where.

    Raises:
        FinetuneError: Of type `error`: it cannot be imported, is no function, or does not match
            the section's `content`.
    """
    folders = _checked_folders(section, path, field=field, error=error)
    return load_function(path, folders=folders, field=field, error=error)


def import_class(
    section: UserFileSpec, path: str, *, field: str, error: type[FinetuneError]
) -> tuple[type, Path | None]:
    """Import the `module:class` that a section names.

    Returns:
        The class, and its source file where it is known.

    Raises:
        FinetuneError: Of type `error`: it cannot be imported, is no class, or does not match the
            section's `content`.
    """
    folders = _checked_folders(section, path, field=field, error=error)
    found, file = load_object(path, folders=folders, field=field, error=error)
    if not isinstance(found, type):
        raise error(f"{field}: {path!r} is {type(found).__name__}; allowed is a class")
    return found, file


def _locate_data(data: DataSpec, folders: list[str]) -> DataSpec:
    if data.kind == "sklearn":
        if data.content:
            raise DataError(_no_file("data.content", f"{data.source} is no file"))
        return data
    locate = _locate if data.kind == "file" else _locate_module
    return locate(data, data.source, folders, field="data.source", error=DataError)


def _locate_model(model: ModelSpec, folders: list[str], *, field: str) -> ModelSpec:
    if model.factory:
        field = f"{field}.factory"
        return _locate_module(model, model.factory, folders, field=field, error=SpecError)
    if model.architecture:
        field, source = f"{field}.architecture", model.architecture
        found = _locate(model, source, folders, field=field, error=SpecError)
        read_network(Path(str(found.folder), source), field=field)
        return found
    if model.file:
        field, source = f"{field}.file", model.file
        found = _locate(model, source, folders, field=field, error=SpecError)
        read_saved_network(Path(str(found.folder), source), field=field)
        return found
    if model.content:
        raise SpecError(_no_file(f"{field}.content", "the network is no file"))
    return model


def _locate_own_network(
    spec: StudySpec, variant: VariantSpec, folders: list[str], *, field: str
) -> VariantSpec:
    """Find the file of a network that a variant has instead of the study's."""
    if not _FILES_OF_NETWORKS & set(variant.model):
        return variant
    found = _locate_model(spec.resolve(variant).model, folders, field=field)
    if found.folder is None or found.content is None:
        return variant
    return variant.with_network_file(folder=found.folder, content=found.content)


def _locate_callbacks(variant: VariantSpec, folders: list[str], *, field: str) -> VariantSpec:
    callbacks = tuple(
        _locate_module(
            spec, spec.callback, folders, field=f"{field}.{number}.callback", error=SpecError
        )
        for number, spec in enumerate(variant.callbacks)
    )
    return variant.model_copy(update={"callbacks": callbacks})


def _locate(
    section: S, source: str, folders: list[str], *, field: str, error: type[FinetuneError]
) -> S:
    folder, file = _find(source, folders, field=field, error=error)
    content = _checked_sha256(section, file, field=field, error=error)
    return section.with_file(folder=folder, content=content)


def _locate_module(
    section: S, path: str, folders: list[str], *, field: str, error: type[FinetuneError]
) -> S:
    found = find_module(path, folders)
    # One without a file may still be importable, from an archive for example: the import decides.
    if found is None:
        return section
    folder, file = found
    content = _checked_sha256(section, file, field=field, error=error)
    return section.with_file(folder=folder, content=content)


def _find(
    source: str, folders: list[str], *, field: str, error: type[FinetuneError]
) -> tuple[str, Path]:
    """Find a file in the first folder that has it; return the folder and the file."""
    for folder in folders:
        file = Path(folder, source)
        # `Path.is_file` raises where a name is too long or a folder is closed to the user.
        if os.path.isfile(file):  # noqa: PTH113
            return folder, file
    raise error(
        f"{field}: no file {source!r} in {' or '.join(dict.fromkeys(folders))}; allowed is a "
        "path from the study's own folder or the current one"
    )


def _checked_sha256(
    section: UserFileSpec, file: Path, *, field: str, error: type[FinetuneError]
) -> str:
    """Return the SHA-256 of a file; raise where the section's `content` is another."""
    try:
        with open_regular(file) as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as problem:
        raise error(f"{field}: cannot read {str(file)!r}: {problem.strerror}") from problem
    if section.content not in (None, found):
        raise error(
            f"{field.rpartition('.')[0]}.content: received {section.content}, but {file.name} has "
            f"{found}; restore the file, or leave the key out to use it as it is"
        )
    return found


def _checked_folders(
    section: UserFileSpec, path: str, *, field: str, error: type[FinetuneError]
) -> list[str]:
    """Return the folders to import from; raise where the module there does not match `content`."""
    folders = _folders(section)
    found = find_module(path, folders)
    if found:
        _checked_sha256(section, found[1], field=field, error=error)
    return folders


def _folders(section: UserFileSpec) -> list[str]:
    return [folder for folder in (section.folder, str(Path.cwd())) if folder]


def _no_file(field: str, reason: str) -> str:
    return f"{field}: received a digest, but {reason}; allowed is that of a file; leave it out"
