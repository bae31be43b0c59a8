"""A study's folder from a stranger: data that is foreign, links that lead out, files that wait."""

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finetune.errors import FinetuneError, StoreError
from finetune.execution.training import Options
from finetune.store.compaction import compact
from finetune.store.results import ResultStore
from finetune.store.schema import TRIAL_COLUMNS
from finetune.store.shards import encoded, name_of, shard_names
from finetune.studies.claim_map import map_claim
from finetune.studies.load import load_spec
from finetune.studies.run import read_study, train_slice
from finetune.studies.search import search_study
from tests.made_runs import MadeUpExecutor
from tests.special_files import SPECIAL_FILES
from tests.store.foreign import FOREIGN, replace_shard
from tests.studies.test_damaged_folders import OVERRIDES, numbers, run


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a study that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("finished") / "out"
    run(folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out"))


def content(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies in a folder; None for what is no file."""
    paths = sorted(folder.rglob("*"))
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in paths
    }


def in_one_line(work) -> str:
    with pytest.raises(FinetuneError) as caught:
        work()
    (line,) = str(caught.value).splitlines()
    return line


JUNK = {"junk": b"junk", "nothing": b"", "half a file": b"PAR1" + bytes(9)}


def plant(folder: Path, kind: str) -> str:
    """Put a foreign shard in the place of a sound one; return its name."""
    name = shard_names(folder / "store" / "runs")[1]
    how = {"junk": JUNK[kind]} if kind in JUNK else {"kind": kind}
    return replace_shard(folder / "store", name, **how)


@pytest.mark.parametrize("kind", ["text in the seeds", "an epoch missing", "junk"])
def test_a_foreign_shard_of_a_fitting_name_is_set_aside_once(folder, finished, kind):
    name = plant(folder, kind)
    line = in_one_line(lambda: read_study(folder, figures=False))
    assert f"the shard {name} is damaged: its " in line
    assert "`finetune run` sets the shard aside" in line
    (note,) = [note for note in run(folder) if "set aside" in note]
    assert f"The shard {name} is damaged: its " in note
    assert (folder / "store" / "set-aside" / "runs" / name).exists()
    assert numbers(folder) == numbers(finished)
    assert not any("set aside" in note for note in run(folder))
    read_study(folder, figures=False)


@pytest.mark.parametrize("kind", [*FOREIGN, *JUNK])
def test_every_foreign_shard_is_set_aside(folder, kind):
    name, store = plant(folder, kind), ResultStore(folder / "store")
    assert "are not what finetune writes: " in in_one_line(store.check)
    notes = []
    store.open(notes.append)
    assert [name in note for note in notes] == [True]
    store.check()


@pytest.mark.parametrize("kind", ["text in the seeds", "a column more"])
def test_a_foreign_shard_is_not_merged(folder, kind):
    name, store, notes = plant(folder, kind), folder / "store", []
    compact(store, on_note=notes.append)
    assert f"The shard {name} is damaged: its " in notes[0]
    ResultStore(store).check()


def test_a_shard_that_an_older_version_merged_is_sound(folder, finished):
    store = folder / "store"
    files = {}
    for table in ("runs", "epochs"):
        frames = [pd.read_parquet(file) for file in sorted((store / table).iterdir())]
        frame = pd.concat(frames, ignore_index=True)
        if table == "runs":
            frame = frame.astype({"first_reduction_epoch": "float64", "status": "category"})
        files[table] = encoded(frame)
        shutil.rmtree(store / table)
        (store / table).mkdir()
    for table, written in files.items():
        (store / table / name_of(*files.values())).write_bytes(written)
    assert not any("set aside" in note for note in run(folder))
    assert numbers(folder) == numbers(finished)
    assert len(shard_names(store / "runs")) == 1


def test_merging_keeps_the_types_of_the_columns(folder):
    store = folder / "store"
    before = pq.read_schema(next((store / "runs").iterdir())).field("first_reduction_epoch")
    compact(store, on_note=pytest.fail)
    (merged,) = (store / "runs").iterdir()
    assert pq.read_schema(merged).field("first_reduction_epoch") == before
    assert before.type == pa.int64()


TRIAL = {"search": "s", "number": 0, "setting": '{"reduce_lr.factor":0.5}'}
# As versions before `[search.space]` wrote them.
OLDER = {"search": "s", "number": 0, "factor": 0.5, "patience": 1.0, "start_from_epoch": 0.0}


@pytest.mark.parametrize(
    "change",
    [
        {"number": -1},
        {"number": "0"},
        {"setting": 1.5},
        {"setting": None},
        {"setting": "[1]"},
        {"setting": "{"},
        {"setting": '{"a": 1}'},
        {"setting": '{"a":1e999}'},
        {"setting": "[" * 100_000},
        {"search": None},
        {"value": "low"},
        {"more": 1},
    ],
    ids=lambda change: str(change)[:40],
)
def test_foreign_trials_are_set_aside(tmp_path, change):
    _is_set_aside(tmp_path, {**TRIAL, "value": 1.0, **change})


def test_trials_of_earlier_versions_are_set_aside(tmp_path):
    _is_set_aside(tmp_path, {**OLDER, "value": 1.0})


def _is_set_aside(tmp_path: Path, row: dict) -> None:
    store = ResultStore(tmp_path / "store")
    store.open(pytest.fail)
    file = encoded(pd.DataFrame([row]))
    (store.folder / "trials" / name_of(file)).write_bytes(file)
    notes = []
    store.open(notes.append)
    assert "its trials are not what finetune writes" in notes[0]
    store.check()
    assert store.trials("s").empty


STORE_LINKS = (
    "store", "store/runs", "store/epochs", "store/trials", "store/set-aside", "store/identity",
    "store/set-aside/runs",
)  # fmt: skip
REPORT_LINKS = (
    "tables", "figures", "report.md", "verdict.json", "manifest.json", "tuned.json", "search.db",
)  # fmt: skip

COMMANDS = {
    "run": run,
    "report": lambda folder: read_study(folder, figures=False),
    "slice": lambda folder: train_slice(load_spec(overrides=OVERRIDES), folder, 1, 2),
    "search": lambda folder: search_study(load_spec(overrides=OVERRIDES), folder),
    "map": lambda folder: map_claim(load_spec(overrides=OVERRIDES), folder),
    "compact": lambda folder: compact(folder / "store", on_note=pytest.fail),
}


@pytest.mark.parametrize(
    ("name", "command"),
    [(name, command) for command in COMMANDS for name in STORE_LINKS]
    + [(name, command) for command in COMMANDS if command != "compact" for name in REPORT_LINKS],
)
def test_a_link_in_a_folder_is_refused_by_its_name(folder, tmp_path, name, command):
    link, outside = folder / name, tmp_path / "outside"
    link.parent.mkdir(exist_ok=True)
    if link.exists():
        link.rename(outside)
    else:
        outside.mkdir()
    link.symlink_to(outside)
    (tmp_path / "outside.txt").write_text("a neighbour")
    before = content(tmp_path)
    line = in_one_line(lambda: COMMANDS[command](folder))
    assert f"{str(link)!r} is a link; allowed in a study's folder are" in line
    assert content(tmp_path) == before


def test_the_folder_itself_may_be_a_link(folder, finished, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    run(tmp_path / "link")
    read_study(tmp_path / "link", figures=False)
    assert numbers(tmp_path / "link") == numbers(finished)


def test_a_shard_that_is_a_link_is_set_aside_and_what_it_leads_to_stays(folder, finished, tmp_path):
    name = shard_names(folder / "store" / "runs")[0]
    shard, outside = folder / "store" / "runs" / name, tmp_path / "outside.parquet"
    shard.rename(outside)
    shard.symlink_to(outside)
    held = outside.read_bytes()
    assert f"{name} cannot be read (it is a link" in in_one_line(lambda: read_study(folder))
    (note,) = [note for note in run(folder) if "set aside" in note]
    assert name in note
    assert (folder / "store" / "set-aside" / "runs" / name).is_symlink()
    compact(folder / "store", on_note=pytest.fail)
    assert outside.read_bytes() == held
    assert numbers(folder) == numbers(finished)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize("table", ["runs", "epochs"])
def test_a_shard_that_is_no_regular_file_is_set_aside(folder, finished, kind, table):
    shard = sorted((folder / "store" / table).iterdir())[0]
    shard.unlink()
    SPECIAL_FILES[kind](shard)
    in_one_line(lambda: read_study(folder, figures=False))
    (note,) = [note for note in run(folder) if "set aside" in note]
    assert f"{shard.name} cannot be read (it is a" in note
    assert numbers(folder) == numbers(finished)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize("name", ["manifest.json", "tuned.json", "search.db"])
def test_a_file_that_is_no_regular_one_is_named(folder, kind, name):
    (folder / name).unlink(missing_ok=True)
    SPECIAL_FILES[kind](folder / name)
    read = COMMANDS["search" if name == "search.db" else "report"]
    # A device is planted as a link to one.
    words = "is a link" if kind == "a device" else kind
    line = in_one_line(lambda: read(folder))
    assert words in line or (name == "tuned.json" and "cannot be read (OSError)" in line)


BAD_IDENTITIES = {"empty": b"", "no text": b"\xff\xfe", "cut": b"0123", "a line more": b"0" * 33}


@pytest.mark.parametrize("kind", BAD_IDENTITIES)
def test_what_is_no_identity_is_written_anew(folder, kind):
    file = folder / "store" / "identity"
    file.write_bytes(BAD_IDENTITIES[kind])
    store = ResultStore(folder / "store")
    assert store.identity() == ""
    store.open(pytest.fail)
    found = store.identity()
    assert len(found) == 32
    store.open(pytest.fail)
    assert store.identity() == found
    assert not list(store.folder.glob(".*"))


@pytest.mark.parametrize("kind", ["a pipe", "a socket"])
def test_an_identity_that_is_no_file_is_replaced(folder, kind):
    (folder / "store" / "identity").unlink()
    SPECIAL_FILES[kind](folder / "store" / "identity")
    store = ResultStore(folder / "store")
    assert store.identity() == ""
    store.open(pytest.fail)
    assert len(store.identity()) == 32


def test_an_identity_that_is_a_folder_is_refused(folder):
    (folder / "store" / "identity").unlink()
    (folder / "store" / "identity").mkdir()
    with pytest.raises(StoreError, match=r"--out: cannot write to .*Is a directory"):
        run(folder)


def test_a_search_goes_on_from_trials_of_others(tmp_path):
    """Trials that name this search, and are none of it, are not taken for its own."""
    spec = load_spec(overrides=[*OVERRIDES, "search.trials=2", "search.seeds=2", "search.batch=2"])
    options = Options(MadeUpExecutor(failed_share=0), figures=False)
    search_study(spec, tmp_path, options=options)
    store = ResultStore(tmp_path / "store")
    known = pd.concat([pd.read_parquet(file) for file in (store.folder / "trials").iterdir()])
    own = known["setting"].iloc[0]
    strange = [
        '{"reduce_lr.factor":0.5}',
        "{}",
        own.replace('"reduce_lr.patience":', '"reduce_lr.patience":99'),
        own.replace('"reduce_lr.patience":', '"reduce_lr.patience":-'),
    ]
    for search in known["search"].unique():
        rows = [(search, 90 + n, setting, 0.0) for n, setting in enumerate(strange)]
        store.write_trials(pd.DataFrame(rows, columns=list(TRIAL_COLUMNS)))
    (tmp_path / "search.db").unlink()
    search_study(spec, tmp_path, options=options)
