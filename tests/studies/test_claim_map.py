"""The claim map end to end: every setting judged from real training, resumed without training."""

import pandas as pd
import pytest

from finetune.errors import SpecError
from finetune.execution.training import Options
from finetune.planning.claim_map import GridPoint
from finetune.studies.claim_map import map_claim
from tests.made_runs import Recorded
from tests.small_studies import small_study

GRID = (
    "map.factor=[0.1, 0.5]",
    "map.patience=[1]",
    "map.delay=[6, 40]",
    "map.seeds=3",
    "variants.2.reduce_lr.patience=1",
)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    return map_claim(small_study(*GRID), tmp_path_factory.mktemp("map"))


def test_every_setting_has_its_cell(mapped):
    cells = mapped.table[["factor", "patience", "delay"]].to_numpy().tolist()
    assert cells == [[0.1, 1, 6], [0.1, 1, 40], [0.5, 1, 6], [0.5, 1, 40]]
    assert set(mapped.table["n"]) == {3}


def test_what_is_written_is_what_was_judged(mapped):
    written = pd.read_csv(mapped.folder / "tables" / "claim_map.csv")
    assert written["verdict"].tolist() == mapped.table["verdict"].tolist()
    report = (mapped.folder / "report.md").read_text()
    assert "figures/claim_map.svg" in report
    assert (mapped.folder / "figures" / "claim_map.svg").stat().st_size > 0
    for verdict, count in mapped.table["verdict"].value_counts().items():
        assert f"{verdict} in {count}" in report


def test_a_second_map_trains_nothing(mapped):
    recorded = Recorded()
    again = map_claim(
        mapped.spec,
        mapped.folder,
        options=Options(progress=recorded),
    )
    # Per seed one treatment a factor, and a control a factor and delay.
    assert recorded.counts == [(3 * 6, 0)]
    pd.testing.assert_frame_equal(again.table, mapped.table, check_exact=True)


def test_a_study_without_a_claim_has_no_map(tmp_path):
    spec = small_study().model_copy(update={"claims": ()})
    with pytest.raises(SpecError, match=r"claims: none of the kind .*add \[\[claims\]\]"):
        map_claim(spec, tmp_path)


def test_cells_keep_what_the_grid_does_not_change():
    spec = small_study("variants.2.reduce_lr.cooldown=2", "variants.3.reduce_lr.min_lr=0.001")
    assert spec.claim is not None
    treatment, control = GridPoint(0.3, 4, 7).variants(spec, spec.claim)
    assert treatment.reduce_lr is not None
    assert control.reduce_lr is not None
    assert (treatment.reduce_lr.cooldown, control.reduce_lr.min_lr) == (2, 0.001)
    starts = (treatment.reduce_lr.start_from_epoch, control.reduce_lr.start_from_epoch)
    assert starts == (0, 7)


def test_a_claim_of_schedules_has_no_map(tmp_path):
    spec = small_study("variants.2={name = 'LR reduction from epoch 0', schedule.kind = 'cosine'}")
    with pytest.raises(SpecError, match="has schedule; allowed in a map are variants with"):
        map_claim(spec, tmp_path)


def test_a_claim_about_other_than_lr_reduction_has_no_map(tmp_path):
    with pytest.raises(
        SpecError, match=r"claims: the control 'no callbacks' has no reduce_lr; allowed"
    ):
        map_claim(small_study("claims.0.control='no callbacks'"), tmp_path)
