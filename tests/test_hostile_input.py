"""Anything a stranger may send gives a value or one line; no line acts on the terminal."""

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finetune.errors import DataError, FinetuneError, escape_unprintable
from finetune.planning.estimate import estimate_map, estimate_run, estimate_search
from finetune.studies.load import load_spec
from tests.data.user_data import WRITERS, splits_of
from tests.fuzz.seeds import seeds, words
from tests.fuzz.targets import TARGETS, fails_in_one_line
from tests.processes import finetune

ACTING = "\x1b[31m\x00\x07\x7f\x85\x9b31m\u2028\u2029\u202e\u2066\ufeff\ufffe\U0001ffff\ud800"
HEADERS = [f"a{ACTING[:6]}", "\x9b31m", "\u202ey", "=1+1", "a\u2028b", "\U0001f600", "<b>|`$"]


def test_what_acts_is_shown_as_its_escape():
    shown = escape_unprintable(f"a{ACTING}é\u200d")
    assert shown.startswith(r"a\x1b[31m\x00\x07\x7f\x85\x9b31m\u2028\u2029\u202e")
    assert shown.endswith("é\u200d")
    assert escape_unprintable(shown) == shown
    assert str(DataError(f"one\ntwo {ACTING}")).startswith(r"one\ntwo \x1b")


_keys = st.sampled_from(words()) | st.text(max_size=6)
_values = st.sampled_from(
    ["1", "-1", "0.5", "1e400", "9" * 400, "[]", "{}", "'x'", "true", "nan", "[1, 2]", "a:b",
     "../x", "/x", "x.csv", "{callback='a:b'}", "[{name='a'}]", "load_iris", "=1", ACTING[:8]]
)  # fmt: skip
_aimed = st.builds(
    lambda path, value: f"{'.'.join(path)}={value}",
    st.lists(_keys, min_size=1, max_size=4),
    _values,
)


@given(st.lists(_aimed | st.text(max_size=30), max_size=4), st.booleans())
@example(["data.args.n_samples=" + "9" * 400], True)
@example(["data.source=make_moons", "data.args.n_samples=[1, 2]"], True)
@example(["model.hidden=[]", "data.args.n_features=-3"], False)
def test_any_overrides_give_an_estimate_or_one_line(overrides, imports):
    def read() -> None:
        spec = load_spec(overrides=overrides, imports=imports)
        for estimate in (estimate_run, estimate_map, estimate_search):
            assert str(estimate(spec))

    fails_in_one_line(read)


@given(st.data())
@pytest.mark.parametrize("target", TARGETS)
def test_any_damaged_input_gives_a_value_or_one_line(tmp_path_factory, target, data):
    content = bytearray(data.draw(st.sampled_from(list(seeds(target)))))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content)))
        content[at:at] = data.draw(st.sampled_from(words()).map(str.encode) | st.binary(max_size=4))
    del content[data.draw(st.integers(1, len(content))) :]
    TARGETS[target](bytes(content), tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("header", HEADERS)
def test_a_hostile_header_is_named_in_one_line_that_shows(tmp_path, header, suffix):
    table = pd.DataFrame({header: [0.5, float("inf")] * 8, "y": [0, 1] * 8})
    file = tmp_path / f"t{suffix}"
    WRITERS[suffix](table, file)
    for target in ("y", "none", None):
        fails_in_one_line(lambda target=target: splits_of(str(file), target=target))
    with pytest.raises(FinetuneError) as caught:
        splits_of(str(file), target="y")
    assert escape_unprintable(caught.value) == str(caught.value)


STUDY = """
name = "m"
data = { source = "t.csv", target = "y\\u00e9" }
variants = [{ name = "plain" }]
"""


COMMANDS = [
    ["run", "--set", "name=\x1b[31m"],
    ["run", "--set", "\x9b31m=1"],
    ["run", "--set", "data.source=\x1b[31m"],
    ["run", "--set", "data.source=no\u202e.csv"],
    ["run", "\x1b[31m\u202e.toml"],
    ["report", "\x9b31m"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=ascii)
def test_a_mistake_sends_the_terminal_nothing_that_acts(cli, command):
    code, out, err = cli(*command)
    (line,) = err.removesuffix("\n").split("\n")
    assert (code, out) == (2, "")
    assert line.startswith("finetune: ")
    assert escape_unprintable(line) == line


@pytest.mark.slow
def test_a_header_of_the_data_sends_the_terminal_nothing_that_acts(tmp_path):
    (tmp_path / "m.toml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "t.csv").write_text("y,\x1b[31mred,\x9b31m,\u202e\n0,1,2,3\n", encoding="utf-8")
    answer = finetune("run", "m.toml", "--workers", "0", cwd=tmp_path)
    line = answer.stderr.removesuffix("\n").split("\n")[-1]
    assert answer.returncode == 2
    assert line.startswith("finetune: data.target: ")
    assert escape_unprintable(line) == line


def test_what_a_command_prints_does_not_act(capsys):
    from finetune.cli.terminal import console

    console.print("a [red] \x1b[31m\u202e\nb")
    assert capsys.readouterr().out == "a [red] \\x1b[31m\\u202e\nb\n"
