"""What a stranger may put into a study's folder: modules, links, shards, special files, names."""

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finetune.store.shards import name_of, shard_names

Plant = Callable[[Path], object]

STUDY_FILE = "study.toml"
_OUTSIDE = "outside"
_MARK = "imported-"

# Some are of the standard library, some are loaded late, some by worker processes alone.
_MODULES = (
    "multiprocessing", "threading", "json", "random", "pickle", "logging", "asyncio", "socket",
    "tensorflow", "keras", "numpy", "pandas", "pyarrow", "sklearn", "scipy", "matplotlib",
    "dask", "distributed", "optuna", "sitecustomize", "usercustomize",
)  # fmt: skip


def plant_modules(folder: Path) -> int:
    """Write modules that leave a mark where they are imported; return how many."""
    for name in _MODULES:
        mark = str(folder / f"{_MARK}{name}")
        (folder / f"{name}.py").write_text(f"open({mark!r}, 'w').close()\n")
    # Figures with it would need LaTeX, and end without.
    (folder / "matplotlibrc").write_text("text.usetex: True\n")
    return len(_MODULES) + 1


def count_imported(folder: Path) -> int:
    """Count the planted modules that were imported."""
    return len(list(folder.glob(f"{_MARK}*")))


def read_outside(folder: Path) -> dict[str, bytes | None]:
    """Read what lies beside a study's folder, which no command may change."""
    paths = sorted((folder.parent / _OUTSIDE).rglob("*"))
    return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


def _link(folder: Path, name: str) -> None:
    """Put a link in the place of something, which is moved out of the folder."""
    outside = folder.parent / _OUTSIDE
    outside.mkdir()
    link, moved = folder / name, outside / Path(name).name
    link.parent.mkdir(exist_ok=True)
    if link.exists():
        link.rename(moved)
    else:
        moved.mkdir()
    (outside / "neighbour.txt").write_text("as it was")
    link.symlink_to(moved)


def _replace_shard(folder: Path, change: Callable[[pa.Table], pa.Table | bytes]) -> None:
    """Change the runs of a shard, and name it by what it holds then."""
    store = folder / "store"
    name = shard_names(store / "runs")[0]
    changed = change(pq.read_table(store / "runs" / name))
    files = {
        "runs": changed if isinstance(changed, bytes) else _encoded(changed),
        "epochs": (store / "epochs" / name).read_bytes(),
    }
    for table, content in files.items():
        (store / table / name).unlink()
        (store / table / name_of(*files.values())).write_bytes(content)


def _encoded(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _set(column: str, values: Callable[[pa.ChunkedArray], object]) -> Callable:
    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(column)
        return table.set_column(at, column, values(table[column]))

    return change


def _replace_file(folder: Path, pattern: str, *, by: Callable[[Path], object]) -> None:
    """Put something in the place of the first file that a pattern finds, or of one by its name."""
    file = next(iter(sorted(folder.glob(pattern))), folder / pattern)
    file.unlink(missing_ok=True)
    by(file)


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _write_study(folder: Path, name: str) -> None:
    """Write a study whose variants have hostile names."""
    (folder / STUDY_FILE).write_text(
        f"""
name = "hostile"
seeds = 3
data = {{ source = "make_moons", args = {{ n_samples = 60 }} }}
training = {{ epochs = 3 }}
variants = [{{ name = {json.dumps(name)} }}, {{ name = "other", reduce_lr = {{ patience = 1 }} }}]
"""
    )


def _write_network(folder: Path, name: str) -> None:
    """Write a study with a network file whose layer has a hostile name."""
    layer = {"class_name": "Dense", "module": "keras.layers", "config": {"name": name, "units": 1}}
    network = {"class_name": "Sequential", "module": "keras", "config": {"layers": [layer]}}
    (folder / "network.json").write_text(json.dumps(network))
    _write_parts(folder, model='{ architecture = "network.json" }')


def _write_large_array(folder: Path) -> None:
    """Write a study whose arrays take 800 GB, as a header of a few bytes says."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 100)}
    )
    with zipfile.ZipFile(folder / "arrays.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    _write_parts(folder, data='{ source = "arrays.npz" }')


def _write_parts(
    folder: Path,
    data: str = '{ source = "make_moons", args = { n_samples = 60 } }',
    model: str = "{ hidden = [4] }",
) -> None:
    (folder / STUDY_FILE).write_text(
        f'name = "hostile"\nseeds = 2\ndata = {data}\nmodel = {model}\n'
        'training = { epochs = 2 }\nvariants = [{ name = "plain" }]\n'
    )


def holds_formulas(folder: Path) -> bool:
    """Return whether a spreadsheet would find a formula in a table, or a browser a tag.

    Some spreadsheets separate fields by semicolons, whatever stands in quotation marks.
    """
    cells = [
        cell
        for file in (folder / "tables").glob("*.csv")
        for row in csv.reader(file.read_text().splitlines())
        for cell in (part for field in row for part in field.split(";"))
    ]
    formulas = [cell for cell in cells if cell[:1] in {"=", "+", "@", "\t"}]
    return bool(formulas) or "<script>" in (folder / "report.md").read_text()


_LINKED = (
    "store", "store/runs", "store/epochs", "store/trials", "store/set-aside", "store/identity",
    "tables", "figures", "report.md", "report.html", "verdict.json", "manifest.json", "tuned.json",
    "search.db",
)  # fmt: skip
LINKS: Sequence[Plant] = [partial(_link, name=name) for name in _LINKED]

_CHANGES = (
    _set("seed", lambda seeds: seeds.cast(pa.string())),
    _set("seed", lambda seeds: pa.array([-1, *seeds.to_pylist()[1:]])),
    _set("status", lambda status: pa.array(["done"] * len(status))),
    lambda runs: runs.append_column("more", runs["seed"]),
    lambda runs: runs.drop_columns(["test_loss"]),
    lambda runs: runs.slice(1),
    lambda runs: b"junk",
    lambda runs: b"",
)
SHARDS: Sequence[Plant] = [partial(_replace_shard, change=change) for change in _CHANGES]

IDENTITIES: Sequence[Plant] = [
    partial(
        _replace_file, pattern="store/identity", by=lambda file, text=text: file.write_bytes(text)
    )
    for text in (b"", b"\xff\xfe", b"0123", b"0" * 64)
]

_SPECIAL: Sequence[Plant] = (os.mkfifo, lambda file: file.symlink_to("/dev/zero"), Path.mkdir)
SPECIAL_SHARDS: Sequence[Plant] = [
    partial(_replace_file, pattern=f"store/{table}/*.parquet", by=by)
    for table in ("runs", "epochs")
    for by in _SPECIAL
]
SPECIAL_MANIFESTS: Sequence[Plant] = [
    partial(_replace_file, pattern=name, by=by)
    for name in ("manifest.json", "tuned.json")
    for by in _SPECIAL
]
SPECIAL_STUDIES: Sequence[Plant] = [
    partial(_replace_file, pattern=STUDY_FILE, by=by) for by in _SPECIAL
]

_NAMES = (
    "=cmd|'/C calc'!A0", "x;=cmd|'/C calc'!A0", "+1", "@SUM(1)", "@everyone",
    "https://example.org/x", "<script>alert(1)</script>", "[a](javascript:alert(1))", "`|`",
)  # fmt: skip
NAMES: Sequence[Plant] = [partial(_write_study, name=name) for name in _NAMES]

# What a terminal obeys: the clipboard, colours, and the direction of what follows.
_ACTING_NAMES = ("\x1b]52;c;eA==\x07", "\x1b[31m", "\u202ea")
NETWORKS: Sequence[Plant] = [partial(_write_network, name=name) for name in _ACTING_NAMES]

SIZES: Sequence[Plant] = [
    _write_large_array,
    partial(
        _write_parts,
        data='{ source = "make_regression", args = { n_samples = 1000000, n_features = 100000 } }',
    ),
    partial(_write_parts, model="{ hidden = [100000, 100000] }"),
]
