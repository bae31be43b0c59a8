"""Where the system refuses what a command needs it ends in one line, or where it cannot write."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT, SCRIPTS, finetune

FULL = Path("/dev/full")


def call(*arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(
        [SCRIPTS / "finetune", *arguments],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        check=False,
        cwd=cwd,
        env=environment,
        text=True,
    )


@pytest.mark.skipif(not FULL.exists(), reason="no device that is full")
@pytest.mark.parametrize("command", [["--help"], ["init", "m.toml"]])
def test_a_full_device(tmp_path, command):
    with FULL.open("w") as full:
        done = call(*command, cwd=tmp_path, stdout=full)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("finetune: output: No space left on device")
        (tmp_path / "m.toml").unlink(missing_ok=True)
        assert call(*command, cwd=tmp_path, stdout=full, stderr=full).returncode == 2


def test_an_output_that_nobody_reads(tmp_path):
    read, write = os.pipe()
    os.close(read)
    try:
        done = call("init", "m.toml", cwd=tmp_path, stdout=write)
    finally:
        os.close(write)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("finetune: output: Broken pipe")


def test_a_current_folder_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'rmdir "{gone}" && exec "{SCRIPTS / "finetune"}" run'
    done = subprocess.run(
        ["sh", "-c", command],
        check=False,
        cwd=gone,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("finetune: current folder: ")


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--seeds", "1", "--workers", "1"],
        ["run", "--seeds", "1", "--dask", "tcp://127.0.0.1:1"],
        ["worker", "tcp://127.0.0.1:1"],
    ],
)
def test_encryption_that_dask_s_configuration_requires(tmp_path, monkeypatch, command):
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION", "true")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = finetune(*command, cwd=tmp_path)
    line = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Dask's configuration has distributed.comm.require-encryption" in line
