"""What a kind of claim must do to be judged and reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from finetune.claims.verdict import Verdict
from finetune.spec.study import StudySpec


@dataclass(frozen=True)
class End:
    """An end of a margin that a mean worsening is tested against.

    Attributes:
        value: In the units of the worsening.
        above, below: The shares of alpha that are spent on finding the mean there.
    """

    value: float
    above: float = 1.0
    below: float = 1.0


class ClaimKind(Protocol):
    """One kind of claim: the rule that decides it, and the words that only this kind needs.

    The words are rendered from the verdict alone and compute nothing. What holds for claims of
    every kind (seeds excluded, what varied) stands in `finetune.claims.words`. A kind is given the
    claims and verdicts that are its own.
    """

    @property
    def name(self) -> str:
        """The name under which the registry has it, and a study file names it."""
        ...

    def judge(
        self,
        runs: pd.DataFrame,
        claim: Any,
        *,
        spec: StudySpec,
        replicate: pd.DataFrame | None = None,
        seeds: Iterable[int] | None = None,
    ) -> Verdict:
        """Judge a claim of this kind from the runs of its study.

        Args:
            runs: A row a run: `variant, seed, status`, metrics and `first_reduction_epoch`.
            claim: The claim.
            spec: The study that makes it.
            replicate: The control's runs under another batch order, for the A/A check.
            seeds: The seeds that must be there; by default every seed of `runs`.

        Raises:
            SpecError: the claim's metric was not measured.
            RunsError: a run is missing or there twice, or a value is missing.
        """
        ...

    def ends(self, verdict: Any) -> tuple[End, ...]:
        """Return the end of the margin that decides, for each of the verdict's comparisons."""
        ...

    def statement(self, verdict: Any) -> str:
        """Return what the verdict says of the two variants: a main clause, no full stop."""
        ...

    def evidence(self, verdict: Any) -> tuple[str, ...]:
        """Return sentences on what else the verdict rests on."""
        ...

    def objections(self, verdict: Any) -> tuple[str, ...]:
        """Return sentences on what speaks against relying on the verdict."""
        ...
