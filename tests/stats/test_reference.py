"""Reference values from R 4.2.2 Patched (2022-11-10 r83330), the commands beside the numbers.

R is not needed to run these. Its input:

    a <- c(0.212,0.205,0.231,0.198,0.224,0.219,0.208,0.227,0.215,0.203)
    b <- c(0.201,0.199,0.215,0.196,0.209,0.214,0.205,0.211,0.207,0.204)
    c <- c(0.206,0.208,0.211,0.201,0.222,0.208,0.202,0.216,0.210,0.199)
"""

import numpy as np
import pytest

from finetune.stats.multiple_testing import benjamini_yekutieli, holm
from finetune.stats.paired import describe
from finetune.stats.ranks import friedman
from finetune.stats.sensitivity import signed_rank, win_rate

A = np.array([0.212, 0.205, 0.231, 0.198, 0.224, 0.219, 0.208, 0.227, 0.215, 0.203])
B = np.array([0.201, 0.199, 0.215, 0.196, 0.209, 0.214, 0.205, 0.211, 0.207, 0.204])
C = np.array([0.206, 0.208, 0.211, 0.201, 0.222, 0.208, 0.202, 0.216, 0.210, 0.199])


def near(value: object) -> object:
    return pytest.approx(value, abs=1e-10, rel=1e-10)


def test_paired_t():
    found = describe(A - B, "train_loss", alpha=0.05)
    # c(mean(a-b), sd(a-b)); the bounds are Student's where no long tail is to be feared, and
    # `test_t_test` has those where one is.
    assert (found.mean, found.sd) == near((0.0081000000000000048, 0.0061544924874255696))


@pytest.mark.parametrize(
    ("differences", "p", "method"),
    [
        # wilcox.test(c(...), exact=TRUE)$p.value
        (
            [0.0113, 0.0061, 0.0162, -0.0021, 0.0152, 0.0049, -0.0033, 0.0158, 0.0077, -0.0012],
            0.02734375,
            "exact",
        ),
        ([0.0113, 0.0061, 0.0162, -0.0021, 0.0152, 0.0049, -0.0033], 0.078125, "exact"),
        (
            [
                *(0.31, -0.12, 0.44, 0.27, -0.05, 0.58, 0.16, -0.22, 0.39, 0.71),
                *(0.08, -0.35, 0.49, 0.13, 0.62, -0.19, 0.24, 0.53, 0.03, -0.41),
            ],
            0.029575347900390625,
            "exact",
        ),
        # wilcox.test(c(...), exact=FALSE, correct=TRUE)$p.value
        (
            [1, 1, 2, 2, -1, 3, 1, 2, -2, 1, 1, 3, -1, 2, 1],
            0.02187652222090284,
            "normal approximation",
        ),
    ],
)
def test_wilcoxon(differences: list[float], p: float, method: str):
    found = signed_rank(np.array(differences, dtype=float))
    assert found.p == near(p)
    assert found.method == method


def test_holm():
    # p.adjust(c(0.01,0.04,0.03,0.005,0.5), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005, 0.5]) == near([0.04, 0.09, 0.09, 0.025, 0.5])


def test_false_discovery_is_that_of_benjamini_and_yekutieli():
    # p.adjust(c(0.01,0.04,0.03,0.005,0.5,0.2), "BY")
    adjusted = benjamini_yekutieli([0.01, 0.04, 0.03, 0.005, 0.5, 0.2])
    assert adjusted == near([0.0735, 0.147, 0.147, 0.0735, 1.0, 0.588])


def test_friedman():
    # f <- friedman.test(cbind(a,b,c)); c(f$statistic, f$p.value)
    assert friedman(np.stack([A, B, C], axis=1)) == near((7.8, 0.020241911445804391))
    # friedman.test(matrix(c(1,2,2, 3,1,2, 2,2,2, 1,3,3, 1,2,3, 2,1,3), ncol=3, byrow=TRUE))
    tied = np.array([[1, 2, 2], [3, 1, 2], [2, 2, 2], [1, 3, 3], [1, 2, 3], [2, 1, 3]])
    assert friedman(tied) == near((3.1111111111111112, 0.21107208779109021))


def test_win_rate():
    # t <- binom.test(7, 9); c(t$estimate, t$conf.int)
    found = win_rate(np.array([-1.0] * 7 + [1.0] * 2 + [0.0] * 3), alpha=0.05)
    assert (found.wins, found.losses, found.ties) == (7, 2, 3)
    expected = (0.77777777777777779, 0.39990642628368789, 0.97185502652210176)
    assert (found.rate, found.low, found.high) == near(expected)
    # binom.test(0, 12)$conf.int
    never = win_rate(np.ones(12), alpha=0.05)
    assert (never.rate, never.low, never.high) == near((0.0, 0.0, 0.26464846939705111))
