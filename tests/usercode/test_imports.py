"""Modules of the user's own: that of the study's folder is loaded, whatever was loaded before."""

import sys
from pathlib import Path

import pytest

from finetune.errors import SpecError
from finetune.usercode.imports import load_function, load_object


@pytest.fixture(autouse=True)
def _clean_imports(monkeypatch):
    """Leave Python's path and modules as they were."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before.keys():
        del sys.modules[name]
    sys.modules.update(before)


def study(folder: Path, *, factor: float, package: str = "callbacks", init: bool = True) -> Path:
    """Make a folder with a package in it, whose `halve` takes its factor from beside it."""
    inner = folder / package
    inner.mkdir(parents=True)
    if init:
        (inner / "__init__.py").write_text("")
    (inner / "amount.py").write_text(f"FACTOR = {factor}\n")
    (inner / "halve.py").write_text(
        f"from {package}.amount import FACTOR\n\n\ndef halve():\n    return FACTOR\n"
    )
    return folder


def halve_of(folder: Path, package: str = "callbacks") -> float:
    path = f"{package}.halve:halve"
    return load_function(path, folders=[str(folder)], field="here", error=SpecError)()


@pytest.mark.parametrize("init", [True, False])
def test_two_folders_may_each_have_a_package_of_one_name(tmp_path, init):
    one = study(tmp_path / "one", factor=0.5, init=init)
    other = study(tmp_path / "other", factor=0.25, init=init)
    assert [halve_of(folder) for folder in (one, other, one)] == [0.5, 0.25, 0.5]


def test_a_package_that_is_still_the_same_is_not_loaded_again(tmp_path):
    folder = study(tmp_path / "one", factor=0.5)
    halve_of(folder)
    before = sys.modules["callbacks"]
    halve_of(folder)
    assert sys.modules["callbacks"] is before


def test_another_file_than_the_studys_own_is_an_error(tmp_path):
    """A folder without `__init__.py` comes, for Python, after any later one that has it."""
    one = study(tmp_path / "one", factor=0.5)
    other = study(tmp_path / "other", factor=0.25, init=False)
    halve_of(one)
    with pytest.raises(SpecError) as caught:
        halve_of(other)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert "here: cannot import 'callbacks.halve:halve'" in line
    assert str(one / "callbacks" / "halve.py") in line
    assert str(other / "callbacks" / "halve.py") in line


@pytest.mark.parametrize("package", ["json", "numpy", "finetune"])
def test_a_package_that_is_installed_stays(tmp_path, package):
    __import__(package)
    before = sys.modules[package]
    folder = study(tmp_path / "one", factor=0.5, package=package)
    with pytest.raises(SpecError, match="No module named"):
        load_object(f"{package}.halve:halve", folders=[str(folder)], field="x", error=SpecError)
    assert sys.modules[package] is before
