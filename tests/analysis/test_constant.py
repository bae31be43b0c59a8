"""Runs against a constant prediction, and their errors in the target's own unit."""

import numpy as np
import pytest

from finetune.analysis.constant import no_better
from finetune.analysis.runs import tidy_runs
from finetune.data.reading import ColumnReading, TableReading
from finetune.data.summary import Baselines, DataSummary
from finetune.models.summary import NetworkSummary
from finetune.store.manifest import Manifest
from tests.made_study import make_study
from tests.report.made_report import made_manifest

SEEDS = 4


def manifest(*, test=(0.5,), constant="mean", task="regression", penalised=False) -> Manifest:
    """Make a manifest that knows what a constant reaches on the test rows."""
    reading = TableReading(ColumnReading("y", "number"), ())
    return made_manifest(
        data=DataSummary(task, "it is", (), (), reading),
        baselines=Baselines(constant, test, test, test),
        network=NetworkSummary((), 3, 0, penalised=penalised),
    )


@pytest.fixture
def runs():
    study = make_study(seeds=SEEDS, failed=(("both", 1),))
    return tidy_runs(study.runs, study.spec)


def losses_of(runs, variant):
    ok = runs[(runs["variant"] == variant) & (runs["status"] == "ok")]
    return ok["test_loss"].to_numpy(), ok["seed"].to_numpy()


def test_a_variant_is_named_where_its_mean_is_no_lower_than_the_constant_s(runs):
    means = {name: losses_of(runs, name)[0].mean() for name in runs["variant"].cat.categories}
    between = float(np.mean(sorted(means.values())[-2:]))
    found = no_better(runs, manifest(test=(between,)))
    assert [name for name, _ in found.variants] == [max(means, key=lambda name: means[name])]
    assert found.variants[0][1] == pytest.approx(max(means.values()))
    assert found.loss == pytest.approx(between)
    assert no_better(runs, manifest(test=(max(means.values()) + 1e-6,))) is None
    assert no_better(runs, manifest(test=(max(means.values()),))) is not None


def test_seeds_with_rows_of_their_own_are_compared_with_their_own_constant(runs):
    loss, seeds = losses_of(runs, "both")
    assert len(seeds) == SEEDS - 1
    # Lower by 1 at the seed whose run failed: it is in neither mean.
    constants = np.full(SEEDS, 10.0)
    constants[seeds] = loss
    found = no_better(runs, manifest(test=tuple(constants)))
    assert dict(found.variants)["both"] == pytest.approx(loss.mean())


@pytest.mark.parametrize(
    "unknown",
    [
        None,
        manifest(constant=None, test=()),
        manifest(penalised=True, test=(0.0,)),
        manifest(test=()),
    ],
    ids=["no manifest", "no formula", "penalised", "no seeds"],
)
def test_where_the_constant_s_loss_is_not_known_nobody_is_warned(runs, unknown):
    assert no_better(runs, unknown) is None
