"""Figures are drawn with our settings alone, whatever lies in the current folder."""

import subprocess
import sys

import pytest

from tests.processes import ROOT

DRAW = """
import logging
logging.basicConfig()
from hashlib import sha256
from finetune.report.figures.base import saved_twice
from finetune.report.figures.style import figure_style
from matplotlib.figure import Figure
with figure_style():
    figure = Figure()
    figure.subplots().set(title="a $x$", xlabel="epoch")
    files = saved_twice("f", figure)
print({name: sha256(data).hexdigest() for name, data in files.items()})
"""

PLANTED = {
    "LaTeX": b"text.usetex: True\n",
    "a look": b"axes.facecolor: red\nfont.size: 40\nsvg.fonttype: none\nbackend: TkAgg\n",
    "broken": b"text.usetex: perhaps\nnonsense\naxes.unheard: 1\n",
    "no text": b"\xff\xfe\x00\x80",
}


def drawn(folder) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-c", DRAW],
        check=True,
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> str:
    return drawn(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("kind", PLANTED)
def test_settings_beside_a_study_change_no_byte_and_warn_of_nothing(tmp_path, plain, kind):
    (tmp_path / "matplotlibrc").write_bytes(PLANTED[kind])
    assert drawn(tmp_path) == plain


def test_settings_of_a_program_that_has_loaded_matplotlib_change_nothing(monkeypatch):
    import matplotlib

    from finetune.report.figures.style import figure_style

    with matplotlib.rc_context({"text.usetex": True, "font.size": 40}):
        with figure_style():
            assert not matplotlib.rcParams["text.usetex"]
            assert matplotlib.rcParams["axes.titleweight"] == "bold"
        assert matplotlib.rcParams["font.size"] == 40


def test_ranks_read_no_settings_either(tmp_path):
    (tmp_path / "matplotlibrc").write_bytes(PLANTED["no text"])
    code = (
        "import pandas as pd\n"
        "from finetune.stats.ranks import homogeneous_groups\n"
        "p = pd.DataFrame(1.0, index=['a', 'b'], columns=['a', 'b'])\n"
        "print(homogeneous_groups(p, alpha=0.05))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
