"""What is fuzzed: functions of any bytes that raise nothing but a FinetuneError of one line."""

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from finetune.data.splits import load_splits
from finetune.engines.registry import REFERENCE
from finetune.errors import FinetuneError
from finetune.planning.estimate import estimate_map, estimate_run, estimate_search
from finetune.spec.data import FILE_FORMATS, DataSpec
from finetune.studies.load import load_spec
from finetune.usercode.keras_config import read_network
from tests.small_studies import recipes_of

_OVERRIDE = "#set "


def fails_in_one_line(action: Callable[[], object]) -> None:
    """Call a function; assert that it raises nothing but a FinetuneError in one printable line."""
    try:
        action()
    except FinetuneError as error:
        control = [c for c in str(error) if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
        assert str(error), "an error without words"
        assert not control, f"an error with {control[0]!r} in it: {error}"


def study(data: bytes, folder: Path) -> None:
    """Read bytes as a study file, its comments `#set KEY=VALUE` as overrides, and estimate it."""
    file = folder / "study.toml"
    file.write_bytes(data)
    lines = data.decode(errors="replace").splitlines()
    overrides = [line.removeprefix(_OVERRIDE) for line in lines if line.startswith(_OVERRIDE)]

    def read(*, imports: bool) -> None:
        spec = load_spec(file, overrides=overrides, imports=imports)
        recipes_of(spec)
        for estimate in (
            estimate_run(spec, REFERENCE.name),
            estimate_map(spec),
            estimate_search(spec),
        ):
            estimate.exceeds(0.0)
            str(estimate)

    for imports in (True, False):
        fails_in_one_line(lambda imports=imports: read(imports=imports))


def table(data: bytes, folder: Path) -> None:
    """Read bytes as a file of data, the first of them its format, and split its rows."""
    if not data:
        return
    file = folder / f"table{FILE_FORMATS[data[0] % len(FILE_FORMATS)]}"
    file.write_bytes(data[1:])
    for target in ("y", None):
        spec = DataSpec(source=str(file), target=target)
        fails_in_one_line(lambda spec=spec: load_splits(spec, 0))


def network(data: bytes, folder: Path) -> None:
    """Read bytes as the file of a network."""
    file = folder / "network.json"
    file.write_bytes(data)
    fails_in_one_line(lambda: read_network(file, field="model.architecture"))


TARGETS: Mapping[str, Callable[[bytes, Path], None]] = {
    "studies": study,
    "tables": table,
    "networks": network,
}
