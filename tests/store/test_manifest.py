"""Where numbers come from, on machines that tell less of themselves too."""

import os

import pytest

from finetune.store.machine import machine


def test_the_memory_is_told_where_the_system_tells_it():
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        assert machine()["memory_gib"] >= 0


def test_a_system_without_sysconf_has_no_memory(monkeypatch):
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert machine()["memory_gib"] is None


@pytest.mark.parametrize("missing", ["SC_PHYS_PAGES", "SC_PAGE_SIZE"])
def test_a_system_without_the_name_has_no_memory(monkeypatch, missing):
    names = {key: value for key, value in os.sysconf_names.items() if key != missing}
    monkeypatch.setattr(os, "sysconf_names", names)
    assert machine()["memory_gib"] is None
