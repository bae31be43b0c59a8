"""The commands and programs of the README and of the pages beside it, run as they are typed."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "docs" / "claims.md", ROOT / "docs" / "results.md"]

# Less of what takes long with made-up training too, since much is written and drawn.
SMALLER = {
    "run": ["--set", "training.epochs=4"],
    "search": ["--set", "search.trials=2", "--set", "seeds=3", "--set", "training.epochs=4"],
    "map": ["--set", "map.seeds=2", "--set", "map.factor=[0.5]", "--set", "map.patience=[3]"],
}
MOST_LINES = 200


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.M | re.S)


def commands(page: Path) -> list[str]:
    """Return the commands of a page, without what follows as a comment."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.strip()]


def ours(page: Path) -> list[str]:
    return [line for line in commands(page) if line.startswith("finetune ")]


@pytest.fixture
def folder(cli, executor, tmp_path):
    """A folder with a study file, and with the founding study's report."""
    executor.failed_share = 0
    shutil.copy(ROOT / "benchmarks" / "studies" / "founding.toml", tmp_path / "my-study.toml")
    assert cli("run", "--seeds", "20", "--set", "training.epochs=4")[0] == 0
    return tmp_path


def test_the_readme_is_short_enough_to_be_read():
    assert len(README.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    "line", [pytest.param(line, id=f"{page.stem}: {line}") for page in PAGES for line in ours(page)]
)
def test_a_command_runs_as_it_is_typed(cli, folder, line):
    arguments = shlex.split(line)[1:]
    expected = (0, 1) if "--expect" in arguments else (0,)
    code, _, err = cli(*arguments, *SMALLER.get(arguments[0], []))
    assert code in expected, err


def test_all_other_commands_are_those_that_set_it_up():
    """CI types these in an empty environment."""
    checked = (ROOT / ".ci" / "run").read_text()
    others = [line for line in commands(README) if line not in ours(README)]
    assert len(others) == 2
    assert others[1] in checked
    assert others[0].startswith("pip install -c constraints.txt -e . && finetune run")


@pytest.mark.parametrize(
    "page", sorted({*PAGES, *(ROOT / "docs").glob("*.md")}), ids=lambda p: p.stem
)
def test_every_link_to_a_file_leads_to_one(page: Path):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    missing = [one for one in targets if "://" not in one and not (page.parent / one).exists()]
    assert missing == []


@pytest.mark.slow
def test_the_programs_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    *programs, callback = blocks(README, "python")
    for program in programs:
        exec(compile(program, "README.md", "exec"), names)
    # The last is about a model and rows of the reader's own.
    import keras
    from keras.layers import Dense

    model = keras.Sequential([keras.Input((30,)), Dense(1, "sigmoid")])
    model.compile(loss="binary_crossentropy")
    exec(compile(callback, "README.md", "exec"), {"model": model, "x": names["x"], "y": names["y"]})
