"""A search on a PostgreSQL server, which these tests start by themselves, on loopback."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import optuna
import pandas as pd
import pytest

from finetune.search.storage import Storage
from finetune.search.trials import ArmSearch
from finetune.spec.search import SearchSpec
from tests.made_tuned import FACTOR, PLANE
from tests.processes import start
from tests.small_studies import SMALL

_TINY = (
    *SMALL,
    "vary=['init']",
    "seeds=2",
    "training.epochs=4",
    "search.seeds=3",
    "search.batch=4",
)


def _programs() -> Path | None:
    """Find the server's programs, which Debian keeps outside the search path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def _as_server(*command: object) -> list[str]:
    """Return a command as the server's user: PostgreSQL refuses to run as root."""
    words = [str(word) for word in command]
    return ["runuser", "-u", "postgres", "--", *words] if os.geteuid() == 0 else words


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server; give the URL of its database without a name."""
    programs = _programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed; .ci/run installs it")
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="finetune-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    run = partial(subprocess.run, check=True, capture_output=True, cwd=folder)
    initialise = ("-D", data, "-U", "finetune", "-A", "trust", "-E", "UTF8", "--no-sync")
    run(_as_server(programs / "initdb", *initialise))
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    control = (programs / "pg_ctl", "-D", data, "-w")
    log = ("-l", folder / "log")
    run(_as_server(*control, *log, "-o", options, "start"))
    try:
        yield f"postgresql+psycopg://finetune@127.0.0.1:{port}/postgres"
    finally:
        run(_as_server(*control, "-m", "immediate", "stop"))
        shutil.rmtree(folder)


def _search(storage: Storage, name: str) -> ArmSearch:
    return ArmSearch(
        storage.optuna,
        name,
        space=PLANE,
        spec=SearchSpec(batch=4),
        digest="abc",
        stream=(0, 0),
    )


@pytest.mark.slow
def test_two_controllers_ask_different_trials_and_keep_the_budget(server):
    def control(number: int) -> int:
        closed = 0
        with Storage(server) as storage:
            arm = _search(storage, "shared")
            while batch := arm.ask(3 + number, budget=24):
                for trial in batch:
                    arm.tell(trial.number, trial.setting[FACTOR])
                closed += len(batch)
        return closed

    with ThreadPoolExecutor(2) as pool:
        closed = list(pool.map(control, range(2)))
    with Storage(server) as storage:
        trials = _search(storage, "shared").trials()
    assert sum(closed) == len(trials)
    assert len(trials[:24]) == 24
    assert len({tuple(trial.setting.items()) for trial in trials}) == len(trials)
    assert all(trial.value == trial.setting[FACTOR] for trial in trials)


@pytest.mark.slow
def test_two_commands_search_at_once_on_one_server(server, tmp_path):
    overrides = [part for override in (*_TINY, "search.trials=12") for part in ("--set", override)]
    # The server trusts whoever comes, whatever the password.
    url = server.replace("finetune@", "finetune:secret@")
    options = ("--workers", "1", "--storage", url, *overrides)
    both = [
        start("search", "--out", str(tmp_path / name), *options, cwd=tmp_path)
        for name in ("one", "two")
    ]
    for process in both:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    tables = [pd.read_csv(tmp_path / name / "tables" / "trials.csv") for name in ("one", "two")]
    # Both show the same whole search, whoever trained what.
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    assert (tables[0].groupby("arm").size() == 12).all()
    with Storage(server) as storage:
        found = optuna.study.get_all_study_summaries(storage.optuna)
        studies = [study._study_id for study in found if study.study_name.startswith("founding")]
        trials = [trial for study in studies for trial in storage.optuna.get_all_trials(study)]
    assert len(studies) == 2
    assert all(trial.state.is_finished() for trial in trials)
    dashboard = json.loads((tmp_path / "one" / "tuned.json").read_text())["dashboard"]
    assert dashboard == f"optuna-dashboard {server.replace('finetune@', 'finetune:***@')}"
    for file in tmp_path.rglob("*"):
        if file.suffix in (".md", ".json", ".csv"):
            assert "secret" not in file.read_text(), file.name
