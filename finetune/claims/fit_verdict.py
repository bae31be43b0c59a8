"""The verdict on whether a treatment underfits, as data."""

from dataclasses import dataclass
from typing import Literal

from finetune.claims.aa_check import AACheck
from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.metric_comparison import MetricComparison
from finetune.claims.verdict import Verdict

Agreement = Literal["agree", "open", "disagree"]


@dataclass(frozen=True, kw_only=True)
class FitVerdict(Verdict):
    """The answer to whether a treatment underfits.

    Attributes:
        lr_alone: Whether the two variants differ in LR policies alone, so that a seed tests the
            claim where the treatment changed its LR first; else where the two runs differ.
        primary: By losses, which decide.
        secondary: By accuracies; None where they were not measured.
        agreement: "disagree" where no outcome fits both, "agree" where they are decided alike, and
            "open" where only one is decided.
        same_again: The A/A check; None where the control was not trained again.
    """

    lr_alone: bool
    primary: FitOutcome
    secondary: FitOutcome | None
    agreement: Agreement | None
    same_again: AACheck | None

    @property
    def comparisons(self) -> tuple[MetricComparison, ...]:
        """What the verdict rests on: training and test loss."""
        return self.primary.train, self.primary.test


def agreement(primary: FitOutcome, secondary: FitOutcome) -> Agreement:
    """Return whether the outcomes of two metrics of the same runs contradict each other."""
    if not set(primary.cells) & set(secondary.cells):
        return "disagree"
    return "agree" if primary.verdict == secondary.verdict else "open"
