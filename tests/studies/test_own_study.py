"""A user's own table, network and variants, by the installed command to the report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.processes import finetune

pytestmark = pytest.mark.slow

STUDY = """
name = "people"
seeds = 3
vary = ["init", "order", "split"]
data = { source = "people.csv", target = "buys" }
model = { factory = "network:build" }
training = { epochs = 4, batch_size = 16 }

[[variants]]
name = "plain"
[[variants]]
name = "stops"
early_stopping = { patience = 1 }
[[variants]]
name = "cosine"
schedule = { kind = "cosine", period = 4 }
"""

NETWORK = """
import keras


def build(input_shape, n_outputs):
    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(),
        keras.layers.Activation("relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(n_outputs, activation=ACTIVATION),
    ])
"""


def people(classes: tuple[str, ...]) -> pd.DataFrame:
    """Return 120 rows with numbers, text and booleans, some of them missing."""
    rng = np.random.default_rng(3)
    age = rng.normal(40, 10, 120)
    town = rng.choice(["north", "south", "east"], 120)
    score = age / 10 + (town == "north") + rng.normal(0, 0.5, 120)
    place = np.searchsorted(np.quantile(score, np.linspace(0, 1, len(classes) + 1)[1:-1]), score)
    table = pd.DataFrame({"age": age, "town": town, "member": rng.random(120) < 0.5})
    table.loc[::9, "age"] = np.nan
    table.loc[::11, "town"] = None
    return table.assign(buys=np.array(classes)[place])


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "network.py").write_text(NETWORK.replace("ACTIVATION", '"sigmoid"'))
    people(("no", "yes")).to_csv(tmp_path / "people.csv", index=False)
    return tmp_path


def test_a_users_table_network_and_variants_reach_the_report(folder):
    answer = finetune("run", "study.toml", "--out", "out", "--workers", "1", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    runs = pd.read_csv(folder / "out" / "tables" / "runs.csv")
    assert len(runs) == 9
    assert (runs["status"] == "ok").all()
    assert runs["test_accuracy"].between(0, 1).all()
    report = (folder / "out" / "report.md").read_text()
    assert "`people.csv`, target `buys`" in report
    assert "made by `network:build`" in report
    assert "Parity" in report


def test_what_is_wrong_in_a_users_files_is_named_in_one_line(folder):
    wrong = {
        "--set=data.target=sells": "data.target: ",
        "--set=data.source=nowhere.csv": "data.source: no file 'nowhere.csv'",
        "--set=model.factory=network:nothing": "finetune: model.factory: cannot import 'network:no",
        "--set=variants.1.model.factory=network:nothing": "variants.1.model.factory: cannot import",
    }
    for change, words in wrong.items():
        key, value = change.removeprefix("--set=").split("=", 1)
        options = ("--out", "out", "--workers", "0", "--set", f"{key}={value}")
        answer = finetune("run", "study.toml", *options, cwd=folder)
        assert answer.returncode == 2
        assert words in answer.stderr.splitlines()[-1]
        assert "Traceback" not in answer.stderr
