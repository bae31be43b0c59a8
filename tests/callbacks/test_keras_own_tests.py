"""Keras's own tests of `ReduceLROnPlateau`, run with `DelayedReduceLROnPlateau` in its place."""

import unittest
from types import SimpleNamespace

import keras
import pytest
from absl import logging
from keras.src.callbacks import reduce_lr_on_plateau_test as keras_tests

from finetune import DelayedReduceLROnPlateau

NAMES = unittest.defaultTestLoader.getTestCaseNames(keras_tests.ReduceLROnPlateauTest)


class NeverWatching(DelayedReduceLROnPlateau):
    def on_epoch_end(self, epoch, logs=None):
        pass


@pytest.fixture(autouse=True)
def logging_restored():
    """Keras's tests turn its messages to the log and do not turn them back."""
    interactive, verbosity = keras.config.is_interactive_logging_enabled(), logging.get_verbosity()
    yield
    logging.set_verbosity(verbosity)
    if interactive:
        keras.config.enable_interactive_logging()


def run(name: str) -> unittest.TestResult:
    result = unittest.TestResult()
    keras_tests.ReduceLROnPlateauTest(name).run(result)
    assert (result.testsRun, result.skipped) == (1, [])
    return result


def substitute(monkeypatch, callback) -> None:
    monkeypatch.setattr(keras_tests, "callbacks", SimpleNamespace(ReduceLROnPlateau=callback))


@pytest.mark.parametrize("name", NAMES)
def test_passes(name, monkeypatch):
    substitute(monkeypatch, DelayedReduceLROnPlateau)
    result = run(name)
    assert result.wasSuccessful(), result.errors + result.failures


def test_what_is_substituted_is_what_they_test(monkeypatch):
    substitute(monkeypatch, NeverWatching)
    assert "test_cooldown" in NAMES
    assert not run("test_cooldown").wasSuccessful()
