"""Only regular files are opened; a pipe keeps nobody waiting, a device fills no memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from finetune.errors import SpecError
from finetune.spec.regular_file import check_regular, open_regular, read_regular
from finetune.spec.study_file import read_tree
from tests.special_files import SPECIAL_FILES


@pytest.mark.parametrize("read", [check_regular, open_regular, read_regular])
@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_special_file_is_named_at_once(tmp_path, read: Callable[[Path], object], kind):
    with pytest.raises(OSError, match=r"it is a.*; allowed is a regular file") as caught:
        read(SPECIAL_FILES[kind](tmp_path / "it"))
    assert kind in str(caught.value.strerror)


def test_a_link_is_followed_where_it_may_be(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"text")
    link.symlink_to(file)
    assert read_regular(link) == b"text"
    with pytest.raises(OSError, match="it is a link"):
        read_regular(link, follow=False)


def test_a_pipe_that_takes_the_place_of_a_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("finetune.spec.regular_file.check_regular", lambda *place, **how: None)
    with pytest.raises(OSError, match="it is a pipe"):
        open_regular(SPECIAL_FILES["a pipe"](tmp_path / "it"))


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_study_file_that_is_none_is_named_in_one_line(tmp_path, kind):
    with pytest.raises(SpecError, match=r"SPEC: cannot read .*it is a") as caught:
        read_tree(SPECIAL_FILES[kind](tmp_path / "study.toml"))
    assert len(str(caught.value).splitlines()) == 1
