"""The manifest of a study, of older versions too, and the machine that it names."""

import json
import os
from datetime import UTC, datetime

import pytest

from finetune.errors import StoreError
from finetune.spec.dimensions import RangeSpec
from finetune.store.machine import machine
from finetune.store.manifest import MANIFEST_FILE, FailedTask, Manifest, read_manifest
from tests.processes import ROOT
from tests.small_studies import small_study

COMMITTED = sorted((ROOT / "reports").glob(f"*/{MANIFEST_FILE}"))


@pytest.fixture
def manifest() -> Manifest:
    started = datetime(2026, 1, 2, tzinfo=UTC)
    failed = FailedTask(variants=("a",), seeds=(1, 2), reason="MemoryError")
    made = Manifest.of(small_study(), engine="keras", seeds=3, command=None, started=started)
    return made.updated(failures=(failed,)).noting(["b", "a", "b"]).timed(training=1.5)


def test_what_is_read_is_what_was_written(manifest, tmp_path):
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert manifest.notes == ("a", "b")
    assert manifest.timed(report=2.0).wall_seconds == {"training": 1.5, "report": 2.0}


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.parent.name)
def test_manifests_of_older_versions_are_read(file):
    read = read_manifest(file.parent)
    assert read.spec.name == read.name
    assert read.versions["keras"]
    assert read.wall_seconds["training"] > 0


def test_the_one_claim_of_earlier_versions_is_read_as_the_claims_of_today(manifest, tmp_path):
    tree = json.loads(manifest.model_dump_json())
    claims = tree["spec"].pop("claims")[:1]
    claim = {key: claims[0][key] for key in ("treatment", "control", "margins", "alpha")}
    tree["spec"]["claim"] = claim | {"contrasts": [["both", "no callbacks"]]}
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(tree))
    spec = read_manifest(tmp_path).spec
    assert spec.claims == (manifest.spec.claims[0].model_copy(update={"name": None}),)
    assert spec.contrasts == (("both", "no callbacks"),)


def test_the_ranges_of_earlier_versions_are_read_as_a_space(manifest, tmp_path):
    tree = json.loads(manifest.model_dump_json())
    del tree["spec"]["search"]["space"]
    tree["spec"]["search"] |= {"factor": [0.1, 0.5], "patience": [2, 4], "start_from_epoch": [1, 9]}
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(tree))
    assert read_manifest(tmp_path).spec.search.space == {
        "reduce_lr.factor": RangeSpec(range=(0.1, 0.5), log=True),
        "reduce_lr.patience": RangeSpec(range=(2, 4)),
        "reduce_lr.start_from_epoch": RangeSpec(range=(1, 9)),
    }


def test_keys_that_this_version_does_not_know_are_kept(manifest, tmp_path):
    text = manifest.model_dump_json()
    (tmp_path / MANIFEST_FILE).write_text('{"mood": "good", ' + text[1:])
    read_manifest(tmp_path).write(tmp_path)
    assert '"mood": "good"' in (tmp_path / MANIFEST_FILE).read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": "3"},
        {"notes": 5},
        {"engine": "abacus"},
        {"wall_seconds": {"training": "long"}},
        {"failures": [{"reason": "no seeds"}]},
        {"spec": {"name": "half"}},
    ],
    ids=str,
)
def test_a_manifest_of_other_types_holds_no_study(manifest, tmp_path, change):
    manifest.write(tmp_path)
    content = json.loads((tmp_path / MANIFEST_FILE).read_text()) | change
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(content))
    with pytest.raises(StoreError, match="holds no study that can be read"):
        read_manifest(tmp_path)


def test_a_failure_is_named_by_its_variants_and_seeds():
    names = ("a", "b", "c", "d", "e")
    failed = FailedTask(variants=names, seeds=(4, 7), reason="MemoryError")
    assert str(failed) == "'a', 'b', 'c' and 2 more variants at 2 seeds, 4 to 7: MemoryError"
    one = FailedTask(variants=("a",), seeds=(4,), reason="MemoryError")
    assert str(one) == "'a' at seed 4: MemoryError"


def test_the_memory_is_there_where_the_system_has_it():
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
