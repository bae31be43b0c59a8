"""The command line: what it prints, how soon, and with which exit code."""

import re
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.processes import loaded_by, main_with
from tests.small_studies import SMALL

TINY = [part for override in (*SMALL, "training.epochs=5") for part in ("--set", override)]


# `bad.toml` is no TOML, `twice.toml` has two variants of one name, `file` is no folder.
BAD = {
    "unknown key": (["--set", "training.epoch=3"], "training.epoch: unknown key"),
    "wrong type": (["--set", 'seeds="many"'], "seeds: received 'many'; allowed"),
    "negative patience": (
        ["--set", "variants.1.early_stopping.patience=-1"],
        "variants.1.early_stopping.patience: received -1; allowed",
    ),
    "factor": (
        ["--set", "variants.2.reduce_lr.factor=1.5"],
        "variants.2.reduce_lr.factor: received 1.5; allowed",
    ),
    "duplicate names": (["twice.toml"], "variants: the name 'one' is used 2 times; allowed"),
    "claim": (["--set", "claims.0.control=magic"], "'magic'; allowed"),
    "missing file": (["nowhere.toml"], "cannot read 'nowhere.toml'"),
    "missing study": (["nowhere"], "received 'nowhere'"),
    "not TOML": (["bad.toml"], "bad.toml: not valid TOML"),
    "not KEY=VALUE": (["--set", "seeds"], "--set: received 'seeds'; allowed"),
    "unwritable folder": (["--out", "file"], "--out: cannot write to 'file/store'"),
    "unwritable parent": (["--out", "file/below"], "--out: cannot write to 'file/below/store'"),
    "slice": (["--slice", "3/2"], "--slice: received '3/2'; allowed is I/N with 1 <= I <= N"),
    "nothing to report": (None, "DIR: 'nowhere' holds no study"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_named_in_one_line_with_code_2(kind, cli, tmp_path):
    (tmp_path / "bad.toml").write_text("name = ")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "twice.toml").write_text(
        "name = 'twice'\ndata.source = 'make_moons'\nvariants = [{name = 'one'}, {name = 'one'}]\n"
    )
    arguments, words = BAD[kind]
    before = sorted(tmp_path.rglob("*"))
    code, out, err = cli(*(["report", "nowhere"] if arguments is None else ["run", *arguments]))
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("finetune: ")
    assert words in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["run", "--set", "seed=3"], ["run", "nowhere.toml"]],
    ids=" ".join,
)
def test_help_and_spec_errors_answer_without_anything_heavy(arguments, tmp_path):
    started = time.perf_counter()
    assert loaded_by(main_with(arguments), cwd=tmp_path) == set()
    print(f"answered in {time.perf_counter() - started:.2f} s")  # shown with -rP; decides nothing


@pytest.mark.parametrize(
    "arguments", [["run", "--seeds", "0"], ["run", "--engine", "abacus"], ["go"]]
)
def test_wrong_usage_has_code_2_and_no_traceback(arguments, cli):
    code, _, err = cli(*arguments)
    assert code == 2
    assert "Traceback" not in err
    assert arguments[-2 if len(arguments) > 1 else -1].strip("-") in err


COMMANDS = ("run", "map", "search", "claim", "report", "init", "compact", "worker")
RUN_OPTIONS = (
    "--out", "--seeds", "--engine", "--workers", "--dask", "--return-results", "--memory",
    "--slice", "--set", "--no-imports", "--yes", "(default: founding)", "[default: 2GB]",
)  # fmt: skip


def test_help_names_the_commands_and_options(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli("--help")
    assert code == 0
    assert [command for command in COMMANDS if f" {command} " not in out] == []
    _, out, _ = cli("run", "--help")
    assert [option for option in RUN_OPTIONS if option not in out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_is_cut_on_a_terminal_of_80_columns(cli, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli(command, "--help")
    assert code == 0
    assert "\N{HORIZONTAL ELLIPSIS}" not in out


def test_commands_that_train_share_their_options(cli):
    shared = ("--workers", "--dask", "--return-results", "--memory", "--set", "--no-imports")
    for command in ("run", "map", "search"):
        _, out, _ = cli(command, "--help")
        assert [option for option in shared if option not in out] == [], command


def test_a_run_writes_to_the_folder_named_like_the_study(cli):
    code, out, err = cli("run", "--engine", "keras", "--seeds", "2", *TINY)
    assert "0 runs are stored, 10 to train" in err
    assert "Report: reports/founding/report.md" in out
    assert Path("reports/founding/report.md").is_file()
    table = pd.read_csv("reports/founding/tables/runs.csv")
    assert len(table) == 10
    failed = list(table["status"]).count("failed")
    assert code == (3 if failed else 0)


def test_the_second_run_prints_that_nothing_is_to_train(cli):
    arguments = ["run", "--engine", "keras", "--seeds", "2", "--out", "out", *TINY]
    cli(*arguments)
    before = Path("out/tables/runs.csv").read_bytes()
    _, _, err = cli(*arguments)
    assert "10 runs are stored, 0 to train" in err
    assert Path("out/tables/runs.csv").read_bytes() == before


def test_the_report_is_written_anew_from_the_store(cli):
    cli("run", "--engine", "keras", "--seeds", "2", "--out", "out", *TINY)
    table = Path("out/tables/runs.csv")
    before = table.read_bytes()
    table.unlink()
    Path("out/report.md").unlink()
    _, out, _ = cli("report", "out")
    assert table.read_bytes() == before
    assert "Report: out/report.md" in out
    assert Path("out/report.md").is_file()


def test_options_reach_the_executor_and_the_manifest(cli, executor):
    dask = ("--dask", "tcp://host:1", "--return-results")
    cli("run", "--seeds", "1", "--workers", "3", *dask, "--out", "out", *TINY)
    chosen = {name: executor.chosen[name] for name in ("workers", "address", "return_results")}
    assert chosen == {"workers": 3, "address": "tcp://host:1", "return_results": True}
    assert {engine for _, _, engine, _ in executor.trained} == {"population", "keras"}
    assert "finetune run --seeds 1 --workers 3" in Path("out/manifest.json").read_text()


def test_slices_are_trained_apart_and_the_whole_reported_after(cli, executor):
    arguments = ["run", "--engine", "keras", "--seeds", "3", "--out", "out", *TINY]
    code, out, _ = cli(*arguments, "--slice", "1/2")
    assert code == 0
    assert "Slice 1 of 2 is stored; 5 runs of the study are not in this folder." in out
    assert {seed for _, seed, _, _ in executor.trained} == {0, 2}
    assert not Path("out/report.md").exists()
    _, out, _ = cli(*arguments, "--slice", "2/2")
    assert "Slice 2 of 2 is stored; 0 runs" in out
    _, _, err = cli(*arguments)
    assert "15 runs are stored, 0 to train" in err
    assert Path("out/report.md").is_file()


def test_a_store_is_compacted(cli):
    run = ["run", "--engine", "keras", "--seeds", "3", "--out", "out", *TINY]
    cli(*run)
    before = Path("out/tables/runs.csv").read_bytes()
    code, out, _ = cli("compact", "out")
    assert code == 0
    assert re.fullmatch(r"3 shards of [\d.]+ MB are now 1 of [\d.]+ MB\n", out)
    _, _, err = cli(*run)
    assert "15 runs are stored, 0 to train" in err
    assert Path("out/tables/runs.csv").read_bytes() == before


def test_seeds_come_after_overrides(cli, executor):
    cli("run", "--engine", "keras", "--seeds", "1", "--set", "seeds=3", "--out", "out", *TINY)
    assert {seed for _, seed, _, _ in executor.trained} == {0}


def test_an_interrupt_has_code_130_and_keeps_what_is_finished(cli, executor):
    executor.stop_after = 1
    arguments = ["run", "--engine", "keras", "--seeds", "3", "--out", "out", *TINY]
    code, out, err = cli(*arguments)
    assert (code, out) == (130, "")
    assert "finetune: interrupted; all that was finished is stored" in err
    assert "Traceback" not in err
    executor.stop_after = None
    _, _, err = cli(*arguments)
    assert "5 runs are stored, 10 to train" in err


def test_failed_runs_have_code_3_and_are_counted(cli, executor):
    code, _, err = cli("run", "--engine", "keras", "--seeds", "8", "--out", "out", *TINY)
    failed = list(pd.read_csv("out/tables/runs.csv")["status"]).count("failed")
    assert failed > 0
    assert code == 3
    assert f"{failed} of 40 runs failed; the report names them" in err


def test_names_are_printed_as_they_are(cli):
    code, out, _ = cli(
        *["run", "--engine", "keras", "--seeds", "2", "--out", "out", *TINY],
        *["--set", "variants.2.name=[red]:smile:", "--set", "claims.0.treatment=[red]:smile:"],
    )
    assert code in (0, 3)
    assert "[red]:smile:" in out
    _, _, err = cli("run", "--set", "[red]:smile:=1")
    assert "[red]:smile:" in err
