"""The statistics that a report shows, each computed once: contrasts, ranks, the claim's pairs."""

from collections.abc import Sequence

import pandas as pd

from finetune.analysis.runs import finished
from finetune.claims.verdict import Verdict
from finetune.spec.claims import Margins
from finetune.spec.study import StudySpec
from finetune.stats.comparison import Contrast, compare
from finetune.stats.pairs import ACCURACIES, LOSSES, pair_runs
from finetune.stats.power import DetectableEffect, detectable_effect
from finetune.stats.ranks import Ranking, rank

RANKED = ("train_loss", "test_loss", "test_accuracy")

# Columns of p-values of the tests that a contrast has, uncorrected.
TESTS = ("p", "p_wilcoxon", "p_sign_flip")

# What a pair of runs is: the claim's two arms, or the control and its replicate.
CLAIM, SAME_AGAIN = "treatment minus control", "control again minus control"

_ALPHA = 0.05
_FLIPS = 0  # seeds the random sign flips: a report of the same runs is the same report


def alpha_of(spec: StudySpec) -> float:
    """Return the level of the tests: the claim's, else 0.05."""
    return spec.claim.alpha if spec.claim else _ALPHA


def contrasts(spec: StudySpec) -> tuple[Contrast, ...]:
    """Return the family of contrasts, (treatment, control) each, that the study fixes beforehand.

    What the claim lists, else the default family.
    """
    listed = spec.claim.contrasts if spec.claim else None
    return default_contrasts(spec) if listed is None else listed


def default_contrasts(spec: StudySpec) -> tuple[Contrast, ...]:
    """Return the claim's contrast, and every other variant against the first without policies.

    Where all variants have policies the first variant takes that place.
    """
    bare = [variant.name for variant in spec.variants if variant.bare]
    baseline = bare[0] if bare else spec.variants[0].name
    claim = [(spec.claim.treatment, spec.claim.control)] if spec.claim else []
    others = [(variant.name, baseline) for variant in spec.variants if variant.name != baseline]
    # A pair of variants is one contrast, whichever comes first; the claim fixes its direction.
    return (*claim, *(pair for pair in others if set(pair) not in map(set, claim)))


def contrast_table(runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Compare the variants of every contrast that the spec fixes; the columns are `compare`'s."""
    margins = spec.claim.margins if spec.claim else Margins()
    family = contrasts(spec)
    if not family:
        return pd.DataFrame()
    return compare(runs, family, margins=margins.model_dump(), alpha=alpha_of(spec), seed=_FLIPS)


def disagreements(contrasts: pd.DataFrame, *, alpha: float) -> pd.DataFrame:
    """Keep the contrasts in which the three tests fall on both sides of alpha."""
    if contrasts.empty:
        return contrasts
    below = contrasts[list(TESTS)] < alpha
    return contrasts.loc[below.any(axis="columns") & ~below.all(axis="columns")]


def rankings(runs: pd.DataFrame, spec: StudySpec) -> tuple[Ranking, ...]:
    """Rank the variants in each metric; nothing where no seed has a finished run of each."""
    names = [variant.name for variant in spec.variants]
    complete = pair_runs(runs, names)
    if not complete.seeds or len(names) < 2:
        return ()
    measured = [metric for metric in RANKED if complete.measures([metric])]
    return tuple(rank(runs, names, metric=metric, alpha=alpha_of(spec)) for metric in measured)


def rank_table(ranked: Sequence[Ranking]) -> pd.DataFrame:
    """Return a row a metric and variant: metric, variant, n, average_rank, friedman, p_friedman.

    Best first within a metric. `groups` numbers the sets of variants that pairwise tests do not
    separate, and lists those that the variant is in.
    """
    rows = [
        {
            "metric": ranking.metric,
            "variant": variant,
            "n": ranking.n,
            "average_rank": average,
            "friedman": ranking.friedman,
            "p_friedman": ranking.p_friedman,
            "groups": " ".join(
                str(place) for place, group in enumerate(ranking.groups, 1) if variant in group
            ),
        }
        for ranking in ranked
        for variant, average in ranking.average.items()
    ]
    return pd.DataFrame(rows)


def pair_table(
    runs: pd.DataFrame, spec: StudySpec, *, replicate: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the differences behind the verdict, a row a pair of runs that did not fail.

    Columns: comparison (the claim, or the control against its replicate), seed, and a column for
    every metric that was measured: first minus second, in the metric's own units.
    """
    claim = spec.claim
    if claim is None or finished(runs).empty:
        return pd.DataFrame()
    tables = [_pairs(runs, (claim.treatment, claim.control), comparison=CLAIM)]
    if replicate is not None and not replicate.empty:
        again = f"{claim.control} (another batch order)"
        first = runs.loc[(runs["variant"] == claim.control) & runs["seed"].isin(replicate["seed"])]
        both = pd.concat([first.astype({"variant": str}), replicate.assign(variant=again)])
        tables.append(_pairs(both, (again, claim.control), comparison=SAME_AGAIN))
    return pd.concat(tables, ignore_index=True)


def claim_power(verdict: Verdict, spec: StudySpec) -> DetectableEffect:
    """Return what the study's seeds can detect, with the spread that the runs have."""
    sides = [side for side in (verdict.primary.train, verdict.primary.test) if verdict.n > 1]
    return detectable_effect(
        spec.seeds,
        alpha=verdict.alpha,
        deviations={side.metric: side.difference.sd for side in sides},
        margins=spec.claim.margins.model_dump() if spec.claim else {},
    )


def _pairs(runs: pd.DataFrame, variants: tuple[str, str], *, comparison: str) -> pd.DataFrame:
    paired = pair_runs(runs, variants)
    metrics = [*LOSSES, *(name for name in ACCURACIES if paired.measures([name]))]
    columns = {metric: paired.difference(metric) for metric in metrics}
    return pd.DataFrame({"comparison": comparison, "seed": paired.seeds, **columns})
