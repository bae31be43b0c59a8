"""The user's own files: found beside the study, known by what they hold, found again by workers."""

import pickle
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from finetune.data.splits import load_splits
from finetune.errors import DataError, FinetuneError, SpecError
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.studies.load import load_spec
from finetune.usercode.files import import_function, locate_files
from tests.data.user_data import people, write
from tests.processes import finetune, loaded_by
from tests.special_files import SPECIAL_FILES

STUDY = """
name = "own"
seeds = 2
vary = ["init", "order", "split"]
data = {{ source = "{source}", target = "plan" }}
model = {{ hidden = [4] }}
training = {{ epochs = 2 }}
variants = [{{ name = "plain" }}, {{ name = "stops", early_stopping = {{ patience = 1 }} }}]
"""
OWN_CODE = """
import keras
import pandas as pd

def load():
    return pd.read_csv({file!r})

def build(shape, outputs):
    return keras.Sequential([keras.Input(shape), keras.layers.Dense(outputs, "softmax")])

def nothing(shape, outputs):
    return None

def fails(shape, outputs):
    return shape[1]
"""


@pytest.fixture(autouse=True)
def _own_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def study(tmp_path) -> Path:
    """A study file beside its data, in another folder than the current one."""
    folder = tmp_path / "studies"
    folder.mkdir()
    write(folder / "people.csv")
    (folder / "own.toml").write_text(STUDY.format(source="people.csv"))
    (folder / "own_code.py").write_text(OWN_CODE.format(file=str(folder / "people.csv")))
    return folder / "own.toml"


def recipe(spec: StudySpec) -> str:
    return spec.recipe(spec.variants[0], "keras")


def complaint(path: Path, *overrides: str) -> str:
    with pytest.raises(FinetuneError) as caught:
        load_spec(path, overrides=overrides)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_a_file_is_found_beside_the_study(study, monkeypatch):
    spec = load_spec(study)
    assert spec.data.content == sha256((study.parent / "people.csv").read_bytes()).hexdigest()
    monkeypatch.chdir("/")
    there = pickle.loads(pickle.dumps(spec.with_epochs(7)))
    assert load_splits(there.data, 0).n_classes == 3
    assert there.data == spec.data


def test_else_a_file_is_found_in_the_current_folder(study, monkeypatch):
    monkeypatch.chdir(study.parent)
    overrides = ["data.source=people.csv", "data.target=plan", "data.args={}"]
    assert load_spec(overrides=overrides).data.content == load_spec(study).data.content


def test_a_file_counts_by_what_it_holds_not_by_its_path(study):
    first = load_spec(study)
    (study.parent / "people.csv").rename(study.parent / "persons.csv")
    renamed = load_spec(study, overrides=["data.source=persons.csv"])
    assert recipe(renamed) == recipe(first)
    write(study.parent / "persons.csv", people().assign(age=1.5))
    changed = load_spec(study, overrides=["data.source=persons.csv"])
    assert recipe(changed) != recipe(first)


def test_the_format_counts_too(study):
    (study.parent / "people.tsv").write_bytes((study.parent / "people.csv").read_bytes())
    other = load_spec(study, overrides=["data.source=people.tsv"])
    assert other.data.content == load_spec(study).data.content
    assert recipe(other) != recipe(load_spec(study))


def test_a_report_needs_no_file(study):
    spec = load_spec(study)
    again = parse_spec(spec.model_dump(mode="json"))
    (study.parent / "people.csv").unlink()
    assert recipe(again) == recipe(spec)
    assert "studies" not in spec.model_dump_json()


def test_a_file_that_is_not_there_or_another_is_reported(study):
    line = complaint(study, "data.source=none.csv")
    assert all(part in line for part in ("data.source", "'none.csv'", str(study.parent)))
    line = complaint(study, f"data.content={'0' * 64}")
    assert all(part in line for part in ("data.content", "0" * 64, load_spec(study).data.content))
    assert "no file" in complaint(study, "data.source=make_moons", f"data.content={'0' * 64}")
    assert "the network is no file" in complaint(study, f"model.content={'0' * 64}")


def test_a_file_that_changes_after_the_study_was_read_is_refused(study):
    spec = load_spec(study)
    write(study.parent / "people.csv", people(70))
    with pytest.raises(DataError, match=r"data\.content: received \w+, but people\.csv has"):
        load_splits(spec.data, 0)


def test_code_counts_by_what_its_file_holds(study):
    overrides = ["data.source=own_code:load", "model.factory=own_code:build"]
    first = load_spec(study, overrides=overrides)
    assert first.data.content == first.model.content is not None
    code = study.parent / "own_code.py"
    code.write_text(code.read_text() + "\n# another word\n")
    assert recipe(load_spec(study, overrides=overrides)) != recipe(first)


def test_a_study_of_own_code_is_read_without_running_it(study):
    code = f"from finetune.studies.load import load_spec; load_spec({str(study)!r}, overrides="
    assert loaded_by(code + "['data.source=own_code:load', 'model.factory=own_code:build'])") == (
        set()
    )


def test_a_module_is_imported_from_the_study_s_folder_and_anew_when_it_changes(study):
    overrides = ["data.source=own_code:load"]
    assert load_splits(load_spec(study, overrides=overrides).data, 0).task == "multiclass"
    code = study.parent / "own_code.py"
    code.write_text("def load():\n    raise RuntimeError('the new one')\n")
    with pytest.raises(DataError, match=r"RuntimeError: the new one \(own_code.py, line 2\)"):
        load_splits(load_spec(study, overrides=overrides).data, 0)
    assert sys.path[0] != str(study.parent)


@pytest.mark.parametrize(
    ("factory", "parts"),
    [
        ("own_code:nothing", ["returned NoneType", "allowed is a keras.Model"]),
        ("own_code:fails", ["raised IndexError: tuple index out of range (own_code.py, line 15)"]),
    ],
)
def test_a_factory_that_does_not_build_is_reported_in_one_line(study, factory, parts):
    from finetune.models.network import build_model

    spec = load_spec(study, overrides=[f"model.factory={factory}"])
    with pytest.raises(SpecError) as caught:
        build_model(spec.model, spec.training, shape=(3,), n_classes=2)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in (f"model.factory: {factory}", *parts) if part not in line] == []


def test_modules_of_the_same_name_in_two_folders(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        (folder / "same_name.py").write_text(f"def where():\n    return {folder.name!r}\n")
    spec = parse_spec(
        {"name": "s", "data": {"source": "same_name:where"}, "variants": [{"name": "v"}]}
    )
    for folder in (*folders, folders[0]):
        data = locate_files(spec, folder).data
        where = import_function(data, data.source, field="data.source", error=DataError)
        assert where() == folder.name


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize(
    ("name", "override"),
    [
        ("it.csv", "data.source=it.csv"),
        ("it.npz", "data.source=it.npz"),
        ("it.json", "model.architecture=it.json"),
        ("it.keras", "model.file=it.keras"),
    ],
)
def test_a_file_that_is_no_regular_one_is_refused_at_once(study, kind, name, override):
    SPECIAL_FILES[kind](study.parent / name)
    assert f"no file '{name}' in " in complaint(study, override)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize("name", ["strange.py", "strange/__init__.py"])
def test_a_module_that_is_no_regular_file_is_refused_at_once(study, kind, name):
    (study.parent / name).parent.mkdir(exist_ok=True)
    SPECIAL_FILES[kind](study.parent / name)
    data = load_spec(study, overrides=["data.source=strange:load"]).data
    with pytest.raises(DataError, match=r"data\.source: cannot import 'strange:load'") as caught:
        import_function(data, data.source, field="data.source", error=DataError)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_a_study_of_own_data_and_code_trains_in_workers(study, tmp_path):
    run = ["run", str(study), "--workers", "2", "--out", "out"]
    own = ["--set", "data.source=own_code:load", "--set", "model.factory=own_code:build"]
    answer = finetune(*run, *own, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    report = (tmp_path / "out" / "report.md").read_text()
    assert "own\\_code:load" in report or "own_code:load" in report
    assert str(study.parent) not in (tmp_path / "out" / "manifest.json").read_text().replace(
        " ".join(run), ""
    )
