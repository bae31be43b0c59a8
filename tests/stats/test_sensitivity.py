import numpy as np
import pytest

from finetune.stats.sensitivity import sign_flip, signed_rank, win_rate


def test_wilcoxon_with_few_ties_and_zeros_counts_every_pattern():
    # Signs of 1, 1, 2 and nothing else: 2 of 8 patterns are as extreme.
    found = signed_rank(np.array([1.0, 0.0, 1.0, 2.0, 0.0]))
    assert (found.p, found.method) == (0.25, "exact, with ties")
    assert signed_rank(np.zeros(30)).p == 1.0


def test_five_pairs_cannot_reach_a_twentieth():
    assert signed_rank(np.arange(1.0, 6.0)).p == 0.0625


def test_sign_flips_are_exact_while_few_and_repeatable_when_many():
    assert sign_flip(np.array([0.1, 0.2, 0.4]), seed=0) == 0.25
    many = np.random.default_rng(0).normal(0.3, 1, 40)
    assert sign_flip(many, seed=1) == sign_flip(many, seed=1)
    assert sign_flip(many, seed=1) == pytest.approx(sign_flip(many, seed=2), abs=0.02)
    assert sign_flip(np.zeros(40), seed=1) == 1.0


def test_ties_stand_apart_from_wins():
    found = win_rate(np.array([-1.0, -1.0, 1.0, 0.0]), alpha=0.05)
    assert (found.wins, found.losses, found.ties) == (2, 1, 1)
    assert found.rate == pytest.approx(2 / 3)
