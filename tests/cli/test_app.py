"""The command line: what it prints, how soon, and with which exit code."""

import os
import re
import subprocess
import time
import tomllib
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from finetune.cli.progress import ProgressBar
from finetune.spec.study_file import parse_spec, shipped_names
from finetune.studies.load import load_spec
from tests.processes import ROOT, SCRIPTS, loaded_by, main_with
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
    [
        ["--help"],
        ["run", "--help"],
        ["run", "--set", "seed=3"],
        ["run", "nowhere.toml"],
        ["list"],
        ["show"],
    ],
    ids=" ".join,
)
def test_help_and_spec_errors_answer_without_anything_heavy(arguments, tmp_path):
    started = time.perf_counter()
    assert loaded_by(main_with(arguments), cwd=tmp_path) == set()
    print(f"answered in {time.perf_counter() - started:.2f} s")  # shown with -rP; decides nothing


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--seeds", "0"], "'--seeds': "),
        (["run", "--engine", "abacus"], "engine: received 'abacus'"),
        (["run", "--quiet=yes"], "--quiet"),
        (["show", "fonding"], "'fonding', which is no file and no shipped study; did you mean "),
        (["show", "--set", "seeds"], "--set: received 'seeds'"),
        (["show", "founding", "smoke"], "smoke"),
        (["list", "smoke"], "smoke"),
        (["export", "csv"], "'DIR'; see `finetune export --help`"),
        (["report"], "'DIR'; see `finetune report --help`"),
        (["--colour"], "--colour; see `finetune --help`"),
        (["go"], "'go'; see `finetune --help`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_in_one_line_with_code_2(arguments, words, cli):
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("finetune: ")
    assert words in line


COMMANDS = (
    "run", "map", "search", "claim", "report", "list", "show", "schema", "init", "compact",
    "export", "worker",
)  # fmt: skip
RUN_OPTIONS = (
    "--out", "--seeds", "--engine", "--workers", "--dask", "--return-results", "--memory",
    "--slice", "--set", "--no-imports", "--yes", "--quiet", "(default: founding)", "[default: 2GB]",
)  # fmt: skip


def test_help_names_the_commands_and_options(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli("--help")
    assert code == 0
    assert [command for command in COMMANDS if f" {command} " not in out] == []
    _, out, _ = cli("run", "--help")
    words = " ".join(out.split())
    assert [option for option in RUN_OPTIONS if option not in words] == []


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_help_is_cut_off_whatever_the_width(cli, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for command in ([], *([name] for name in COMMANDS)):
        code, out, _ = cli(*command, "--help")
        assert code == 0
        assert "\N{HORIZONTAL ELLIPSIS}" not in out
        assert "..." not in out.partition("\n")[2], command


def test_commands_that_train_share_their_options(cli):
    shared = ("--workers", "--dask", "--return-results", "--memory", "--set", "--no-imports")
    for command in ("run", "map", "search"):
        _, out, _ = cli(command, "--help")
        assert [option for option in shared if option not in out] == [], command


def test_a_run_writes_to_the_folder_named_like_the_study(cli):
    code, out, err = cli("run", "--engine", "keras", "--seeds", "2", *TINY)
    first, second = err.splitlines()[:2]
    assert first.startswith("founding: 5 variants at 2 seeds, 10 runs; at most about ")
    assert first.endswith(" on 2 cores; results go to reports/founding")
    assert second == "0 runs are stored, 10 to train"
    verdicts, table = out.partition("\n\n")[0], out.partition("Variant ")[2]
    assert len(verdicts.splitlines()) == 3
    rows = [line.partition("  ")[0] for line in table.splitlines()[2:7]]
    assert rows == [
        "no callbacks", "early stopping", "LR reduction from epoch 0", "delayed LR reduction",
        "both",
    ]  # fmt: skip
    folder = "reports/founding"
    assert out.endswith(f"\n\nReport: {folder}/report.md\nPage: {folder}/report.html\n")
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


def test_workers_start_early_for_a_new_folder_alone(cli, executor):
    for command, seeds in (("run", ["seeds=3"]), ("map", ["map.seeds=4", "map.delay=[1]"])):
        arguments = [command, *TINY, *(part for one in seeds for part in ("--set", one))]
        before = list(executor.started)
        cli(*arguments)
        cli(*arguments)
        assert executor.started == [*before, int(seeds[0][-1])]
    cli("run", *TINY, "--until-decided", "--from", "20", "--to", "60", "--out", "more")
    assert executor.started[-1] == 20


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


def test_quiet_prints_the_verdicts_alone(cli, executor):
    executor.failed_share = 0.0
    arguments = ["run", "--engine", "keras", "--seeds", "2", "--out", "out", *TINY]
    code, out, err = cli(*arguments, "--quiet")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert all("exploratory" in line for line in out.splitlines())
    assert [line for line in err.splitlines() if not line.startswith("Warning: ")] == []
    for command in ("report", "claim"):
        assert cli(command, "out", "--quiet")[1] == out


def test_the_version_and_without_a_command_the_help_are_printed(cli):
    code, out, _ = cli("--version")
    assert (code, out) == (0, f"finetune {version('finetune')}\n")
    code, out, _ = cli()
    assert code == 0
    assert out == cli("--help")[1]


def test_the_shipped_studies_are_listed_with_what_they_ask(cli):
    code, out, _ = cli("list")
    assert code == 0
    listed = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert list(listed) == shipped_names()
    assert "three claims" in listed["founding"]
    assert all(sentence.rstrip()[-1] in ".?" for sentence in listed.values())


def test_a_study_is_shown_whole_and_what_its_variants_differ_in(cli, tmp_path):
    code, out, err = cli("show", "smoke", "--set", "variants.1.training.epochs=7")
    assert (code, err) == (0, "")
    own = dict(line[4:].split(": ", 1) for line in out.splitlines() if line.startswith("#   "))
    assert own["no callbacks"] == "nothing"
    assert own["early stopping"] == "early_stopping.patience = 3, training.epochs = 7"
    (tmp_path / "shown.toml").write_text(out)
    shown = load_spec(tmp_path / "shown.toml")
    assert shown == load_spec("smoke", overrides=["variants.1.training.epochs=7"])
    assert tomllib.loads(out)["training"]["dtype"] == "float32"


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_study_is_shown_as_it_is(name, cli):
    _, out, _ = cli("show", name)
    assert parse_spec(tomllib.loads(out)).model_dump() == load_spec(name).model_dump()


def test_a_shell_completes_commands_and_studies(tmp_path):
    (tmp_path / "found.toml").touch()

    def completed(words: str) -> list[str]:
        variables = {
            "_FINETUNE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [SCRIPTS / "finetune"],
            check=False,
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
        )
        return done.stdout.split()

    assert completed("finetune sh") == ["show"]
    assert completed("finetune run fou") == ["founding", "found.toml"]


def test_no_colour_is_printed_where_it_is_not_wanted(monkeypatch):
    def printed() -> str:
        file = StringIO()
        console = Console(file=file, force_terminal=True, color_system="standard")
        with ProgressBar(console) as bar:
            bar.begin(0, 2)
            bar.update(2)
        return file.getvalue()

    colour = re.compile(r"\x1b\[[\d;]*3[0-7]")
    assert colour.search(printed())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(printed())


WRONG_SEEDS = {
    "a first step without the rule": (["--from", "30"], "--from: received 30 without --until"),
    "a limit without the rule": (["--to", "30"], "--to: received 30 without --until-decided"),
    "too small a first step": (["--until-decided", "--from", "4"], "seeds: from: received 4"),
    "a limit below the first step": (
        ["--until-decided", "--to", "10"],
        "to, 10, is below from, 20",
    ),
    "too many looks": (["--until-decided", "--to", "99000"], "more than 20 looks"),
    "a fixed number too": (["--until-decided", "--seeds", "9"], "--seeds: received 9 with"),
    "a slice": (["--until-decided", "--slice", "1/2"], "--slice: the study trains as many seeds"),
}


@pytest.mark.parametrize("kind", WRONG_SEEDS)
def test_seeds_that_cannot_be_are_told_in_one_line(cli, kind):
    arguments, told = WRONG_SEEDS[kind]
    code, out, err = cli("run", *arguments)
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert told in line


def test_until_decided_trains_from_the_first_step_on(cli, executor):
    code, _, err = cli(
        "run",
        "smoke",
        "--until-decided",
        "--from",
        "5",
        "--to",
        "8",
        "--set",
        "checks.parity=false",
    )
    assert code in (0, 3)
    assert "at 5 to 8 seeds, until every claim is decided" in err
    assert "Look at 5 seeds" in err
    assert max(seed for _, seed, _, _ in executor.trained) in (4, 7)
