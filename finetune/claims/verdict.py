"""The verdict on a study's claim, as data: numbers, rule and reason, from which prose is made."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from finetune.claims.aa_check import AACheck
from finetune.claims.fit_outcome import FitOutcome
from finetune.spec.claims import VerdictName
from finetune.stats.pairs import ExcludedRun

Agreement = Literal["agree", "open", "disagree"]


@dataclass(frozen=True)
class Verdict:
    """The answer to a study's claim.

    `primary` is judged on losses, `secondary` on accuracies (None where none was measured), both
    by the same rule; `agreement` is "disagree" where no outcome fits both, "agree" where they are
    decided alike, and "open" where only one is decided. `delay_ends` is the epoch, counted from 0,
    before which the treatment's first cut tests the claim (None: any cut does). `seeds_needed` are
    the seeds in all that would settle it, were the observed means the true ones; `seeds_missing`
    how many of them are still to be run while the verdict is inconclusive. `same_again` is the A/A
    check, `kind` the name of the claim's kind in the registry.
    """

    verdict: VerdictName
    label: str
    reason: str
    rule: str
    treatment: str
    control: str
    alpha: float
    n: int
    exploratory: bool
    excluded: tuple[ExcludedRun, ...]
    cut_seeds: int
    cut_share: float
    delay_ends: int | None
    seeds_needed: int | None
    seeds_missing: int | None
    primary: FitOutcome
    secondary: FitOutcome | None
    agreement: Agreement | None
    same_again: AACheck | None
    stops_early: tuple[str, ...]
    vary: tuple[str, ...]
    kind: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and scalars; a number that is not finite is None."""
        fields = asdict(self)
        # A study file names no kind yet, so neither does verdict.json.
        del fields["kind"]
        return _plain(fields)

    def to_json(self) -> str:
        """Return the verdict as JSON, its keys in the order of the fields."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def agreement(primary: FitOutcome, secondary: FitOutcome) -> Agreement:
    """Return whether the outcomes of two metrics of the same runs contradict each other."""
    if not set(primary.cells) & set(secondary.cells):
        return "disagree"
    return "agree" if primary.verdict == secondary.verdict else "open"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    # JSON has no infinity and no NaN.
    return None if isinstance(value, float) and not math.isfinite(value) else value
