"""Study files: overrides, and mistakes reported in one line."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec, shipped_studies
from finetune.studies.load import load_spec
from tests.small_studies import recipes_of
from tests.spec_strategies import plain, studies, texts, toml_document

MINIMAL = {"name": "m", "data": {"source": "make_moons"}, "variants": [{"name": "plain"}]}


def complaint(*overrides: str) -> str:
    """Return the line that a study with these overrides is refused with."""
    with pytest.raises(SpecError) as caught:
        load_spec(overrides=overrides)
    return one_line(caught.value)


def one_line(error: SpecError) -> str:
    text = str(error)
    assert len(text.splitlines()) == 1
    return text


def test_the_default_study_is_the_founding_one():
    spec = load_spec()
    assert (spec.name, spec.seeds, spec.training.epochs) == ("founding", 100, 100)
    assert [variant.name for variant in spec.variants] == [
        "no callbacks",
        "early stopping",
        "LR reduction from epoch 0",
        "delayed LR reduction",
        "both",
    ]
    assert load_spec("founding") == load_spec(shipped_studies() / "founding.toml") == spec


def test_the_default_study_is_found_whatever_lies_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("founding").mkdir()
    assert load_spec().name == load_spec("founding").name == "founding"


@pytest.mark.parametrize("study", sorted(shipped_studies().glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_study_is_valid_and_named_like_its_file(study):
    assert load_spec(study).name == study.stem


def test_overrides_go_by_dotted_path():
    spec = load_spec(
        overrides=[
            "training.epochs=50",
            "variants.2.reduce_lr.patience = 1",
            "variants.0.reduce_lr.factor=0.25",
            "model.hidden=[8, 4]",
            "model.hidden.1=5",
            "data.args.class_sep=0.5",
            "claims.0.alpha=0.01",
            "training.epochs=60",
        ]
    )
    assert spec.training.epochs == 60
    assert spec.variants[2].reduce_lr.patience == 1
    assert spec.variants[2].reduce_lr.factor == 0.5
    assert spec.variants[0].reduce_lr.factor == 0.25
    assert spec.model.hidden == (8, 5)
    assert spec.data.args["class_sep"] == 0.5
    assert spec.data.args["n_samples"] == 1000
    assert spec.claim.alpha == 0.01


@pytest.mark.parametrize("value", ["a name", '"a name"', "'a name'", " a name "])
def test_text_needs_no_quotes(value):
    changes = ["claims=[]", f"variants.0.name={value}"]
    assert load_spec(overrides=changes).variants[0].name == "a name"


# What is set; then what the line must hold: the field, what was received, what is allowed.
MISTAKES = {
    "unknown key": ("training.epoch=3", "training.epoch", "unknown key", "allowed", "epochs"),
    "unknown table": ("trainin.epochs=3", "trainin", "unknown key", "allowed", "training"),
    "column of groups": ("data.group=a", "data.group: unknown key; rows of one group", "allowed"),
    "shuffle": ("data.shuffle=true", "data.shuffle: unknown key; rows are always", "split_seed"),
    "test file": ("data.test=t.csv", "data.test: unknown key; all rows come", "test_size"),
    "Keras's share": ("data.validation_split=0.2", "unknown key; the shares are", "val_size"),
    "header": ("data.header=0", "unknown key; line 1 of a file must hold", "names"),
    "separator": ("data.sep=;", "data.sep: unknown key; it is found in the file", "semicolons"),
    "index": ("data.index_col=0", "data.index_col: unknown key; leave such a column out by drop"),
    "label": ("data.label=y", "data.label: unknown key; it is target"),
    "features": ("data.features=[a]", "data.features: unknown key; all columns but target"),
    "signs alike": ("data={source='a.csv', decimal=',', thousands=','}", "both ','", "leave one"),
    "decimal sign": ("data.decimal=;", "data.decimal: received ';'", "allowed"),
    "unknown argument": (
        "variants.1.early_stopping.patiense=3",
        "variants.1.early_stopping.patiense", "unknown key", "allowed", "patience",
    ),
    "text for a number": ('training.epochs="9"', "training.epochs", "'9'", "allowed", "integer"),
    "fraction of an epoch": ("training.epochs=2.5", "training.epochs", "2.5", "allowed"),
    "truth for a number": ("seeds=true", "seeds", "True", "allowed is a number of seeds"),
    "number for a table": ("training=5", "training", "5", "allowed is a table"),
    "text for an array": ("model.hidden=wide", "model.hidden", "'wide'", "allowed is an array"),
    "no seeds": ("seeds=0", "seeds", "0", "allowed is a number of seeds, 1 to"),
    "no units": ("model.hidden=[4, 0]", "model.hidden.1", "0", "allowed", "1"),
    "negative patience": (
        "variants.1.early_stopping.patience=-1",
        "variants.1.early_stopping.patience", "-1", "allowed is greater than or equal to 0",
    ),
    "negative patience of the reduction": (
        "variants.2.reduce_lr.patience=-1", "variants.2.reduce_lr.patience", "-1", "allowed",
    ),
    "negative start": (
        "variants.3.reduce_lr.start_from_epoch=-2",
        "variants.3.reduce_lr.start_from_epoch", "-2", "allowed",
    ),
    "factor 1": (
        "variants.2.reduce_lr.factor=1.0",
        "variants.2.reduce_lr.factor", "1.0", "allowed is less than 1",
    ),
    "factor 0": ("variants.2.reduce_lr.factor=0", "variants.2.reduce_lr.factor", "0", "allowed"),
    "unknown monitor": (
        "variants.2.reduce_lr.monitor=test_loss",
        "variants.2.reduce_lr.monitor", "'test_loss'", "allowed are 'val_loss'",
    ),
    "kind of schedule": (
        "variants.0.schedule.kind=linear",
        "variants.0.schedule.kind", "'linear'", "allowed: constant, exponential, cosine, one_cycle",
    ),
    "schedule without kind": ("variants.0.schedule.factor=1", "variants.0.schedule.kind: missing"),
    "schedule by name": ("variants.0.schedule=cosine", "schedule: received 'cosine'", "a table"),
    "key of another kind": (
        "variants.0.schedule={kind='cosine', factor=1}",
        "variants.0.schedule.factor: unknown key; allowed: decay, floor, growth, kind, period",
    ),
    "period 0": (
        "variants.0.schedule={kind='cosine', period=0}",
        "variants.0.schedule.period: received 0; allowed is greater",
    ),
    "cycle of no length": (
        "variants.0.schedule.kind=one_cycle", "variants.0.schedule.epochs: missing",
    ),
    "schedule and reduction": (
        "variants.2.schedule.kind=cosine",
        "variants.2: 'LR reduction from epoch 0'", "cosine beside reduce_lr", "allowed is one",
    ),
    "own callback without class": (
        "variants.0.callbacks=[{callback='oops'}]", "variants.0.callbacks.0.callback", "'oops'",
    ),
    "duplicate names": (
        "variants.1.name=no callbacks", "variants", "'no callbacks'", "2 times", "allowed is once",
    ),
    "no variants": ("variants=[]", "variants", "[]", "allowed is an array with at least 1"),
    "claim about nothing": (
        "claims.0.treatment=magic", "claim", "'magic'", "allowed", "'early stopping'",
    ),
    "control of nothing": ("claims.0.control=magic", "claim", "'magic'", "allowed", "'both'"),
    "claim about itself": (
        "claims.0.control=LR reduction from epoch 0", "claims.0", "itself", "allowed",
    ),
    "contrast with nothing": (
        "contrasts=[['both', 'magic']]", "contrasts.0", "'magic'", "allowed", "'both'",
    ),
    "contrast with itself": (
        "contrasts=[['both', 'both']]", "contrasts.0", "'both'", "itself", "allowed",
    ),
    "negative check": (
        "checks.probe=-1", "checks.probe: received -1", "allowed is true, false or a number",
        "false leaves the check out",
    ),
    "check of no seeds": ("checks.parity=0", "checks.parity: received 0", "at least 1"),
    "check in words": ("checks.variance=yes", "checks.variance: received 'yes'", "true, false"),
    "check of a half": ("checks.same_again=2.5", "checks.same_again: received 2.5", "allowed"),
    "check of more seeds": (
        "checks.variance=101", "checks.variance: received 101", "number of seeds, 100", "raise",
    ),
    "no such check": ("checks.luck=1", "checks.luck", "parity, probe, same_again, variance"),
    "unknown source of variation": ('vary=["mood"]', "vary.0", "'mood'", "allowed is 'init'"),
    "no training rows": ("data.test_size=0.85", "data", "test_size + val_size", "1.05", "allowed"),
    "seed too large": ("data.split_seed=4294967296", "data.split_seed", "4294967296", "allowed"),
    "name with a slash": ("name=a/b", "name", "'a/b'", "allowed is text that matches"),
    "name with a line break": ("variants.0.name=a\nb", "variants.0.name", r"'a\nb'", "allowed"),
    "empty name": ("variants.0.name=", "variants.0.name", "''", "allowed is text with at least 1"),
    "factory without function": ("model.factory=oops", "model.factory", "'oops'", "allowed"),
    "NaN": ("training.optimizer.learning_rate=nan", "learning_rate", "nan", "allowed", "finite"),
    "infinite argument": ("data.args.shift=inf", "data.args.shift", "inf", "allowed", "finite"),
    "date": ("data.args.when=2024-02-03", "data.args.when", "date", "allowed"),
    "too deep": ("data.args" + ".a" * 5000 + "=1", "data.args.a", "allowed", "deep"),
    "key with a line break": (
        'data={source="x", "a\\nb"=1}', r"a\nb", "unknown key", "allowed", "source"),
    "surrogate": ("model.activation=\udc80", "model.activation", "'\\udc80'", "allowed"),
    "no value": ("training.epochs", "--set", "'training.epochs'", "allowed is KEY=VALUE"),
    "no key": ("=3", "--set", "'=3'", "allowed is KEY=VALUE"),
    "empty step": ("training..epochs=3", "--set", "'training..epochs=3'", "allowed is KEY=VALUE"),
    "no such variant": ("variants.9.name=x", "--set", "'variants.9'", "allowed", "0 to 4"),
    "variant by name": ("variants.both.name=x", "--set", "'variants.both'", "allowed", "0 to 4"),
    "variant from the end": ("variants.-1.name=x", "--set", "'variants.-1'", "allowed"),
    "below a number": ("training.epochs.x=1", "--set", "'training.epochs.x'", "100", "no keys"),
    "far below a number": ("training.epochs.x.y=1", "--set", "training.epochs.x", "no keys"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_in_one_line(mistake):
    override, *parts = MISTAKES[mistake]
    line = complaint(override)
    assert [part for part in parts if part not in line] == []


@pytest.mark.parametrize("field", ["name", "data", "variants"])
def test_a_missing_key_is_named(field):
    tree = {key: value for key, value in MINIMAL.items() if key != field}
    with pytest.raises(SpecError, match=f"spec: {field}: missing"):
        parse_spec(tree)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("missing.toml", ["'missing.toml'", "No such file"]),
        ("no/such/study", ["'no/such/study'", "No such file"]),
        ("foundling", ["'foundling'", "allowed", "founding"]),
        (".", ["'.'", "it is a folder", "allowed is a regular file"]),
        ("a" * 5000, ["aaa", "allowed", "founding"]),
        ("nul\0.toml", [r"nul\x00.toml"]),
    ],
    ids=["file", "folder", "study", "directory", "too long", "nul"],
)
def test_a_missing_file_is_named(path, parts):
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    line = one_line(caught.value)
    assert [part for part in ["SPEC", *parts] if part not in line] == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"name = ", "not valid TOML"),
        (b"name = 'a'\nname = 'b'\n", "not valid TOML"),
        (b"a = " + b"1" * 5000, "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"name = '\xff'", "UTF-8"),
        (b"", "name: missing"),
    ],
    ids=["syntax", "twice", "huge number", "too deep", "not text", "empty"],
)
def test_a_file_that_is_no_study_is_reported(tmp_path, content, part):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert "bad.toml" in one_line(caught.value)
    assert part in one_line(caught.value)


@given(studies())
def test_any_study_survives_json(spec):
    assert parse_spec(spec.model_dump(mode="json")) == spec
    assert StudySpec.model_validate_json(spec.model_dump_json()) == spec


@given(studies())
def test_any_study_survives_toml(tmp_path_factory, spec):
    path = tmp_path_factory.getbasetemp() / "study.toml"
    tree = spec.model_dump(mode="json", exclude_none=True)
    path.write_text(toml_document(tree), encoding="utf-8")
    assert load_spec(path) == spec


keys = st.sampled_from([*StudySpec.model_fields, "patience", "reduce_lr", "margins"]) | texts
junk = st.recursive(
    plain | st.none() | st.floats() | st.binary(max_size=3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
)


@given(st.dictionaries(keys, junk) | junk)
def test_junk_is_refused_in_one_line(tree):
    with pytest.raises(SpecError) as caught:
        parse_spec(tree)
    one_line(caught.value)


@given(st.data())
def test_one_wrong_value_anywhere_is_a_spec_error_or_fine(data):
    tree = load_spec().model_dump(mode="json")
    node = tree
    while isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            node[key] = data.draw(junk)
            break
        node = node[key]
    only_spec_errors(lambda: recipes_of(parse_spec(tree), "keras"))


steps = st.sampled_from(
    ["variants", "data", "args", "training", "epochs", "0", "1", "5", "reduce_lr", "model", "vary"]
)
values = st.sampled_from(["1", "-1", "nan", "[]", "{}", "''", "2020-01-01", "[1, 'a']", "{a=1}"])
aimed = st.builds(lambda path, value: ".".join(path) + f"={value}", st.lists(steps), values)


@given(st.lists(st.text(max_size=30) | aimed, min_size=1, max_size=3))
@example(["variants." + "1" * 5000 + ".name=x"])
@example(["seeds=" + "1" * 5000])
@example(["data.args.deep=" + "[" * 5000])
@example(["name=x\nseeds=3"])
def test_any_override_is_a_spec_error_or_fine(overrides):
    only_spec_errors(lambda: recipes_of(load_spec(overrides=overrides), "keras"))


def only_spec_errors(action):
    try:
        action()
    except SpecError as error:
        one_line(error)


def test_a_line_break_in_an_override_adds_no_second_key():
    assert "name" in complaint("name=x\nseeds=3")
