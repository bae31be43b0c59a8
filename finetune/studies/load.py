"""Load a study from its file, and find the user's files that it names."""

from collections.abc import Iterable
from pathlib import Path

from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec, read_tree
from finetune.usercode.files import locate_files
from finetune.usercode.untrusted import check_untrusted


def load_spec(
    path: Path | str | None = None, *, overrides: Iterable[str] = (), imports: bool = True
) -> StudySpec:
    """Read a study from a TOML file and apply `KEY=VALUE` overrides.

    Without a path it is the default study. A bare name (no folder, no suffix) that is no file
    here is looked up among the studies that come with the package. The user's own files that the
    study names are found beside it or in the current folder. Without `imports` a study is refused
    that would import a module, or whose files lie outside these folders.

    Raises:
        SpecError: the file cannot be read or parsed, or a field is not allowed.
        DataError: the file of the study's data is not there, or not the one it should be.
    """
    tree, file = read_tree(path, overrides=overrides)
    spec = parse_spec(tree, where=file.name)
    # The default study is what a user's files are tried on by overrides: it has none beside it.
    folder = file.parent if path is not None else None
    if not imports:
        check_untrusted(spec, folder)
    return locate_files(spec, folder)
