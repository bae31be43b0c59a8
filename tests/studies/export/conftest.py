"""A study's report without a store, as in a fresh clone, with two figures."""

import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from finetune.execution.training import Options
from finetune.studies.run import run_study
from tests.made_runs import MadeUpExecutor
from tests.small_studies import small_study

NAMES = ["no callbacks", '../up: <b>|"=1+1"', "LR reduction from epoch 0", "delayed", "both"]
SIZE = ("training.epochs=5", "seeds=4", "claims=[]")
NAMED = [f"variants.{number}.name={name}" for number, name in enumerate(NAMES)]


@pytest.fixture(scope="session")
def _reported(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reported") / "out"
    executor = MadeUpExecutor(failed_share=0.0)
    run_study(small_study(*SIZE, *NAMED), folder, options=Options(executor, figures=False))
    shutil.rmtree(folder / "store")
    (folder / "figures").mkdir()
    for name in ("curves", "claim"):
        for kind in ("png", "svg"):
            Figure(figsize=(1, 2)).savefig(folder / "figures" / f"{name}.{kind}", dpi=30)
    return folder


@pytest.fixture
def reported(_reported, tmp_path) -> Path:
    return Path(shutil.copytree(_reported, tmp_path / "out"))
