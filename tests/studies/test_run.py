"""Studies: train what is missing, keep what is finished, end with the same numbers."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from finetune.errors import StoreError, TrainingError
from finetune.execution.progress import SILENT
from finetune.execution.training import Options
from finetune.planning.plan import Plan
from finetune.store.results import ResultStore
from finetune.store.schema import RUN_COLUMNS
from finetune.store.versions import numeric_versions
from finetune.studies.results import Results
from finetune.studies.run import read_study, run_study, train_slice
from tests.made_runs import Recorded, make_older
from tests.small_studies import small_study

SIZE = ("seeds=4", "training.epochs=5")
SPEC = small_study(*SIZE)
VARYING = small_study(*SIZE, "checks.variance=4")
NAMES = [variant.name for variant in SPEC.variants]
ARMS = [SPEC.claim.treatment, SPEC.claim.control]


@pytest.fixture
def run(executor, tmp_path):
    """Run a study in one folder by the reference engine; return results and what was trained."""

    def run_it(*overrides: str, folder: Path = tmp_path / "out", progress=SILENT):
        executor.trained.clear()
        spec = small_study(*SIZE, *overrides)
        options = Options(executor, progress, figures=False)
        results = run_study(spec, folder, engine="keras", options=options)
        return results, sorted(executor.trained)

    return run_it


def runs_csv(folder: Path) -> bytes:
    return (folder / "tables" / "runs.csv").read_bytes()


def runs_of(names, seeds) -> list[tuple[str, int, str, int]]:
    return sorted((name, seed, "keras", 0) for name in names for seed in seeds)


def test_every_run_is_trained_once_and_has_its_row(run):
    results, trained = run()
    assert trained == runs_of(NAMES, range(4))
    table = pd.read_csv(results.folder / "tables" / "runs.csv")
    assert tuple(table.columns) == RUN_COLUMNS
    expected = [(name, seed) for name in NAMES for seed in range(4)]
    assert list(zip(table["variant"], table["seed"], strict=True)) == expected
    assert results.failed == list(table["status"]).count("failed") > 0
    assert (results.folder / "report.md").is_file()


def test_the_second_run_trains_nothing_and_counts_what_is_stored(run):
    recorded = Recorded()
    first, _ = run()
    before = runs_csv(first.folder)
    second, trained = run(progress=recorded)
    assert trained == []
    assert recorded.counts == [(20, 0)]
    assert (second.manifest.runs_reused, second.manifest.runs_trained) == (20, 0)
    assert runs_csv(second.folder) == before


@pytest.mark.parametrize(
    ("override", "names", "seeds"),
    [
        ("seeds=6", NAMES, [4, 5]),
        ("seeds=2", [], []),
        ("name=other", [], []),
        ("claims.0.alpha=0.1", [], []),
        ("variants.1.early_stopping.patience=2", [NAMES[1]], range(4)),
        ("training.epochs=6", NAMES, range(4)),
    ],
)
def test_only_what_is_missing_is_trained(run, override, names, seeds):
    run()
    results, trained = run(override)
    assert trained == runs_of(names, seeds)
    assert list(results.runs["seed"].unique()) == list(range(results.spec.seeds))


def test_renamed_variants_are_not_trained_again(run):
    run("claims=[]")
    results, trained = run("claims=[]", "variants.0.name=renamed")
    assert trained == []
    assert "renamed" in set(results.runs["variant"])


def test_going_back_to_an_earlier_spec_trains_nothing(run):
    first, _ = run()
    before = runs_csv(first.folder)
    run("training.epochs=6")
    again, trained = run()
    assert trained == []
    assert runs_csv(again.folder) == before


def test_an_added_variant_reuses_the_others(run):
    run(
        "variants=[{name='a'}, {name='b', early_stopping={}}]",
        "claims=[{kind='underfits',treatment='a',control='b'}]",
    )
    _, trained = run(
        "variants=[{name='b', early_stopping={}}, {name='c', reduce_lr={}}, {name='a'}]",
        "claims=[{kind='underfits',treatment='a', control='c'}]",
    )
    assert trained == runs_of(["c"], range(4))


def test_variants_that_are_the_same_are_trained_once(run):
    results, trained = run(
        "variants=[{name='a'}, {name='b'}, {name='c', reduce_lr={}}]",
        "claims=[{kind='underfits',treatment='a', control='c'}]",
    )
    assert trained == runs_of(["a", "c"], range(4))
    one, other = (results.runs[results.runs["variant"] == name] for name in "ab")
    assert list(one["test_loss"]) == list(other["test_loss"])


def test_progress_counts_up_to_all_runs(run):
    recorded = Recorded()
    run(progress=recorded)
    assert recorded.done == sorted(recorded.done)
    assert recorded.done[-1] == 20


def test_the_population_study_adds_the_control_again_and_the_certificate(
    executor, options, tmp_path
):
    results = run_study(SPEC, tmp_path, options=options)
    kinds = {(engine, replicate) for _, _, engine, replicate in executor.trained}
    assert kinds == {("population", 0), ("population", 1), ("keras", 0)}
    again = [name for name, _, engine, r in executor.trained if (engine, r) == ("population", 1)]
    assert set(again) == {SPEC.claim.control}
    assert len(results.runs) == 20
    executor.trained.clear()
    run_study(SPEC, tmp_path, options=options)
    assert executor.trained == []


def test_it_is_said_before_training_what_will_be_trained(executor, tmp_path):
    recorded = Recorded()
    for engine in ("population", "keras"):
        options = Options(executor, recorded, figures=False)
        run_study(SPEC, tmp_path / engine, engine=engine, options=options)
    said = [note.split("; at most about") for note in recorded.notes if " seeds, " in note]
    # The certificate of 3 and the control again at 4 seeds; the reference engine needs no checks.
    begins = [begin for begin, _ in said]
    size = "founding: 5 variants at 4 seeds, 20 runs"
    assert begins == [f"{size}, 7 more for checks", size]
    ends = [end.partition("on 2 cores; ")[2] for _, end in said]
    assert ends == [f"results go to {tmp_path / name}" for name in ("population", "keras")]
    assert recorded.counts == [(0, 27), (0, 20)]


def test_a_check_that_is_not_wanted_is_neither_trained_nor_missed(executor, options, tmp_path):
    spec = small_study(*SIZE, "checks={parity=false, same_again=false, variance=false}")
    run_study(spec, tmp_path, options=options)
    assert {(engine, replicate) for _, _, engine, replicate in executor.trained} == {
        ("population", 0)
    }
    report = (tmp_path / "report.md").read_text()
    assert "`checks.parity = false`" in report
    assert "## Parity with Keras" not in report


def test_each_source_that_varies_is_varied_alone_for_the_claims_arms(executor, options, tmp_path):
    results = run_study(VARYING, tmp_path, options=options)
    runs = Counter(executor.trained)
    thrice = {(name, seed) for (name, seed, *_), count in runs.items() if count == 3}
    assert thrice == {(name, seed) for name in ARMS for seed in range(4)}
    assert set(runs.values()) == {1, 3}
    table = pd.read_csv(tmp_path / "tables" / "variance.csv")
    assert list(table["source"].unique()) == ["init", "order", "all together"]
    assert set(table["variant"]) == set(ARMS)
    # Runs of another recipe are other runs: nothing of the study's own is in them.
    first, last = (table[table["source"] == name] for name in ("init", "all together"))
    assert not set(first["sd"]) & set(last["sd"])
    assert "## Where the spread comes from" in (tmp_path / "report.md").read_text()
    assert len(results.runs) == 20


@pytest.mark.parametrize(
    ("changes", "names", "seeds"),
    [
        ({"vary": ("order",)}, [], 4),
        ({"vary": ("order", "split", "order")}, ARMS, 4),
        ({"claims": ()}, NAMES[:2], 4),
        ({"claims": (), "variants": SPEC.variants[:1]}, NAMES[:1], 4),
    ],
)
def test_a_block_of_variance_for_each_source_of_several(changes, names, seeds):
    spec = VARYING.model_copy(update=changes)
    blocks = Plan.of(spec, "population").variance
    varied = dict.fromkeys(spec.vary) if names else ()
    assert [block.spec.vary for block in blocks] == [(source,) for source in varied]
    for block in blocks:
        assert [variant.name for variant in block.variants] == names
        assert block.seeds == range(seeds)
    assert Plan.of(spec, "keras").variance == ()


def test_a_store_that_lacks_a_variance_block_is_read_without_any(options, tmp_path):
    run_study(VARYING, tmp_path, options=options)
    store, plan = ResultStore(tmp_path / "store"), Plan.of(VARYING, "population")
    assert plan.stored(store) == plan
    lost = set(plan.variance[1].recipes.values())
    for shard in (tmp_path / "store" / "runs").glob("*.parquet"):
        if lost & set(pd.read_parquet(shard)["recipe"]):
            shard.unlink()
    assert plan.stored(store) == replace(plan, variance=())
    read_study(tmp_path, figures=False)
    assert "Where the spread comes from" not in (tmp_path / "report.md").read_text()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def same_results(one: Results, other: Results) -> None:
    pd.testing.assert_frame_equal(one.runs, other.runs)
    pd.testing.assert_frame_equal(one.epochs, other.epochs)
    assert one.spec == other.spec
    assert one.verdict.to_dict() == other.verdict.to_dict()  # NaN is no reason to differ


def test_a_finished_study_is_read_from_its_folder(run):
    first, _ = run()
    before = tree(first.folder)
    same_results(read_study(first.folder, figures=False), first)
    after = tree(first.folder)
    changed = {Path(name).name for name in before if before[name] != after[name]}
    assert before.keys() == after.keys()
    assert changed <= {"manifest.json", "report.md", "report.html"}  # all hold how long it took


def _no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _half_a_manifest(folder: Path) -> None:
    content = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(content[: len(content) // 2])


def _another_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("[1, 2]")


def _newer_spec(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["spec"]["mood"] = "good"
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _changed(**values):
    """Return what changes parts of a manifest, or takes them out."""

    def change(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text()) | values
        kept = {key: value for key, value in manifest.items() if value is not Ellipsis}
        (folder / "manifest.json").write_text(json.dumps(kept))

    return change


def _countless_seeds(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    _changed(spec={**manifest["spec"], "seeds": 10**9})(folder)


def _lost_shard(folder: Path) -> None:
    next((folder / "store" / "runs").glob("*.parquet")).unlink()


def _broken_shard(folder: Path) -> None:
    next((folder / "store" / "runs").glob("*.parquet")).write_bytes(b"PAR1")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_no_manifest, "holds no study"),
        (_half_a_manifest, "holds no study"),
        (_another_manifest, "holds no study"),
        (_newer_spec, "holds no study"),
        (_changed(notes=5), "holds no study"),
        (_changed(versions=[1]), "holds no study"),
        (_changed(wall_seconds=...), "holds no study"),
        (_changed(wall_seconds={"training": "long"}), "holds no study"),
        (_changed(engine="other"), "holds no study"),
        (_changed(failures=[{}]), "holds no study"),
        (_changed(failures=[{"variants": ["a"], "seeds": [], "reason": "r"}]), "holds no study"),
        (_countless_seeds, "lacks runs of 999999980 seeds"),
        (_lost_shard, "lacks runs of 1 seeds"),
        (_broken_shard, "is damaged"),
    ],
)
def test_a_folder_without_a_whole_study_is_named_and_left_alone(run, damage, words):
    folder = run()[0].folder
    damage(folder)
    before = tree(folder)
    with pytest.raises(StoreError, match=words) as caught:
        read_study(folder, figures=False)
    assert len(str(caught.value).splitlines()) == 1
    assert tree(folder) == before


def test_a_broken_shard_is_named_set_aside_and_trained_anew(run):
    folder = run()[0].folder
    before = runs_csv(folder)
    _broken_shard(folder)
    recorded = Recorded()
    _, trained = run(progress=recorded)
    assert len(trained) == len(NAMES)
    assert runs_csv(folder) == before
    assert "is set aside" in recorded.notes[0]


def test_a_mixture_of_versions_is_noted(run, tmp_path):
    run("seeds=1")
    make_older(ResultStore(tmp_path / "out" / "store"), keras="3.14.0")
    results, _ = run()
    here = numeric_versions()["keras"]
    note = f"Runs were trained by several versions of keras: 3.14.0 (5 runs), {here} (15 runs)"
    assert results.notes == (note,)
    assert read_study(results.folder, figures=False).notes == (note,)
    assert "several versions of keras" in (results.folder / "report.md").read_text()


def test_a_task_that_fails_is_reported_and_the_rest_is_judged(run, executor, tmp_path):
    whole, _ = run(folder=tmp_path / "whole")
    executor.failing = lambda task: 2 in task.seeds
    recorded = Recorded()
    results, _ = run(progress=recorded)
    lost = results.runs[results.runs["epochs_run"].isna()]
    assert set(lost["seed"]) == {2}
    assert set(lost["status"]) == {"failed"}
    assert any("seed 2: MemoryError" in note for note in recorded.notes)
    rest = whole.runs[whole.runs["seed"] != 2].reset_index(drop=True)
    kept = results.runs[results.runs["seed"] != 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, rest, check_dtype=False)
    report = (results.folder / "report.md").read_text()
    assert "could not be trained" in report
    assert "Reason: `MemoryError`" in report

    executor.failing = lambda task: False
    mended, trained = run()
    assert trained == runs_of(NAMES, [2])
    assert runs_csv(mended.folder) == runs_csv(whole.folder)


def test_where_every_task_fails_there_is_no_report(run, executor, tmp_path):
    executor.failing = lambda task: True
    with pytest.raises(
        TrainingError, match=r"4 tasks failed at every try; .*MemoryError"
    ) as caught:
        run()
    assert caught.value.exit_code == 3
    assert not (tmp_path / "out" / "report.md").exists()


@pytest.mark.parametrize("count", [1, 3])
def test_slices_of_a_study_lie_together_as_the_whole(run, executor, options, tmp_path, count):
    whole, _ = run(folder=tmp_path / "whole")
    executor.trained.clear()
    folders = {number: tmp_path / f"slice-{number}" for number in range(1, count + 1)}
    left = [
        train_slice(SPEC, folder, number, count, engine="keras", options=options)
        for number, folder in folders.items()
    ]
    assert sorted(executor.trained) == runs_of(NAMES, range(4))
    assert left == ([0] if count == 1 else [10, 15, 15])
    for folder in folders.values():
        for name in ("runs", "epochs"):
            target = tmp_path / "out" / "store" / name
            shutil.copytree(folder / "store" / name, target, dirs_exist_ok=True)
    results, trained = run()
    assert trained == []
    assert runs_csv(results.folder) == runs_csv(whole.folder)


def test_a_folder_that_cannot_be_written_to_stops_a_study_before_it_trains(run, executor, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="--out"):
        run(folder=tmp_path / "file")
    assert executor.trained == []


@pytest.mark.slow
def test_a_study_in_which_every_run_fails_has_a_report(tmp_path):
    spec = small_study("training.optimizer.learning_rate=1e30", "training.epochs=3", "seeds=2")
    results = run_study(spec, tmp_path, options=Options())
    assert results.failed == len(results.runs) == 10
    assert results.verdict is not None and results.verdict.verdict == "not tested"
    report = (tmp_path / "report.md").read_text()
    assert "10 of 10 runs failed" in report
    assert "## Probe" not in report
