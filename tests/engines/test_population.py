"""The population engine against itself: sharing, chunks and neighbours change no number."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from finetune.engines.keras_fit import KerasEngine
from finetune.engines.population import PopulationEngine
from finetune.engines.population.graph import PopulationGraph
from finetune.engines.population.operations.convolution import grouped_convolutions_work
from finetune.engines.problem import Problem
from finetune.errors import EngineError
from finetune.models.precision import precision
from tests.small_studies import small_study, task

EAGER = ("variants.2.reduce_lr.patience=1", "variants.3.reduce_lr.start_from_epoch=4")
STATEFUL = "model.factory=tests.engines.networks:"


def one_run(frames, variant, seed):
    return [
        table[(table["variant"] == variant) & (table["seed"] == seed)]
        .drop(columns=["recipe", "variant"])
        .reset_index(drop=True)
        for table in (frames.runs, frames.epochs)
    ]


def assert_bit_equal(ours, others):
    for mine, other in zip(ours, others, strict=True):
        pd.testing.assert_frame_equal(mine, other, check_exact=True)


@pytest.fixture(scope="module")
def engine():
    return PopulationEngine()


@pytest.fixture(scope="module")
def spec():
    return small_study(*EAGER)


@pytest.fixture(scope="module")
def together(engine, spec):
    return engine.train(task(spec, seeds=range(7)))


def test_sharing_rows_changes_no_bit(spec, together):
    alone = PopulationEngine(share=False).train(task(spec, seeds=range(7)))
    assert_bit_equal(together[:2], alone[:2])
    assert together.rows_trained < alone.rows_trained == 7 * 5 * 12 - _epochs_saved(alone)


def test_a_network_may_leave_the_number_of_features_open():
    spec = small_study(*EAGER, STATEFUL + "flexible", "training.epochs=2")
    ours, reference = (
        engine.train(task(spec, seeds=(0,), engine=name, variants=spec.variants[:1])).epochs
        for name, engine in (("population", PopulationEngine()), ("keras", KerasEngine()))
    )
    losses = ["train_loss", "val_loss", "test_loss"]
    np.testing.assert_allclose(ours[losses], reference[losses], rtol=1e-4)


def test_frozen_weights_are_held_once_for_all_rows():
    def stacked(network: str) -> tuple[int, int]:
        spec = small_study(STATEFUL + network)
        with precision("float32"):
            graph = PopulationGraph(Problem(spec))
            state = graph.start([graph.initial_values(seed, replicate=0) for seed in range(3)])
        return sum(int(np.prod(t.shape)) for t in state.others), graph.bytes_of_state()

    (loaded, more), (frozen, fewer) = stacked("loaded"), stacked("frozen_base")
    # The moving statistics of 8 units; frozen, these do not move either.
    assert (loaded, frozen) == (3 * 2 * 8, 0)
    assert fewer < more


def _epochs_saved(frames):
    return int((12 - frames.runs["epochs_run"]).sum())


@pytest.mark.parametrize(
    "network", [pytest.param("dropout", marks=pytest.mark.slow), "batch_normalization"]
)
def test_sharing_rows_changes_no_bit_of_random_or_moving_state(network):
    spec = small_study(*EAGER, STATEFUL + network, "training.epochs=8")
    shared, alone = (PopulationEngine(share=s).train(task(spec)) for s in (True, False))
    assert_bit_equal(shared[:2], alone[:2])


def test_a_run_does_not_depend_on_the_runs_beside_it(engine, spec, together):
    for seeds, variants in [((3,), spec.variants), ((6, 3), spec.variants[::-1])]:
        fewer = engine.train(task(spec, seeds=seeds, variants=variants))
        for variant in variants:
            expected = one_run(together, variant.name, 3)
            assert_bit_equal(one_run(fewer, variant.name, 3), expected)


def test_little_memory_splits_a_task_and_changes_no_bit(engine, spec, together):
    shares = []
    small = replace(task(spec, seeds=range(7)), memory=200_000)
    assert_bit_equal(engine.train(small, shares.append)[:2], together[:2])
    assert shares == sorted(shares)
    assert len(shares) > 2 * spec.training.epochs


def test_a_single_run_is_the_same_alone(engine, spec, together):
    for variant in spec.variants[1:3]:
        alone = engine.train(task(spec, seeds=(2,), variants=(variant,)))
        assert_bit_equal(one_run(alone, variant.name, 2), one_run(together, variant.name, 2))


def test_the_same_task_twice_gives_the_same_bits(spec, together):
    assert_bit_equal(PopulationEngine().train(task(spec, seeds=range(7)))[:2], together[:2])


def test_runs_share_a_row_until_their_learning_rates_differ(engine):
    spec = small_study("training.epochs=6", "variants.3.reduce_lr.start_from_epoch=50")
    frames = engine.train(task(spec, variants=(spec.variants[0], spec.variants[3])))
    assert frames.rows_trained == 2 * 6


def test_another_batch_order_changes_the_order_alone(engine, spec, together):
    again = engine.train(task(spec, seeds=range(7), replicate=1))
    both = again.epochs.merge(together.epochs, on=["variant", "seed", "epoch"])
    assert (both["train_loss_x"] != both["train_loss_y"]).mean() > 0.9
    assert set(again.runs["recipe"]).isdisjoint(together.runs["recipe"])


def test_a_run_that_turns_nan_harms_no_neighbour(engine):
    calm = small_study("variants.2.reduce_lr.patience=1")
    # A rate that no cut ever lowers enough: only seeds whose loss overflows fail.
    wild = small_study(
        "training.optimizer={name='sgd', learning_rate=1.5}",
        "training.loss=mean_squared_error",
        "claims=[]",
        "data.source=make_regression",
        "data.args={n_samples=80, n_features=10, noise=5.0, random_state=1}",
        "data.scale_target=false",
        "variants.2.reduce_lr={factor=0.05, patience=1, min_delta=1e9}",
        "training.epochs=4",
    )
    failing = engine.train(task(wild, seeds=range(3)))
    assert (failing.runs["status"] == "failed").any()
    for seed in range(3):
        alone = engine.train(task(wild, seeds=(seed,)))
        for variant in wild.variants:
            assert_bit_equal(
                one_run(alone, variant.name, seed), one_run(failing, variant.name, seed)
            )
    assert (engine.train(task(calm)).runs["status"] == "ok").all()


def test_data_that_varies_is_each_seeds_own(engine):
    spec = small_study("vary=['data', 'split']", "training.epochs=3")
    frames = engine.train(task(spec, seeds=(4, 9)))
    alone = engine.train(task(spec, seeds=(9,)))
    variant = spec.variants[0].name
    assert_bit_equal(one_run(frames, variant, 9), one_run(alone, variant, 9))
    assert frames.runs["train_loss"].nunique() > 1


@pytest.mark.parametrize(
    "arguments", ["{use_ema=true}", "{gradient_accumulation_steps=2}"], ids=str
)
def test_an_optimizer_that_cannot_be_exact_is_refused_by_name(engine, arguments):
    spec = small_study(f"training.optimizer={{name='adam', args={arguments}}}")
    with pytest.raises(EngineError, match=r"training\.optimizer\.args.*--engine keras"):
        engine.train(task(spec))


def test_initial_weights_and_orders_are_those_of_the_seed(engine, spec, together):
    first = together.epochs.query("epoch == 0").groupby("seed", observed=True)["train_loss"]
    assert (first.nunique() == 1).all()
    assert np.unique(first.first()).size == 7


def test_what_is_not_vectorised_is_told_in_one_short_sentence_and_nowhere_else(caplog, capfd):
    spec = small_study(STATEFUL + "volume", "training.epochs=1")
    (note,) = PopulationEngine().train(task(spec, seeds=(0,))).notes
    assert note.startswith("some of this model is computed run by run")
    assert note.endswith("vectorise Conv3D in the layer 'volume' (Conv3D)")
    assert len(note) < 180
    assert not [record for record in caplog.records if record.name == "tensorflow"]
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


@pytest.mark.parametrize(
    "network", ["dropout", pytest.param("lstm", marks=pytest.mark.slow), "image"]
)
def test_usual_layers_are_vectorised(network):
    if network == "image" and not grouped_convolutions_work("float32"):
        pytest.skip("this machine has no grouped convolutions")
    spec = small_study(STATEFUL + network, "training.epochs=1")
    assert PopulationEngine().train(task(spec, seeds=(0,))).notes == ()
