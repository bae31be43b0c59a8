"""Files of data: any bytes load or are refused in one line, with the line number where there is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finetune.data.files import read_file
from finetune.data.reading import reading_notes
from finetune.errors import DataError
from tests.data.user_data import WRITERS, people, splits_of, write
from tests.special_files import SPECIAL_FILES


def complaint(source: Path, **options) -> str:
    """Return the line that a file is refused with."""
    with pytest.raises(DataError) as caught:
        splits_of(str(source), **options)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def said(text: str | bytes, folder: Path, *, name="t.csv", target="y") -> str:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return complaint(file, target=target)


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_table_is_the_same_rows_in_every_format(suffix, tmp_path):
    splits = splits_of(write(tmp_path / f"people{suffix}"), target="plan")
    assert (splits.task, splits.classes) == ("multiclass", ("maybe", "no", "yes"))
    # Two columns of numbers, three towns and a missing one, two truth values.
    assert splits.n_features == 2 + 4 + 2
    reference = splits_of(write(tmp_path / "reference.csv"), target="plan")
    np.testing.assert_array_equal(splits.train.x, reference.train.x)
    np.testing.assert_array_equal(splits.test.y, reference.test.y)


def test_a_suffix_may_be_written_large(tmp_path):
    (tmp_path / "people.csv").write_text(people().to_csv(index=False))
    (tmp_path / "people.csv").rename(tmp_path / "PEOPLE.CSV")
    assert splits_of(str(tmp_path / "PEOPLE.CSV"), target="plan").n_classes == 3


def test_an_archive_of_arrays(tmp_path):
    x, y = np.arange(80.0).reshape(40, 2), np.linspace(0, 1, 40)
    np.savez(tmp_path / "a.npz", x=x, y=y, kind=np.resize(["b", "a"], 40))
    splits = splits_of(str(tmp_path / "a.npz"))
    assert (splits.task, splits.n_classes, splits.n_features) == ("regression", 0, 2)
    scale = splits.summary.target_scale
    np.testing.assert_allclose(
        splits.test.y * scale.scale + scale.mean, y[splits.test.index], atol=1e-12
    )
    assert splits_of(str(tmp_path / "a.npz"), target="kind").classes == ("a", "b")


ROWS = "".join(f"{i % 2},{i / 4},{'uvw'[i % 3]}\n" for i in range(30))
MISTAKES = {
    "too many fields": ("y,a\n1,2\n\n1,2,3\n", ["line 4 has 3 fields", "allowed are 2"]),
    "more fields than names": ("y,a\n1,2,3\n3,4,5\n", ["line 2", "line 1", "more fields"]),
    "open quote": ('y,a\n1,2\n"1,2\n', ["line 3"]),
    "not UTF-8": (b"y,a\n1,2\n\xff,2\n", ["line 3", "UTF-8"]),
    "empty": ("", ["empty", "allowed"]),
    "no rows": ("y,a\n", ["no rows"]),
    "name twice": ("y,a,a\n1,2,3\n", ["'a'", "more than once", "rename"]),
    "no name": (",a,y\n0,2,3\n", ["without a name", 'drop = ["Unnamed: 0"]']),
    "no target": ("a,b\n1,2\n", ["data.target", "'y'", "allowed are 'a', 'b'"]),
    "nothing but a target": ("y\n1\n2\n", ["no columns for features"]),
    "target missing": (f"y,a,b\n{ROWS},1,u\n", ["data.target", "missing in row 31"]),
    "target infinite": (f"y,a,b\n{ROWS}inf,1,u\n", ["data.target", "infinite in row 31"]),
    "feature infinite": (f"y,a,b\n1,-inf,u\n{ROWS}", ["'a'", "infinite in row 1"]),
    "one class": ("y,a\n" + "1,0.5\n" * 9, ["data.target", "'1'", "allowed are two classes"]),
    "no header": (
        "5.1,3.5,red\n" + "5.1,2.5,red\n4.1,3.5,blue\n" * 9,
        ["line 1 of t.csv holds values ('5.1', '3.5', 'red'), not names", "add one"],
    ),
    "no header, a value twice": (
        "1,0,1\n" + "0,1,1\n1,1,0\n" * 9,
        ["line 1 of t.csv holds values ('1', '0', '1')"],
    ),
    "target missing often": (
        f"y,a,b\n{ROWS}" + ",1,u\n" * 18,
        ["missing in row 31", "18 of 48", "taken for missing: empty cells"],
    ),
    "rare class": (f"y,a,b\n{ROWS}2,1,u\n", ["class '2' has 1 row", "3 or more", "stratified"]),
    "empty column": ("y,a,b\n" + "1,0.5,\n" * 9, ["'b'", "no value", 'drop = ["b"]']),
    "names of rows": (
        "y,a\n" + "".join(f"{i % 2},id{i}\n" for i in range(300)),
        ["'a' has 300 categories", "allowed are 200", 'drop = ["a"]', "categorical"],
    ),
}


@pytest.mark.parametrize("header", ["0,1,2", "1,2,3", "1990,1991,country", "a,1,2", "y,2020,NA"])
def test_names_that_are_numbers_are_names(header, tmp_path):
    rows = "1.5,2,u\n2.5,0,v\n" * 20
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}")
    assert splits_of(str(tmp_path / "t.csv"), target=header.split(",")[0]).n_features == 3
    if header != "y,2020,NA":
        assert "allowed are '" in said(f"{header}\n{rows}", tmp_path, target="q")


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_named(name, delimiter, tmp_path):
    table = people()
    table["note"] = ["one, two; three|four", "five"] * 30
    reference = splits_of(write(tmp_path / "reference.csv", table), target="plan")
    table.to_csv(tmp_path / name, index=False, sep=delimiter)
    splits = splits_of(str(tmp_path / name), target="plan")
    np.testing.assert_array_equal(splits.train.x, reference.train.x)
    usual = "\t" if name == "t.tsv" else ","
    assert splits.reading.delimiter == (None if delimiter == usual else delimiter)
    words = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "'|'"}[delimiter]
    said_so = reading_notes(splits.reading)
    assert said_so == (
        () if delimiter == usual else (f"the file's fields are separated by {words}",)
    )


def test_decimal_commas_between_semicolons(tmp_path):
    table = pd.DataFrame({"a": np.arange(40) / 4, "b": np.arange(40) / 8, "y": np.arange(40) / 2})
    table.to_csv(tmp_path / "t.csv", index=False, sep=";", decimal=",")
    splits = splits_of(str(tmp_path / "t.csv"), target="y")
    reference = splits_of(write(tmp_path / "reference.csv", table), target="y")
    np.testing.assert_array_equal(splits.train.x, reference.train.x)
    assert reading_notes(splits.reading)[1] == "y: numbers with a decimal comma"


def test_a_header_with_commas_and_a_broken_row_leave_the_delimiter(tmp_path):
    rows = "".join(f"{i % 2};{i}\n" for i in range(30))
    (tmp_path / "t.csv").write_text(f"y;weight, in kg\n{rows}")
    assert splits_of(str(tmp_path / "t.csv"), target="y").n_features == 1
    assert "line 32 has 3 fields" in said(f"y;a\n{rows}1;2;3\n", tmp_path)


def test_zeros_before_a_code_are_kept(tmp_path):
    rows = "".join(f"{i % 2},0{i % 3}\n" for i in range(30))
    (tmp_path / "t.csv").write_text(f"y,zip\n{rows}")
    splits = splits_of(str(tmp_path / "t.csv"), target="y")
    assert splits.n_features == 3
    assert reading_notes(splits.reading) == (
        "zip: 3 categories, codes with zeros before them, such as '00'",
    )


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_text_file_is_reported_in_one_line(mistake, tmp_path):
    text, parts = MISTAKES[mistake]
    line = said(text, tmp_path)
    assert [part for part in parts if part not in line] == []


def test_a_column_of_dates_is_refused_by_name(tmp_path):
    days = pd.date_range("2020", periods=20)
    for dates in (days, days.date):
        table = pd.DataFrame({"y": np.resize([0, 1], 20), "day": dates})
        line = complaint(Path(write(tmp_path / "d.parquet", table)), target="y")
        assert all(part in line for part in ("'day'", "date", "numbers", 'drop = ["day"]'))
    assert "data.target" in complaint(tmp_path / "d.parquet", target="day")


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.parquet", b"PAR1 and no more"), ("t.npz", b"PK\x03\x04"), ("t.npz", b"\x93NUMPY")],
)
def test_broken_binary_files(name, content, tmp_path):
    assert f"{name} does not parse" in said(content, tmp_path, name=name)


@pytest.mark.parametrize(
    ("arrays", "target", "parts"),
    [
        ({"y": [1, 2]}, None, ["'x'", "it holds 'y'"]),
        ({"x": np.ones((4, 2))}, "label", ["data.target", "'label'", "it holds 'x'"]),
        ({"x": np.ones((4, 2)), "y": np.array([{}] * 4)}, None, ["'y'", "Python objects"]),
        ({"x": np.ones(4), "y": np.ones(4)}, None, ["1 axes", "reshape"]),
        ({"x": np.ones((4, 2)), "y": np.ones((4, 3))}, None, ["(4, 3)", "one target a row"]),
        ({"x": np.ones((4, 2)), "y": np.ones(3)}, None, ["4 rows", "3 targets"]),
        ({"x": np.ones((4, 2), complex), "y": np.arange(4)}, None, ["'0'", "complex"]),
    ],
)
def test_arrays_that_do_not_fit(arrays, target, parts, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    line = complaint(tmp_path / "a.npz", target=target)
    assert [part for part in parts if part not in line] == []


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".npz"])
def test_a_file_that_is_no_regular_one_is_not_opened(tmp_path, kind, suffix):
    file = SPECIAL_FILES[kind](tmp_path / f"it{suffix}")
    with pytest.raises(DataError, match=f"it is {kind}; allowed is a regular file") as caught:
        read_file(file, format=suffix, target=None, beside={})
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_not_there(tmp_path):
    line = complaint(tmp_path / "none.csv", target="y")
    assert "data.source: no file" in line
    assert "none.csv" in line


csv_like = st.text(st.sampled_from(list('abc,;"\t\r\n\\ 0123456789.-eé\0')), max_size=80)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, bytes]:
    """Files that are whole, for their bytes to be changed."""
    folder = tmp_path_factory.mktemp("good")
    table = people(20)
    np.savez_compressed(folder / "t.npz", x=np.ones((20, 2)), y=np.linspace(0, 1, 20))
    for suffix in WRITERS:
        write(folder / f"t{suffix}", table)
    return {file.suffix: file.read_bytes() for file in folder.iterdir()}


@given(
    suffix=st.sampled_from([".csv", ".tsv", ".parquet", ".npz"]),
    garbage=st.binary(max_size=80) | csv_like.map(str.encode),
    target=st.sampled_from([None, "a", "1"]),
)
@example(suffix=".csv", garbage=b"a,b\r1,\r\n2", target="a")
@example(suffix=".csv", garbage=b"\xef\xbb\xbf", target="a")
def test_garbage_loads_or_is_a_data_error(tmp_path_factory, suffix, garbage, target):
    loads_or_data_error(tmp_path_factory, suffix, garbage, target)


@given(st.data())
def test_a_damaged_file_loads_or_is_a_data_error(tmp_path_factory, good, data):
    suffix = data.draw(st.sampled_from(sorted(good)))
    content = bytearray(good[suffix])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    target = None if suffix == ".npz" else "plan"
    loads_or_data_error(tmp_path_factory, suffix, bytes(content[:end]), target)


def loads_or_data_error(tmp_path_factory, suffix: str, content: bytes, target: str | None) -> None:
    file = tmp_path_factory.getbasetemp() / f"garbage{suffix}"
    file.write_bytes(content)
    try:
        splits_of(str(file), target=target)
    except DataError as error:
        assert len(str(error).splitlines()) == 1
