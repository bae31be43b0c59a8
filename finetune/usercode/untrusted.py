"""Check an untrusted study: it may import nothing and read nothing outside its own folder."""

from pathlib import Path, PurePath, PureWindowsPath

from finetune.errors import DataError, FinetuneError, SpecError
from finetune.spec.model import ModelSpec
from finetune.spec.study import StudySpec

_REMEDY = "leave --no-imports out if you trust the study"


def check_untrusted(spec: StudySpec, folder: Path | None = None) -> None:
    """Check that a study needs nothing that `--no-imports` forbids, importing and reading nothing.

    Args:
        spec: The study.
        folder: Where the study file lies; files may lie in it, in the current folder, or below.

    Raises:
        SpecError: The model's factory or a callback is `module:name`, or the file of a network
            lies elsewhere.
        DataError: The data's source is `module:name`, or a file that lies elsewhere.
    """
    if spec.data.kind == "function":
        allowed = "a file, or a loader or generator of scikit-learn"
        raise DataError(_import_of("data.source", spec.data.source, allowed))
    folders = [place.resolve() for place in (folder, Path.cwd()) if place]
    _check_network(spec.model, folders, field="model")
    for number, variant in enumerate(spec.variants):
        if variant.model:
            own = spec.resolve(variant).model
            _check_network(own, folders, field=f"variants.{number}.model")
        if variant.callbacks:
            first = variant.callbacks[0].callback
            allowed = "the policies of finetune"
            raise SpecError(_import_of(f"variants.{number}.callbacks", first, allowed))
    if spec.data.kind == "file":
        _check_inside(spec.data.source, folders, field="data.source", error=DataError)


def _check_network(model: ModelSpec, folders: list[Path], *, field: str) -> None:
    if model.factory:
        allowed = "model.hidden, model.architecture or model.file"
        raise SpecError(_import_of(f"{field}.factory", model.factory, allowed))
    for kind in ("architecture", "file"):
        file = getattr(model, kind)
        if file:
            _check_inside(file, folders, field=f"{field}.{kind}", error=SpecError)


def _import_of(field: str, path: str, allowed: str) -> str:
    return (
        f"{field}: received {path!r}, an import, which --no-imports forbids; allowed is {allowed}; "
        f"{_REMEDY}"
    )


def _check_inside(
    source: str, folders: list[Path], *, field: str, error: type[FinetuneError]
) -> None:
    # Paths of Windows count on POSIX and the reverse: the same study is refused everywhere.
    leaves = any(
        path.anchor or ".." in path.parts for path in (PurePath(source), PureWindowsPath(source))
    )
    if leaves or not all(_is_inside(folder, source) for folder in folders):
        raise error(
            f"{field}: received {source!r}, which leaves the study's folder; allowed with "
            f"--no-imports is a file in it or below, by no link that leads out; {_REMEDY}"
        )


def _is_inside(folder: Path, source: str) -> bool:
    try:
        return (folder / source).resolve().is_relative_to(folder)
    except (OSError, RuntimeError):
        # A link that leads to itself, or a folder closed to the user.
        return False
