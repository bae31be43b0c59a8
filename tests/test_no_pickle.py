"""No pickle anywhere: files that hold one load nothing, and no module could load one."""

import io
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import finetune
from finetune.errors import DataError
from tests.data.user_data import splits_of

_ROOT = Path(finetune.__file__).parent


class Payload:
    """Leaves a marker where it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = str(marker)

    def __reduce__(self):
        return open, (self.marker, "w")


def npz_of_objects(file: Path, payload: Payload) -> None:
    np.savez(file, x=np.ones((8, 2)), y=np.array([payload] * 8, dtype=object))


def npz_of_a_pickle(file: Path, payload: Payload) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", pickle.dumps(payload))
        archive.writestr("y.npy", pickle.dumps(payload))


def pickle_alone(file: Path, payload: Payload) -> None:
    file.write_bytes(pickle.dumps(payload))


def npy_of_objects(file: Path, payload: Payload) -> None:
    with io.BytesIO() as buffer:
        np.save(buffer, np.array([payload], dtype=object))
        file.write_bytes(buffer.getvalue())


def parquet_of_an_extension(file: Path, payload: Payload) -> None:
    """Write the extension type of old that pyarrow unpickled on reading (CVE-2023-47248)."""
    marks = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(payload),
    }
    fields = [pa.field("y", pa.int64()), pa.field("a", pa.int64(), metadata=marks)]
    columns = [pa.array([0, 1] * 8), pa.array(range(16))]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), file)


def parquet_of_pandas(file: Path, payload: Payload) -> None:
    pickled = pickle.dumps(payload)
    table = pa.table({"y": [0, 1] * 8, "a": [pickled] * 16})
    pq.write_table(table.replace_schema_metadata({b"pandas": pickled, b"PANDAS": pickled}), file)


HOSTILE = {
    "objects.npz": npz_of_objects,
    "pickle.npz": npz_of_a_pickle,
    "alone.npz": pickle_alone,
    "array.npz": npy_of_objects,
    "alone.parquet": pickle_alone,
    "extension.parquet": parquet_of_an_extension,
    "pandas.parquet": parquet_of_pandas,
    "alone.csv": pickle_alone,
    "alone.tsv": pickle_alone,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_with_a_pickle_in_it_runs_nothing(name, tmp_path):
    marker = tmp_path / "marker"
    HOSTILE[name](tmp_path / name, Payload(marker))
    assert not marker.exists()
    try:
        splits_of(str(tmp_path / name), target=None if name.endswith(".npz") else "y")
    except DataError as error:
        assert len(str(error).splitlines()) == 1
    assert not marker.exists()


def test_the_payload_would_leave_a_marker(tmp_path):
    pickle.loads(pickle.dumps(Payload(tmp_path / "marker"))).close()
    assert (tmp_path / "marker").exists()


_LOADERS = re.compile(
    r"\bpickle|joblib\.load|allow_pickle\s*=\s*True|(?<![\w.])(eval|exec|__import__)\(|yaml\.load|"
    r"marshal|shelve|load_model|safe_mode\s*=\s*False|enable_unsafe|read_pickle"
)


@pytest.mark.parametrize("file", sorted(_ROOT.rglob("*.py")), ids=lambda p: p.name)
def test_no_module_loads_pickles_or_runs_text(file):
    assert [line for line in file.read_text().splitlines() if _LOADERS.search(line)] == []
