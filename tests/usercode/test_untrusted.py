"""Studies from strangers: `--no-imports` admits no import and no file from elsewhere."""

import json
from pathlib import Path

import pytest

from finetune.errors import FinetuneError
from finetune.studies.load import load_spec
from tests.processes import finetune
from tests.spec_strategies import toml_document

EVIL = "from pathlib import Path\nPath('marker').touch()\nbuild = load = Own = None\n"
BARE = {"name": "m", "data": {"source": "make_moons"}, "variants": [{"name": "plain"}]}

IMPORTS = {
    "data.source": {"data": {"source": "evil:load"}},
    "model.factory": {"model": {"factory": "evil:build"}},
    "variants.0.callbacks": {
        "variants": [{"name": "own", "callbacks": [{"callback": "evil:Own"}]}]
    },
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A stranger's folder, current, in which `evil` leaves a marker when it is imported."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "evil.py").write_text(EVIL)
    (folder / "own.csv").write_text("y,a\n0,1\n")
    (tmp_path / "secret.csv").write_text("y,a\n0,1\n")
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, **changes) -> Path:
    file = folder / "study.toml"
    file.write_text(toml_document(BARE | changes))
    return file


@pytest.mark.parametrize("field", IMPORTS)
def test_an_import_is_refused_by_its_field(folder, field):
    file = written(folder, **IMPORTS[field])
    assert load_spec(file).name == "m"
    with pytest.raises(FinetuneError) as caught:
        load_spec(file, imports=False)
    assert str(caught.value).startswith(f"{field}: received 'evil:")
    assert "--no-imports" in str(caught.value)


@pytest.mark.parametrize("command", ["run", "map", "search", "claim"])
def test_every_command_that_trains_can_forbid_imports(cli, command):
    Path("evil.py").write_text(EVIL)
    file = written(Path(), **IMPORTS["model.factory"])
    code, out, err = cli(command, str(file), "--no-imports")
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert "finetune: model.factory: received 'evil:build'" in line
    assert not Path("marker").exists()


OUTSIDE = ["../secret.csv", "/etc/secret.csv", "C:\\secret.csv", "..\\secret.csv", "\\\\h\\s.csv",
           "link.csv", "below/../../secret.csv", "loop.csv"]  # fmt: skip


@pytest.mark.parametrize("source", OUTSIDE)
@pytest.mark.parametrize("field", ["data.source", "model.architecture", "model.file"])
def test_a_file_from_elsewhere_is_refused(folder, field, source):
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    part, key = field.split(".")
    with pytest.raises(FinetuneError) as caught:
        load_spec(written(folder, **{part: {key: source}}), imports=False)
    assert str(caught.value).startswith(f"{field}: received {source!r}, which leaves")


def test_a_file_of_the_study_s_own_folder_is_allowed(folder, monkeypatch):
    file = written(folder, data={"source": "own.csv", "target": "y"})
    monkeypatch.chdir(folder.parent)
    assert load_spec(file, imports=False).data.content == load_spec(file).data.content


@pytest.mark.parametrize("command", ["report", "claim"])
def test_a_manifest_imports_nothing(folder, command):
    spec = load_spec().model_dump(mode="json") | IMPORTS["data.source"]
    spec["model"] = {"factory": "evil:build"}
    for variant in spec["variants"]:
        variant["callbacks"] = [{"callback": "evil:Own"}]
    done = folder / "done"
    done.mkdir()
    about = {"spec": spec, "engine": "population", "command": "x", "versions": {"evil": "1"}}
    (done / "manifest.json").write_text(json.dumps(about))
    answer = finetune(command, "done", cwd=folder)
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
    assert not (folder / "marker").exists()


NAMES = ["../x", "/x", "a/b", "a\\b", "C:", "a\0", "a.", "..", "con", "NUL.txt", "Lpt1", "a" * 81,
         "-x", " a", "a\u202e"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_no_folder_of_its_own_is_refused(folder, name):
    with pytest.raises(FinetuneError) as caught:
        load_spec(written(folder, name=name))
    assert "study.toml: name: received" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
