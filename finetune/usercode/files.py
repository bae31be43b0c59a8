"""The user's own files that a study rests on: where they are, and what they hold."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from finetune.errors import DataError, FinetuneError, SpecError
from finetune.spec.base import UserFileSpec
from finetune.spec.data import DataSpec
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.usercode.imports import load_function, load_object, module_file
from finetune.usercode.keras_config import read_network

P = TypeVar("P", bound=UserFileSpec)


def locate_files(spec: StudySpec, folder: Path | None = None) -> StudySpec:
    """Give the study with its own files found, each known by the SHA-256 of what it holds.

    Files and modules are looked for in `folder`, where the study's own file lies, and then in the
    current folder. Of a module it is its own file that counts, not what that imports in turn.

    Raises:
        DataError: The file of data is not there, cannot be read, or is not the one that
            `data.content` names.
        SpecError: The file of the model's factory, or of a callback, is not the one that its
            `content` names; or the file of the network holds more than Keras's own layers.
    """
    folders = [str(place.resolve()) for place in (folder, Path.cwd()) if place]
    data, model = _located_data(spec.data, folders), spec.model
    if model.factory:
        model = _located_module(
            model, model.factory, folders, field="model.factory", error=SpecError
        )
    elif model.architecture:
        model = _located_file(
            model, model.architecture, folders, field="model.architecture", error=SpecError
        )
        read_network(Path(str(model.folder), str(model.architecture)), field="model.architecture")
    elif model.content:
        raise SpecError(_no_file("model.content", "the network is no file"))
    variants = tuple(
        _located_variant(variant, folders, field=f"variants.{number}")
        for number, variant in enumerate(spec.variants)
    )
    return spec.model_copy(update={"data": data, "model": model, "variants": variants})


def user_file(
    part: UserFileSpec, source: str, *, field: str, error: type[FinetuneError]
) -> tuple[Path, str]:
    """Find the user's file that a part rests on; give it and the SHA-256 of what it holds.

    Raises:
        FinetuneError: of type `error`: there is none, it cannot be read, or it is not the one that
            the part's content names.
    """
    _, file = _find(source, _folders(part), field=field, error=error)
    return file, check_digest(part, file, field=field, error=error)


def check_digest(part: UserFileSpec, file: Path, *, field: str, error: type[FinetuneError]) -> str:
    """Give the SHA-256 of a file, as hexadecimal digits, where it is the one that the part names.

    Raises:
        FinetuneError: of type `error`: the file cannot be read, or holds something else.
    """
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as problem:
        raise error(f"{field}: cannot read {str(file)!r}: {problem.strerror}") from problem
    if part.content not in (None, found):
        raise error(
            f"{field.rpartition('.')[0]}.content: received {part.content}, but {file.name} has "
            f"{found}; restore the file, or leave the key out to use it as it is"
        )
    return found


def user_function(
    part: UserFileSpec, function: str, *, field: str, error: type[FinetuneError]
) -> Callable[..., Any]:
    """Import the user's `module:function` that a part rests on.

    Returns:
        The function; whatever it raises becomes an `error` of one line that says where.

    Raises:
        FinetuneError: of type `error`: it cannot be imported, or is not what the part's content
            names.
    """
    folders = _checked(part, function, field=field, error=error)
    return load_function(function, folders=folders, field=field, error=error)


def user_class(
    part: UserFileSpec, path: str, *, field: str, error: type[FinetuneError]
) -> tuple[type, Path | None]:
    """Import the user's `module:class` that a part rests on; give it and its source file.

    Raises:
        FinetuneError: of type `error`: it cannot be imported, is no class, or is not what the
            part's content names.
    """
    folders = _checked(part, path, field=field, error=error)
    found, file = load_object(path, folders=folders, field=field, error=error)
    if not isinstance(found, type):
        raise error(f"{field}: {path!r} is {type(found).__name__}; allowed is a class")
    return found, file


def _checked(part: UserFileSpec, path: str, *, field: str, error: type[FinetuneError]) -> list[str]:
    """Give the folders to import from, once what they hold is known to be the part's content."""
    folders = _folders(part)
    found = module_file(path, folders)
    if found:
        check_digest(part, found[1], field=field, error=error)
    return folders


def _folders(part: UserFileSpec) -> list[str]:
    return [folder for folder in (part.folder, str(Path.cwd())) if folder]


def _located_data(data: DataSpec, folders: list[str]) -> DataSpec:
    if data.kind == "file":
        return _located_file(data, data.source, folders, field="data.source", error=DataError)
    if data.kind == "function":
        return _located_module(data, data.source, folders, field="data.source", error=DataError)
    if data.content:
        raise DataError(_no_file("data.content", f"{data.source} is no file"))
    return data


def _located_file(
    part: P, source: str, folders: list[str], *, field: str, error: type[FinetuneError]
) -> P:
    folder, file = _find(source, folders, field=field, error=error)
    return part.with_file(folder=folder, content=check_digest(part, file, field=field, error=error))


def _located_module(
    part: P, function: str, folders: list[str], *, field: str, error: type[FinetuneError]
) -> P:
    found = module_file(function, folders)
    # What cannot be found is told when it is imported: it may have another way to be loaded.
    if found is None:
        return part
    folder, file = found
    content = check_digest(part, file, field=field, error=error)
    return part.with_file(folder=folder, content=content)


def _located_variant(variant: VariantSpec, folders: list[str], *, field: str) -> VariantSpec:
    if not variant.callbacks:
        return variant
    own = tuple(
        _located_module(
            part,
            part.callback,
            folders,
            field=f"{field}.callbacks.{number}.callback",
            error=SpecError,
        )
        for number, part in enumerate(variant.callbacks)
    )
    return variant.model_copy(update={"callbacks": own})


def _find(
    source: str, folders: list[str], *, field: str, error: type[FinetuneError]
) -> tuple[str, Path]:
    for folder in folders:
        file = Path(folder, source)
        # `Path.is_file` raises where a name is too long or a folder is closed to the user.
        if os.path.isfile(file):  # noqa: PTH113
            return folder, file
    raise error(
        f"{field}: no file {source!r} in {' or '.join(dict.fromkeys(folders))}; allowed is a "
        "path from the study's own folder or the current one"
    )


def _no_file(field: str, reason: str) -> str:
    return f"{field}: received a digest, but {reason}; allowed is that of a file; leave it out"
