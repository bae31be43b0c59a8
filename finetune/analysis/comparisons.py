"""The statistics that a report shows, each computed once: contrasts, ranks, the claim's pairs."""

from collections.abc import Sequence

import pandas as pd

from finetune.analysis.runs import count_seeds, finished
from finetune.claims.aa_check import pair_control
from finetune.claims.fit_verdict import FitVerdict
from finetune.spec.claims import ClaimSpec, Margins, MetricClaimSpec
from finetune.spec.study import StudySpec
from finetune.stats.comparison import Contrast, compare
from finetune.stats.pairs import ACCURACIES, LOSSES, PairedRuns, pair_runs
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


def margins_of(spec: StudySpec) -> Margins:
    """Return the margins that contrasts are held to: those of the claim of underfitting."""
    return spec.underfits.margins if spec.underfits else Margins()


def contrasts(spec: StudySpec) -> tuple[Contrast, ...]:
    """Return the family of contrasts, (treatment, control) each, that the study fixes beforehand.

    What the study lists, else the default family.
    """
    return default_contrasts(spec) if spec.contrasts is None else spec.contrasts


def default_contrasts(spec: StudySpec) -> tuple[Contrast, ...]:
    """Return the claims' contrasts, and every other variant against the first that adds nothing.

    Where all variants add something the first variant takes that place.
    """
    bare = [variant.name for variant in spec.variants if variant.bare]
    baseline = bare[0] if bare else spec.variants[0].name
    claimed = [(claim.treatment, claim.control) for claim in spec.claims]
    others = [(variant.name, baseline) for variant in spec.variants if variant.name != baseline]
    # A pair of variants is one contrast, whichever comes first; a claim fixes its direction.
    family: dict[frozenset[str], Contrast] = {}
    for pair in (*claimed, *others):
        family.setdefault(frozenset(pair), pair)
    return tuple(family.values())


def share_of_alpha(spec: StudySpec, seeds: int) -> float:
    """Return the share of alpha that an analysis at so many seeds has: all of it without looks."""
    return next((look.share for look in spec.looks if look.seeds == seeds), 1.0)


def contrast_table(runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Compare the variants of every contrast that the spec fixes; the columns are `compare`'s.

    Where the study has looks, intervals and p-values hold for the look at which it ended: whichever
    look that was, a p-value over the look's share of alpha is at most alpha as rarely as alpha.
    """
    margins = margins_of(spec)
    family = contrasts(spec)
    if not family:
        return pd.DataFrame()
    share = share_of_alpha(spec, count_seeds(runs))
    level = alpha_of(spec) * share
    table = compare(runs, family, margins=margins.by_metric, alpha=level, seed=_FLIPS)
    adjusted = [name for name in table.columns if name.startswith("p_") or name == "p"]
    return table.assign(**{name: (table[name] / share).clip(upper=1.0) for name in adjusted})


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
    level = alpha_of(spec) * share_of_alpha(spec, count_seeds(runs))
    return tuple(rank(runs, names, metric=metric, alpha=level) for metric in measured)


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
    """Return the differences behind the verdicts, a row a pair of runs that did not fail.

    Columns: claim (its name), comparison (its two variants, or its control against the replicate of
    that), seed, and a column for every metric that was measured: first minus second, in the
    metric's own units.
    """
    if finished(runs).empty:
        return pd.DataFrame()
    tables = [
        table.assign(claim=spec.claim_name(claim))
        for claim in spec.claims
        for table in _claim_pairs(runs, claim, replicate=replicate_of(spec, claim, replicate))
    ]
    if not tables:
        return pd.DataFrame()
    together = pd.concat(tables, ignore_index=True)
    return together.loc[:, ["claim", *together.columns.drop("claim")]]


def replicate_of(
    spec: StudySpec, claim: ClaimSpec, replicate: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Return the replicate of a claim's control: there is one of the first claim's alone."""
    return replicate if spec.claim and claim.control == spec.claim.control else None


def claim_power(verdict: FitVerdict, spec: StudySpec) -> DetectableEffect:
    """Return what the study's seeds can detect, with the spread that the runs have."""
    sides = [side for side in verdict.comparisons if verdict.n > 1]
    return detectable_effect(
        spec.n_seeds,
        alpha=verdict.alpha,
        deviations={side.metric: side.difference.sd for side in sides},
        margins=margins_of(spec).by_metric,
    )


def _claim_pairs(
    runs: pd.DataFrame, claim: ClaimSpec, *, replicate: pd.DataFrame | None
) -> list[pd.DataFrame]:
    metrics = [claim.metric] if isinstance(claim, MetricClaimSpec) else []
    paired = pair_runs(runs, (claim.treatment, claim.control))
    tables = [_differences(paired, metrics, comparison=CLAIM)]
    if replicate is not None and not replicate.empty:
        again = pair_control(runs, replicate, claim.control)
        tables.append(_differences(again, metrics, comparison=SAME_AGAIN))
    return tables


def _differences(paired: PairedRuns, metrics: list[str], *, comparison: str) -> pd.DataFrame:
    measured = [name for name in (*ACCURACIES, *metrics) if paired.measures([name])]
    columns = {name: paired.difference(name) for name in dict.fromkeys([*LOSSES, *measured])}
    return pd.DataFrame({"comparison": comparison, "seed": paired.seeds, **columns})
