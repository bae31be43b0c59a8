"""What every engine must obey: run by run, the numbers of the reference engine."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from finetune.engines.base import Engine, TaskTables
from finetune.engines.registry import REFERENCE, engine_names, get_engine
from finetune.errors import SpecError
from finetune.planning.block import Block
from finetune.spec.metrics import further_columns
from finetune.spec.study import StudySpec
from finetune.store.schema import EPOCH_COLUMNS, RUN_COLUMNS
from finetune.studies.load import load_spec
from tests.memory_store import MemoryStore
from tests.small_studies import small_study, task

DOUBLE = "training.dtype=float64"
NETWORKS = "tests.engines.networks"
SOURCES = "data.source=tests.engines.sources"
REDUCE, DELAYED, BOTH = "variants.2.reduce_lr", "variants.3.reduce_lr", "variants.4"
CLASSES = (
    "data.args.n_classes=3",
    "training.loss=sparse_categorical_crossentropy",
)
REGRESSION = (
    "data.source=make_regression",
    "data.args={n_samples=80, n_features=10, noise=0.5, random_state=1}",
    "training.loss=mean_squared_error",
    "variants.2.reduce_lr.min_delta=1e4",
    # The founding study's are about accuracy too.
    "claims=[]",
)
WEIGHTED = (
    "data.source=tests.engines.rows:weighted",
    "data.args={}",
    "data.target=target",
    "data.weight=weight",
)
TWO_INPUTS = (f"{SOURCES}:image_and_table", "data.args={}", "variants.2.reduce_lr.min_delta=0.1")
# Twelve epochs are enough when the delay is short and patience is short.
SOON = (f"{DELAYED}.start_from_epoch=4", f"{BOTH}.reduce_lr.start_from_epoch=3")
EAGER = tuple(
    f"{policy}.{argument}"
    for policy in (REDUCE, DELAYED, f"{BOTH}.reduce_lr")
    for argument in ("patience=1", "min_delta=0.03")
)

CASES = {
    "binary": (),
    "classes": CLASSES,
    "regression": REGRESSION,
    "dropout": (f"model.factory={NETWORKS}:dropout",),
    "batch normalization": (f"model.factory={NETWORKS}:batch_normalization",),
    "lstm": (f"model.factory={NETWORKS}:lstm",),
    "masked sequences": (f"model.factory={NETWORKS}:masked",),
    "noise": (f"model.factory={NETWORKS}:noise",),
    "convolution": (f"model.factory={NETWORKS}:convolution",),
    "embedding": (f"model.factory={NETWORKS}:embedding",),
    "penalised": (f"model.factory={NETWORKS}:penalised",),
    "unbuilt": (f"model.factory={NETWORKS}:unbuilt",),
    "subclassed": (f"model.factory={NETWORKS}:subclassed",),
    "NaN first": (f"model.factory={NETWORKS}:nan_first",),
    "NaN later": (f"model.factory={NETWORKS}:nan_later",),
    "frozen base": (f"model.factory={NETWORKS}:frozen_base",),
    "pretrained": (f"model.factory={NETWORKS}:loaded", "model.pretrained=all"),
    "frozen features": (
        f"{SOURCES}:images",
        "data.args={}",
        f"model.factory={NETWORKS}:frozen_features",
        "vary=['init', 'order', 'split']",
    ),
    "frozen by name": ("model.freeze=['dense_1']",),
    "frozen in a variant": (
        f"model.factory={NETWORKS}:loaded",
        "variants.2.model.freeze=['base']",
    ),
    "adapted": (f"model.factory={NETWORKS}:adapted",),
    "image": (f"{SOURCES}:images", "data.args={}", f"model.factory={NETWORKS}:pictures"),
    "token ids": (f"{SOURCES}:token_ids", "data.args={}", f"model.factory={NETWORKS}:tokens"),
    "two inputs": (*TWO_INPUTS, f"model.factory={NETWORKS}:picture_and_numbers"),
    "two inputs, own split": (
        *TWO_INPUTS,
        f"model.factory={NETWORKS}:picture_and_numbers",
        "vary=['init', 'order', 'split', 'data']",
    ),
    "two inputs, frozen": (*TWO_INPUTS, f"model.factory={NETWORKS}:frozen_picture_and_numbers"),
    "two inputs, subclassed": (*TWO_INPUTS, f"model.factory={NETWORKS}:of_dictionary"),
    "two inputs, groups and weights": (
        f"{SOURCES}:image_and_table_of_groups",
        "data.args={}",
        "data.groups=house",
        "data.weight=weight",
        f"model.factory={NETWORKS}:picture_and_numbers",
        "vary=['init', 'order', 'split']",
    ),
    "token ids and numbers": (
        f"{SOURCES}:ids_and_numbers",
        "data.args={}",
        f"model.factory={NETWORKS}:words_and_numbers",
        "training.class_weight={'1'=3.3}",
    ),
    "image, dense": (f"{SOURCES}:images", "data.args={}"),
    "dropout, classes": (f"model.factory={NETWORKS}:dropout", *CLASSES),
    "sgd with momentum": ("training.optimizer={name='sgd', args={momentum=0.9, nesterov=true}}",),
    "adamw": ("training.optimizer={name='adamw', args={weight_decay=0.01}}",),
    "rmsprop": ("training.optimizer={name='rmsprop', args={centered=true}}",),
    "nadam": ("training.optimizer={name='nadam'}",),
    "adafactor": ("training.optimizer={name='adafactor'}",),
    "clipnorm": ("training.optimizer={name='adam', args={clipnorm=0.05}}",),
    "global clipnorm": ("training.optimizer={name='adam', args={global_clipnorm=0.05}}",),
    "partial last batch": ("training.batch_size=13",),
    "one batch": ("training.batch_size=500",),
    "min_lr": (f"{REDUCE}.min_lr=0.003", f"{REDUCE}.factor=0.5"),
    "cooldown": (f"{REDUCE}.cooldown=2", f"{REDUCE}.min_delta=0.05"),
    "late early stopping": (f"{BOTH}.early_stopping.start_from_epoch=5",),
    "no restoring": (f"{BOTH}.early_stopping.restore_best_weights=false",),
    "accuracy watched": (
        f"{REDUCE}.monitor=val_accuracy",
        f"{BOTH}.early_stopping.monitor=val_accuracy",
    ),
    "training loss watched": (f"{REDUCE}.monitor=loss", f"{REDUCE}.min_delta=0.02"),
    "schedules": (
        "variants.2={name='v', schedule={kind='cosine', period=3, growth=2, decay=0.5, warm_up=2}}",
        "variants.4={name='w', early_stopping={patience=2}, schedule={kind='one_cycle', epochs=9}}",
        "claims=[{kind='underfits',treatment='v', control='w'}]",
    ),
    "metrics": (
        'training.metrics=["auc", "f1", "precision", "recall", "balanced_accuracy", "log_loss"]',
    ),
    "metrics, classes": (
        *CLASSES,
        'training.metrics=["auc", "f1", "precision", "recall", "balanced_accuracy", "log_loss"]',
    ),
    "metrics of keras": ('training.metrics=["hinge", "poisson", "pearson_correlation"]',),
    "metrics, regression": (*REGRESSION, 'training.metrics=["rmse", "huber"]'),
    "metrics watched": (
        'training.metrics=["auc", "log_loss"]',
        f"{REDUCE}.monitor=val_auc",
        f"{BOTH}.reduce_lr.monitor=val_log_loss",
        f"{BOTH}.early_stopping.monitor=val_auc",
    ),
    "class weights": ("training.class_weight={'1'=3.3}",),
    "balanced": (*CLASSES, "training.class_weight=balanced", "vary=['init', 'order', 'split']"),
    "row weights": WEIGHTED,
    "row weights, own split": (*WEIGHTED, "vary=['init', 'order', 'split']"),
    "own split": ("vary=['init', 'order', 'split']",),
    "own data": ("vary=['init', 'order', 'split', 'data']",),
}  # fmt: skip
EVERY_DAY = ("binary", "metrics watched", "row weights", "two inputs")
# Where runs of several seeds differ by more than their numbers, in how they are trained.
SEVERAL_SEEDS = (
    "binary",
    "dropout",
    "batch normalization",
    "balanced",
    "row weights, own split",
    "own split",
    "own data",
    "frozen features",
    "two inputs, own split",
    "two inputs, groups and weights",
)
EXACT = [
    "seed",
    "status",
    "epochs_run",
    "best_epoch",
    "lr_reductions",
    "first_reduction_epoch",
    "final_lr",
]
MEASURED = [c for c in RUN_COLUMNS if c.endswith(("_loss", "_accuracy"))]
CURVES = [c for c in EPOCH_COLUMNS if c not in ("variant", "seed", "epoch", "learning_rate")]


def assert_same_runs(ours, reference, *, tolerance):
    pd.testing.assert_frame_equal(ours.runs[EXACT], reference.runs[EXACT])
    close = {"rtol": tolerance, "atol": tolerance}
    further = list(further_columns(reference.epochs))
    assert further == list(further_columns(ours.epochs)) == list(further_columns(ours.runs))
    measured, curves = [*MEASURED, *further], [*CURVES, *further]
    np.testing.assert_allclose(ours.runs[measured], reference.runs[measured], **close)
    keys = ["variant", "seed", "epoch", "learning_rate"]
    pd.testing.assert_frame_equal(ours.epochs[keys], reference.epochs[keys])
    np.testing.assert_allclose(ours.epochs[curves], reference.epochs[curves], **close)


@pytest.fixture(params=[name for name in engine_names() if name != REFERENCE.name])
def engine(request) -> Engine:
    """Return every engine but the reference in turn."""
    return get_engine(request.param)


def trained(engine: Engine, spec: StudySpec, **grid) -> TaskTables:
    return engine.train(task(spec, **grid, engine=engine.name))


def check_case(engine: Engine, case: str) -> None:
    spec = small_study(DOUBLE, *SOON, *EAGER, *CASES[case])
    grid = {"variants": spec.variants[2:], "seeds": (0, 1) if case in SEVERAL_SEEDS else (0,)}
    reference = trained(REFERENCE, spec, **grid)
    assert_same_runs(trained(engine, spec, **grid), reference, tolerance=1e-9)
    assert reference.runs["lr_reductions"].sum() > 0


@pytest.mark.parametrize("case", EVERY_DAY)
def test_every_run_is_that_of_fit(engine, case):
    check_case(engine, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted(set(CASES) - set(EVERY_DAY)))
def test_every_run_is_that_of_fit_too(engine, case):
    check_case(engine, case)


# Variants that differ in more than their callbacks, two of them in the learning rate alone.
OVERRIDES = (
    "variants=[{name='as it is', reduce_lr={factor=0.5, patience=1}},"
    " {name='slower', training={optimizer={learning_rate=0.002}}, early_stopping={}},"
    " {name='dropout', model={dropout=0.3}},"
    " {name='wider', model={hidden=[12, 4], batch_normalization=true}},"
    " {name='sgd', training={optimizer={name='sgd'}, batch_size=13, epochs=9}}]",
    "claims=[]",
)


def trained_in_groups(engine: Engine, spec: StudySpec) -> list[TaskTables]:
    block = Block(spec, spec.variants, (0, 1), engine.name)
    return [engine.train(one) for one in block.tasks(MemoryStore(), workers=1, memory=10**9)]


def test_variants_with_a_network_or_training_of_their_own_are_those_of_fit(engine):
    spec = small_study(DOUBLE, *OVERRIDES)
    ours, reference = (trained_in_groups(one, spec) for one in (engine, REFERENCE))
    # The learning rate alone makes no other graph.
    assert [len(tables.runs) for tables in ours] == [4, 2, 2, 2]
    ours, reference = (
        pd.concat([tables.runs for tables in each]).sort_values(["variant", "seed"])
        for each in (ours, reference)
    )
    np.testing.assert_allclose(ours[MEASURED], reference[MEASURED], rtol=1e-9, atol=1e-9)
    assert ours[["recipe", "epochs_run"]].nunique().tolist() == [5, 2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_founding_study_is_that_of_fit_for_all_epochs(engine):
    spec = load_spec(overrides=[DOUBLE])
    ours, reference = (trained(one, spec, seeds=(1,)) for one in (engine, REFERENCE))
    assert_same_runs(ours, reference, tolerance=1e-9)


@pytest.mark.slow
def test_float32_agrees_until_rounding_has_grown(engine):
    spec = load_spec(overrides=["training.epochs=10"])
    ours, reference = (trained(one, spec, seeds=(0, 1, 2)) for one in (engine, REFERENCE))
    assert_same_runs(ours, reference, tolerance=1e-5)


# The gradient of a bias before batch normalisation is rounding alone, which Adam makes a step of.
FLOAT32 = {
    "image": 1e-5,
    "convolution": 1e-5,
    "dropout, classes": 1e-5,
    "noise": 1e-5,
    "batch normalization": 1e-3,
    "masked sequences": 1e-5,
    "token ids": 1e-5,
    "two inputs": 1e-5,
    "token ids and numbers": 1e-5,
    "frozen base": 1e-5,
    "frozen features": 1e-5,
    "pretrained": 1e-5,
}


@pytest.mark.slow
@pytest.mark.parametrize(("case", "tolerance"), FLOAT32.items())
def test_float32_of_any_network_agrees_for_ten_epochs(engine, case, tolerance):
    spec = small_study("training.epochs=10", *SOON, *EAGER, *CASES[case])
    grid = {"variants": spec.variants[2:], "seeds": (0,)}
    ours, reference = (trained(one, spec, **grid) for one in (engine, REFERENCE))
    assert_same_runs(ours, reference, tolerance=tolerance)


@pytest.mark.parametrize("name", engine_names())
def test_a_metric_that_is_monitored_and_not_measured_is_refused(name):
    spec = small_study("training.epochs=2", f"{REDUCE}.monitor=val_auc")
    with pytest.raises(SpecError, match=r"variants.2.reduce_lr.monitor: received 'val_auc'"):
        get_engine(name).train(task(spec, seeds=(0,), engine=name))


@pytest.mark.parametrize("name", engine_names())
def test_progress_rises_to_at_most_one(name):
    shares = []
    spec = small_study("training.epochs=2")
    get_engine(name).train(task(spec, seeds=(0,), engine=name), shares.append)
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


@pytest.mark.parametrize("kind", ["reduction", "early stopping", "monitors the loss"])
@pytest.mark.parametrize("name", engine_names())
def test_runs_without_whole_curves_are_the_same_runs(name: str, kind: str):
    spec = small_study(*SOON, *EAGER, "training.epochs=6", f"{REDUCE}.monitor=val_loss")
    variants = {
        "reduction": (spec.variants[0], spec.variants[2], spec.variants[3]),
        "early stopping": (spec.variants[1], spec.variants[4]),
        "monitors the loss": (
            spec.variants[2].reducing(name="on the loss", monitor="loss"),
            spec.variants[0],
        ),
    }[kind]
    whole, lean = (
        get_engine(name).train(replace(task(spec, engine=name, variants=variants), curves=curves))
        for curves in ("all", "validation")
    )
    pd.testing.assert_frame_equal(*(one.runs.drop(columns="recipe") for one in (whole, lean)))
    assert set(whole.runs["recipe"]).isdisjoint(lean.runs["recipe"])
    kept = ["variant", "seed", "epoch", "loss", "val_loss", "val_accuracy", "learning_rate"]
    pd.testing.assert_frame_equal(whole.epochs[kept], lean.epochs[kept])
    # What is there of the others is what it is with whole curves.
    there = lean.epochs["train_loss"].notna()
    assert there.any()
    np.testing.assert_array_equal(
        whole.epochs.loc[there, ["train_loss", "test_loss"]],
        lean.epochs.loc[there, ["train_loss", "test_loss"]],
    )


def test_the_population_evaluates_only_what_is_read():
    spec = small_study("training.epochs=6")
    wanted = replace(task(spec, variants=(spec.variants[0], spec.variants[2])), curves="validation")
    epochs = get_engine("population").train(wanted).epochs
    assert list(epochs.groupby("epoch")["test_loss"].count()) == [0, 0, 0, 0, 0, 4]
