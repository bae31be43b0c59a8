"""Hypothesis strategies for studies, valid and not, and a writer of TOML."""

from itertools import permutations
from typing import Any

from hypothesis import strategies as st

from finetune.spec.checks import ChecksSpec
from finetune.spec.claims import (
    BetterSpec,
    ClaimSpec,
    EquivalentSpec,
    NotWorseSpec,
    UnderfitsSpec,
)
from finetune.spec.data import DataSpec
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.spec.metrics import METRICS
from finetune.spec.model import ModelSpec
from finetune.spec.search import SearchSpec
from finetune.spec.study import StudySpec
from finetune.spec.training import OptimizerSpec, TrainingSpec
from finetune.spec.variants import (
    CallbackSpec,
    ConstantSpec,
    CosineSpec,
    EarlyStoppingSpec,
    ExponentialSpec,
    OneCycleSpec,
    ReduceLRSpec,
    SetLRSpec,
    VariantSpec,
)

letters = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(letters, min_size=1, max_size=20)
numbers = st.floats(0, 1e9)
shares = st.floats(0.001, 0.999)
counts = st.integers(0, 10**6)
positives = st.integers(1, 10**6)

scalars = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
plain = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
arguments = st.dictionaries(texts, plain, max_size=3)
monitors = st.sampled_from(["val_loss", "val_accuracy", "loss", "val_auc", "val_log_cosh"])

data_specs = st.builds(
    DataSpec,
    source=names,
    args=arguments,
    target=st.none() | names,
    task=st.sampled_from([None, "binary", "multiclass", "regression"]),
    categorical=st.none() | st.lists(names, max_size=2).map(tuple),
    drop=st.lists(names, max_size=2).map(tuple),
    decimal=st.none() | st.just("."),
    thousands=st.sampled_from([None, ",", " ", "'"]),
    missing=st.none() | st.lists(names, max_size=2).map(tuple),
    stratify=st.none() | st.booleans(),
    test_size=st.floats(0.01, 0.49),
    val_size=st.floats(0.01, 0.49),
    split_seed=st.integers(0, 2**32 - 1),
)
model_specs = st.builds(
    ModelSpec,
    hidden=st.lists(positives, max_size=4).map(tuple),
    activation=names,
    factory=st.none() | st.just("package.module:build"),
    pretrained=st.sampled_from(["frozen", "all", ("conv*", "base/dense")]),
    freeze=st.lists(names, max_size=2).map(tuple),
)
training_specs = st.builds(
    TrainingSpec,
    optimizer=st.builds(
        OptimizerSpec, name=names, learning_rate=st.floats(1e-9, 1e9), args=arguments
    ),
    loss=st.none() | names,
    metrics=st.none() | st.lists(st.sampled_from([*METRICS]), max_size=3, unique=True).map(tuple),
    class_weight=st.sampled_from([None, "balanced", {"yes": 2.0, "no": 0.5}]),
    batch_size=positives,
    epochs=positives,
    dtype=st.sampled_from(["float32", "float64"]),
)
early_stopping_specs = st.builds(
    EarlyStoppingSpec,
    monitor=monitors,
    min_delta=numbers,
    patience=counts,
    baseline=st.none() | st.floats(-1e9, 1e9),
    restore_best_weights=st.booleans(),
    start_from_epoch=counts,
)
reduce_lr_specs = st.builds(
    ReduceLRSpec,
    monitor=monitors,
    factor=shares,
    patience=counts,
    min_delta=numbers,
    cooldown=counts,
    min_lr=numbers,
    start_from_epoch=counts,
    until_epoch=st.none() | positives,
)
set_lr_specs = st.builds(SetLRSpec, epoch=positives, learning_rate=st.floats(1e-9, 1e9))
schedule_specs = st.one_of(
    st.builds(
        ConstantSpec,
        kind=st.just("constant"),
        factor=shares | st.just(1.0),
        warm_up=counts,
    ),
    st.builds(ExponentialSpec, kind=st.just("exponential"), factor=shares, warm_up=counts),
    st.builds(
        CosineSpec,
        kind=st.just("cosine"),
        period=positives,
        growth=st.floats(1, 9),
        decay=shares | st.just(1.0),
        floor=st.just(0.0) | shares,
        warm_up=counts,
    ),
    st.builds(
        OneCycleSpec,
        kind=st.just("one_cycle"),
        epochs=st.integers(2, 10**6),
        rise=shares,
        initial_divisor=st.floats(1, 1e9),
        final_divisor=st.floats(1, 1e9),
        warm_up=counts,
    ),
)
callback_specs = st.builds(CallbackSpec, callback=st.just("package.module:Own"), args=arguments)
rate_policies = st.one_of(
    st.fixed_dictionaries({"schedule": schedule_specs}),
    st.fixed_dictionaries({}, optional={"reduce_lr": reduce_lr_specs, "set_lr": set_lr_specs}),
)
variant_lists = st.lists(
    st.builds(
        lambda rate, **others: VariantSpec(**rate, **others),
        rate=rate_policies,
        name=names,
        early_stopping=st.none() | early_stopping_specs,
        callbacks=st.lists(callback_specs, max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda variant: variant.name,
).map(tuple)


def _ranges(bounds: st.SearchStrategy[Any], *, log: bool = False) -> st.SearchStrategy[RangeSpec]:
    pairs = st.tuples(bounds, bounds).map(lambda pair: (min(pair), max(pair)))
    return pairs.map(lambda pair: RangeSpec(range=pair, log=log))


spaces = st.fixed_dictionaries(
    {"training.optimizer.learning_rate": _ranges(st.floats(1e-9, 1e9), log=True)},
    optional={
        "reduce_lr.factor": _ranges(shares),
        "reduce_lr.patience": _ranges(positives),
        "reduce_lr.start_from_epoch": _ranges(counts),
        "training.optimizer.name": st.permutations(["adam", "sgd"]).map(
            lambda names: ChoicesSpec(choices=tuple(names))
        ),
    },
)

search_specs = st.builds(
    SearchSpec,
    trials=positives,
    seeds=positives,
    space=spaces,
)


def _checks_of(seeds: int) -> st.SearchStrategy[ChecksSpec]:
    wanted: Any = st.booleans() | st.integers(1, seeds)
    return st.builds(ChecksSpec, **dict.fromkeys(ChecksSpec.model_fields, wanted))


def _claims_about(pair: tuple[str, str]) -> st.SearchStrategy[ClaimSpec]:
    arms: Any = {"treatment": st.just(pair[0]), "control": st.just(pair[1])}
    metric: Any = arms | {"metric": st.just("test_loss"), "margin": st.floats(1e-6, 1)}
    kinds = (("better", BetterSpec), ("not worse", NotWorseSpec), ("equivalent", EquivalentSpec))
    return st.one_of(
        st.builds(UnderfitsSpec, kind=st.just("underfits"), **arms),
        *(st.builds(spec, kind=st.just(kind), **metric) for kind, spec in kinds),
    )


@st.composite
def studies(draw: st.DrawFn) -> StudySpec:
    """Draw any valid study."""
    variants = draw(variant_lists)
    pairs = list(permutations([variant.name for variant in variants], 2))
    claims, contrasts = (), None
    if pairs:
        claims = tuple(draw(st.lists(st.sampled_from(pairs).flatmap(_claims_about), max_size=3)))
        contrasts = draw(st.none() | st.lists(st.sampled_from(pairs), max_size=3).map(tuple))
    seeds = draw(positives)
    return StudySpec(
        name=draw(st.from_regex(r"\Am[A-Za-z0-9._-]{0,78}[A-Za-z0-9_-]\Z")),
        seeds=seeds,
        vary=draw(st.lists(st.sampled_from(["init", "order", "split", "data"])).map(tuple)),
        data=draw(data_specs),
        model=draw(model_specs),
        training=draw(training_specs),
        variants=variants,
        claims=claims,
        contrasts=contrasts,
        checks=draw(_checks_of(seeds)),
        search=draw(search_specs),
    )


def toml_document(tree: dict[str, Any]) -> str:
    """Write a study as the text of a TOML file, its tables inline."""
    return "".join(f"{_quoted(key)} = {_toml(value)}\n" for key, value in tree.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)} = {_toml(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    plain = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return '"' + "".join(plain) + '"'
