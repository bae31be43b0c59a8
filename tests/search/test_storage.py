"""Storages: what can be opened, and which error is raised where that fails."""

import pytest
from optuna.study import StudyDirection

from finetune.errors import FinetuneError, SpecError, StoreError
from finetune.search.storage import Storage, shown_url, without_password


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("nosql://here", SpecError, "whose scheme is unknown; allowed is a database URL"),
        ("just text", SpecError, "whose scheme is unknown"),
        ("", SpecError, "whose scheme is unknown"),
        ("redis://127.0.0.1:1", SpecError, "needs a package that is not installed"),
        ("mysql://user@127.0.0.1:1/x", SpecError, "needs a package that is not installed"),
        ("sqlite:////no/such/folder/search.db", StoreError, "unable to open database file"),
        ("/no/such/folder/search.log", StoreError, "No such file or directory"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", StoreError, "Connection refused"),
    ],
)
def test_what_cannot_be_opened_is_named_in_one_line(url, kind, words):
    with pytest.raises(FinetuneError) as caught:
        Storage(url)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message.startswith("--storage: ")
    assert words in message
    assert "\n" not in message
    assert "secret" not in message


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "search.db").write_text("this is no database, though it is long enough to be one")
    with pytest.raises(StoreError, match="file is not a database"):
        Storage(f"sqlite:///{tmp_path}/search.db")


@pytest.mark.parametrize("name", ["search.log", "sqlite"])
def test_files_can_be_opened_twice(name, tmp_path):
    url = str(tmp_path / name) if name.endswith("log") else f"sqlite:///{tmp_path}/{name}.db"
    with Storage(url) as storage:
        storage.optuna.create_new_study(directions=[StudyDirection.MINIMIZE], study_name="s")
    with Storage(url) as storage:
        assert [study.study_name for study in storage.optuna.get_all_studies()] == ["s"]


def test_errors_that_are_not_of_the_storage_pass_unchanged():
    with Storage("sqlite://") as storage, pytest.raises(ZeroDivisionError), storage.errors():
        _ = 1 / 0


def test_passwords_are_not_shown():
    url = "postgresql+psycopg://me:secret@host/x"
    command = f"finetune search --storage {url} --out here"
    assert "secret" not in without_password(command, url)
    assert without_password(command, url).endswith("me:***@host/x --out here")
    assert shown_url("postgresql://me:secret@host/x") == "postgresql://me:***@host/x"
    assert shown_url("search.log") == "search.log"
