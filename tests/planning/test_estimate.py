"""What a study would take: asked about before anything of it begins."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from finetune.engines.registry import engine_names
from finetune.errors import SpecError
from finetune.planning.claim_map import map_block, map_run_count
from finetune.planning.estimate import estimate_map, estimate_run, estimate_search
from finetune.planning.plan import Plan
from finetune.spec.claims import UnderfitsSpec
from finetune.spec.study import StudySpec
from finetune.spec.study_file import shipped_studies
from finetune.studies.load import load_spec
from tests.usercode.test_untrusted import BARE

_MEMORY = 4 * 2**30
SHIPPED = sorted(shipped_studies().glob("*.toml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda p: p.stem)
@pytest.mark.parametrize("estimate", [estimate_run, estimate_map, estimate_search])
def test_no_shipped_study_asks(file, estimate):
    assert not estimate(load_spec(file)).exceeds(_MEMORY)


@pytest.mark.parametrize("engine", engine_names())
def test_an_estimate_is_the_sum_over_the_blocks_of_the_plan(engine):
    spec = load_spec()
    blocks = Plan.of(spec, engine).blocks
    found = estimate_run(spec, engine)
    assert found.runs == sum(block.n_runs for block in blocks)
    assert found.run_epochs == sum(b.n_runs * (b.epochs or b.spec.training.epochs) for b in blocks)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda p: p.stem)
def test_the_runs_of_a_map_are_counted_without_building_them(file):
    spec = load_spec(file)
    claim = spec.underfits or UnderfitsSpec(
        kind="underfits", treatment=spec.variants[0].name, control=spec.variants[1].name
    )
    assert map_run_count(spec).n_runs == map_block(spec, claim).n_runs


def test_the_founding_study_takes_seconds_and_more_of_anything_takes_more():
    small = estimate_run(load_spec())
    assert 10 < small.seconds < 60
    assert small.sized
    for change in ("seeds=200", "training.epochs=200", "data.args.n_samples=4000",
                   "model.hidden=[640, 32]"):  # fmt: skip
        more = estimate_run(load_spec(overrides=[change]))
        assert more.seconds > 1.5 * small.seconds
        assert more.memory > small.memory
    assert estimate_run(load_spec(), "keras").seconds > 100 * small.seconds


def test_unknown_sizes_are_taken_from_the_founding_study():
    spec = StudySpec.model_validate(
        BARE | {"data": {"source": "people.csv", "target": "y"}}, strict=False
    )
    found = estimate_run(spec)
    assert not found.sized
    assert "as in the founding study" in str(found)


HUGE = {
    "seeds": ["run", "--seeds", "1000000000"],
    "seeds of Keras": ["run", "--engine", "keras", "--seeds", "1000"],
    "epochs": ["run", "--set", "training.epochs=1000000"],
    "all": ["run", "--set", "training.epochs=2147483647", "--set", "seeds=1000000000000"],
    "rows": ["run", "--set", "data.args.n_samples=1000000000000"],
    "features": ["run", "--set", "data.args.n_features=1000000000"],
    "rows of each class": ["run", "--set", "data.args.n_samples=[1000000000000]"],
    "network": ["run", "--set", "model.hidden=[1000000, 1000000]"],
    "grid": ["map", "--set", f"map.patience={list(range(1, 100001))}"],
    "seeds of the map": ["map", "--set", "map.seeds=1000000000"],
    "trials": ["search", "--trials", "1000000000"],
    "seeds of the search": ["search", "--set", "search.seeds=1000000000"],
}


def bomb(folder: Path) -> list[str]:
    """Write arrays that take 1 MB in their file and hundreds of terabytes once loaded."""
    header = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**5)}
    np.lib.format.write_array_header_1_0(header, about)
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(10**6))
        archive.writestr("y.npy", header.getvalue())
    return ["--set", "data={source='bomb.npz'}"]


def long_text(folder: Path) -> list[str]:
    """Write a table of a million rows."""
    (folder / "t.csv").write_bytes(b"y,a\n" + b"1,2\n0,1\n" * 500_000)
    return ["--set", "data={source='t.csv', target='y'}"]


def squares(_: Path) -> list[str]:
    """Name a generator whose matrix takes 80 GB beside few features."""
    return ["--set", "data.args.n_informative=100000"]


def wide(folder: Path) -> list[str]:
    """Write a small table for a network of 10^10 weights."""
    (folder / "t.csv").write_text("y,a\n0,1\n1,2\n")
    return ["--set", "data={source='t.csv', target='y'}", "--set", "model.hidden=[100000,100000]"]


@pytest.mark.parametrize("plant", [bomb, long_text, squares, wide])
def test_what_a_file_or_a_generator_takes_is_asked_about(cli, tmp_path, plant):
    code, out, err = cli("run", *plant(tmp_path))
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert "as in the founding study" not in line
    assert line.endswith("train less, or give --yes")


@pytest.mark.parametrize("kind", HUGE)
def test_a_study_that_takes_much_is_told_so_in_one_line(cli, kind):
    code, out, err = cli(*HUGE[kind])
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert "on 2 cores" in line
    assert line.endswith("train less, or give --yes")


TOO_LARGE = {
    "seeds=1000000000001": "seeds",
    "training.epochs=2147483648": "training.epochs",
    "model.hidden=[1000001]": "model.hidden.0",
    "variants.1.early_stopping.patience=1000000000001": "variants.1.early_stopping.patience",
    "search.batch=1001": "search.batch",
}


@pytest.mark.parametrize("change", TOO_LARGE)
def test_a_number_that_is_never_sensible_is_refused(cli, change):
    code, _, err = cli("run", "--set", change)
    (line,) = err.splitlines()
    assert code == 2
    assert f"{TOO_LARGE[change]}: received" in line
    assert "allowed is less than" in line or "allowed is a number of seeds, 1 to 1000" in line


@pytest.mark.parametrize(("answer", "trained"), [(True, True), (False, False)])
def test_a_user_who_can_answer_is_asked(cli, executor, monkeypatch, answer, trained):
    from finetune.planning import estimate

    questions = []

    def confirm(question: str) -> bool:
        questions.append(question)
        return answer

    monkeypatch.setattr(estimate, "MOST_SECONDS", 0)
    arguments = ("run", "--seeds", "1", "--engine", "keras", "--out", "out")
    code, _, _ = cli(*arguments, confirm=confirm)
    assert ["5 runs with at most 500 epochs in all" in question for question in questions] == [True]
    assert (code == 2) is not trained
    assert bool(executor.trained) is trained


def test_yes_trains_without_a_question(cli, executor, monkeypatch):
    from finetune.planning import estimate

    monkeypatch.setattr(estimate, "MOST_SECONDS", 0)
    assert cli("run", "--seeds", "1", "--engine", "keras", "--out", "out")[0] == 2
    assert not executor.trained
    cli("run", "--seeds", "1", "--engine", "keras", "--out", "out", "--yes")
    assert executor.trained


def test_a_thousand_variants_are_read_soon_and_more_are_refused():
    names = ", ".join(f"{{name = 'v{number}'}}" for number in range(1000))
    spec = load_spec(overrides=[f"variants=[{names}]", "claims=[]"])
    assert len(spec.variants) == 1000
    with pytest.raises(SpecError, match=r"variants: received .*at most 1000"):
        load_spec(overrides=[f"variants=[{names}, {{name = 'w'}}]"])
