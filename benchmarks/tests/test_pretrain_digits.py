"""The files of the studies `transfer` and `images` are those that their script describes."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from benchmarks.pretrain_digits import architecture, small_cnn
from finetune.data.splits import load_splits
from finetune.models.initial_values import SeededModel
from finetune.models.network import build_model
from finetune.spec.study_file import shipped_studies
from finetune.studies.load import load_spec


def test_the_network_of_images_is_that_of_the_script():
    assert (shipped_studies() / "digits-cnn.json").read_text() == architecture()


def test_the_rows_of_transfer_are_the_digits_from_5_on():
    x, y = load_digits(return_X_y=True)
    splits = load_splits(load_spec("transfer").data, 0)
    parts = (splits.train, splits.val, splits.test)
    assert [len(part.y) for part in parts] == [100, 100, 696]
    assert splits.classes == ("5", "6", "7", "8", "9")
    for part in parts:
        assert isinstance(part.x, np.ndarray)
        np.testing.assert_array_equal(part.x.reshape(-1, 64), x[y > 4][part.index])
        np.testing.assert_array_equal(part.y + 5, y[y > 4][part.index])


@pytest.mark.parametrize(
    ("variant", "kept"),
    [
        ("from scratch", []),
        ("frozen base", ["conv_a", "conv_b"]),
        ("fine-tuned", ["conv_a", "conv_b", "hidden"]),
    ],
)
def test_a_variant_of_transfer_keeps_what_it_says_but_never_the_head(variant, kept):
    study = load_spec("transfer")
    spec = study.resolve(study.variant(variant))
    training = spec.training.model_copy(update={"loss": "sparse_categorical_crossentropy"})
    seeded = SeededModel(
        lambda: build_model(spec.model, training, shape=(8, 8, 1), n_classes=5), spec.model
    )
    assert seeded.loaded.loaded_layers == ["conv_a", "conv_b", "hidden"]
    assert seeded.loaded.kept_layers == kept
    twin = small_cnn(5)
    assert [v.shape for v in seeded.model.variables] == [v.shape for v in twin.variables]
