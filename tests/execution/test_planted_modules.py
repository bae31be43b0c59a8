"""Modules in the current folder run in no process of ours, however it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.execution.environment import SAFE_PATH, graphics_cards, safe_children
from tests.clusters import free_address, scheduler, worker_processes, workers
from tests.processes import ROOT, finetune
from tests.spec_strategies import toml_document
from tests.usercode.test_untrusted import BARE

# What Python, its multiprocessing, Dask and the search for graphics cards import first.
PLANTED = (
    "multiprocessing", "threading", "typing", "json", "random", "socket", "dataclasses",
    "tensorflow", "numpy", "distributed", "msgpack",
)  # fmt: skip
LEAVE_A_MARKER = "open(__file__ + '.ran', 'w').close()\nraise ImportError('planted')\n"
SMALL = {"seeds": 2, "vary": ["init"], "model": {"hidden": [4]}, "training": {"epochs": 2}}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A stranger's folder, current: modules that leave a marker, beside a study."""
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text(LEAVE_A_MARKER)
    (tmp_path / "m.toml").write_text(toml_document(BARE | SMALL))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def ran(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.ran"))


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True)


def test_the_plant_runs_where_nothing_is_done_against_it(folder):
    python("-c", "import tensorflow")
    assert ran(folder) == ["tensorflow.py.ran"]


def test_processes_in_the_block_start_without_the_current_folder(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    before = list(sys.path)
    with safe_children():
        assert "" not in sys.path
        assert {name: os.environ[name] for name in SAFE_PATH} == SAFE_PATH
        assert python("-c", "import threading").returncode == 0
    assert sys.path == before
    assert "PYTHONSAFEPATH" not in os.environ
    assert ran(folder) == []


def test_an_empty_setting_of_the_user_s_is_no_permission(monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    with safe_children():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ["PYTHONSAFEPATH"] == ""


@pytest.mark.slow
def test_the_search_for_graphics_cards(folder):
    devices = folder / "dev"
    devices.mkdir()
    (devices / "nvidia0").touch()
    assert graphics_cards(devices) >= 0
    assert ran(folder) == []


@pytest.mark.slow
def test_local_workers(folder):
    done = finetune("run", "m.toml", "--workers", "2", "--no-imports", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert ran(folder) == []


@pytest.mark.slow
def test_local_workers_of_a_program_with_the_current_folder_on_its_path(folder):
    code = (
        "import sys, distributed, pandas\n"
        "from finetune.cli.app import main\n"
        "from finetune.studies import run\n"
        "sys.path.insert(0, '')\n"
        "sys.argv = ['finetune', 'run', 'm.toml', '--workers', '2']\n"
        "main()\n"
    )
    done = python("-P", "-c", code)
    assert done.returncode == 0, done.stderr
    assert ran(folder) == []


@pytest.mark.slow
def test_workers_of_a_cluster(folder, tmp_path_factory):
    logs, address = tmp_path_factory.mktemp("logs"), free_address()
    # The scheduler is Dask's own command, started elsewhere.
    with scheduler(address, logs / "scheduler"), workers(address, logs / "workers", 2):
        worker_processes(address, 2)
        done = finetune("run", "m.toml", "--dask", address, "--no-imports", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert ran(folder) == []


def test_python_m_refuses_a_stranger_s_study(folder):
    done = python("-m", "finetune", "run", "m.toml", "--no-imports")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("finetune: --no-imports: the current folder is on Python's path")
    assert "`python -P -m finetune`" in line
    assert ran(folder) == []


@pytest.mark.parametrize("option", [[], ["-P"]])
def test_python_m_imports_nothing_from_the_current_folder(folder, option):
    done = python(*option, "-m", "finetune", "run", "m.toml", "--set", "seeds=many")
    assert done.returncode == 2
    assert "seeds" in done.stderr
    assert ran(folder) == []


def test_a_path_with_the_current_folder_is_refused(folder, monkeypatch):
    # As `export PYTHONPATH=$PYTHONPATH:/folder` leaves it where there was none.
    monkeypatch.setenv("PYTHONPATH", f":{ROOT}")
    for name in PLANTED:
        (folder / f"{name}.py").unlink()
    done = finetune("run", "m.toml", "--no-imports", cwd=folder)
    assert done.returncode == 2
    assert "the current folder is on Python's path" in done.stderr
