"""Sizes of data are known before any are loaded, whatever the file claims or hides."""

import inspect
import io
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import datasets

from finetune.data import size
from finetune.data.files import read_file
from finetune.data.size import DataSize, data_size, file_size
from finetune.errors import DataError
from finetune.spec.data import DataSpec
from tests.data.user_data import WRITERS, people, splits_of


def bomb(shape: tuple[int, ...], *, content: bytes = b"") -> bytes:
    """Return an array's file that claims a shape, over other bytes."""
    header = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    return header.getvalue() + content


@pytest.mark.parametrize("suffix", WRITERS)
def test_rows_and_features_of_a_table(tmp_path, suffix):
    file = tmp_path / f"t{suffix}"
    WRITERS[suffix](people(60), file)
    found = file_size(file, format=suffix, target="plan")
    assert found is not None
    assert found.n_rows == pytest.approx(60, abs=1)
    assert found.n_features == 4
    assert 60 * 5 * 8 <= found.n_bytes < 10**6


def test_rows_and_features_of_arrays(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, x=np.zeros((30, 4, 2)), y=np.zeros(30), other=np.zeros(10**6))
    # Each array's header takes 128 bytes.
    expected = DataSize(30, 8, 30 * 8 * 8 + 30 * 8 + 2 * 128)
    assert file_size(file, format=".npz", target=None) == expected


def test_rows_and_features_of_several_inputs(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, image=np.zeros((30, 4, 2)), table=np.zeros((30, 3)), y=np.zeros(30))
    expected = DataSize(30, 11, 30 * 11 * 8 + 30 * 8 + 3 * 128)
    assert file_size(file, format=".npz", target=None, inputs=("image", "table")) == expected
    assert file_size(file, format=".npz", target=None) is None


def test_a_small_archive_that_unpacks_to_much(tmp_path):
    file = tmp_path / "bomb.npz"
    np.savez_compressed(file, x=np.zeros((2000, 10_000)), y=np.zeros(2000))
    assert file.stat().st_size < 10**6
    found = file_size(file, format=".npz", target=None)
    assert found is not None
    assert found.n_bytes > 160 * 10**6


def test_an_archive_that_claims_much(tmp_path):
    file = tmp_path / "bomb.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", bomb((10**9, 10**3)))
        archive.writestr("y.npy", bomb((10**9,)))
    found = file_size(file, format=".npz", target=None)
    assert found is not None
    assert found.n_bytes > 8 * 10**12


def test_a_header_that_is_itself_a_bomb_is_read_by_nobody(tmp_path):
    file = tmp_path / "bomb.npz"
    head = b"\x93NUMPY\x02\x00" + (10**8).to_bytes(4, "little")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", head + b" " * 10**7)
        archive.writestr("y.npy", bomb((1,)))
    for read in (file_size, read_file):
        with pytest.raises(DataError, match="a header of 100000000 bytes"):
            read(file, format=".npz", target=None, beside={})


def test_a_small_parquet_file_of_many_equal_rows(tmp_path):
    file = tmp_path / "t.parquet"
    constant = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**7, "int8")), pa.array([1.5]))
    parquet.write_table(pa.table({"y": constant.cast(pa.float64()), "a": constant}), file)
    assert file.stat().st_size < 10**5
    found = file_size(file, format=".parquet", target="y")
    assert found is not None
    assert (found.n_rows, found.n_features) == (10**7, 1)
    assert found.n_bytes >= 160 * 10**6


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_what_is_broken_or_absent_has_no_size(tmp_path, suffix):
    file = tmp_path / f"t{suffix}"
    assert file_size(file, format=suffix, target=None) is None
    file.write_bytes(b"\x00PK")
    if suffix != ".csv":
        assert file_size(file, format=suffix, target=None) is None


def test_the_usual_sizes_are_scikit_learn_s():
    for name, features in size._FEATURES.items():
        parameters = inspect.signature(getattr(datasets, name)).parameters
        if "n_features" in parameters:
            assert parameters["n_features"].default == features, name
        else:
            assert getattr(datasets, name)(n_samples=5)[0].shape[1] == features, name
    for name, rows in size._ROWS.items():
        assert inspect.signature(getattr(datasets, name)).parameters["n_samples"].default == rows
    for name, shape in size._LOADERS.items():
        assert getattr(datasets, name)(return_X_y=True)[0].shape == shape


LARGE = {
    "rows and classes": ("make_classification", {"n_samples": 10**6, "n_classes": 10**4}),
    "rotation": ("make_classification", {"n_informative": 10**5}),
    "covariance": ("make_gaussian_quantiles", {"n_features": 10**5}),
    "targets": ("make_regression", {"n_features": 10**5, "n_targets": 10**5}),
    "centres": ("make_blobs", {"n_features": 10**5, "centers": 10**5}),
}


@pytest.mark.parametrize("kind", LARGE)
def test_arrays_that_a_generator_makes_beside_the_features_count(kind):
    source, args = LARGE[kind]
    found = data_size(DataSpec(source=source, args=args))
    assert found is not None
    assert found.n_bytes >= 8 * 10**10


def test_a_generator_without_a_target_is_refused_before_it_makes_anything():
    for source in ("make_spd_matrix", "make_sparse_spd_matrix"):
        with pytest.raises(DataError, match=f"data.source: {source} gives no features"):
            splits_of(source, args={"n_dim": 10**7})


def test_a_table_counts_as_pandas_reads_it(tmp_path):
    file = tmp_path / "t.csv"
    pd.DataFrame(np.ones((1000, 7), int)).to_csv(file, index=False)
    found = file_size(file, format=".csv", target=None)
    assert found == DataSize(1000, 6, file.stat().st_size + 24 * 1001 * 7)
