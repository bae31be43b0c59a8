"""The analysis of a study: every table, curve, verdict and check, computed once, as data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import pandas as pd

from finetune.analysis.accumulation import accumulation_table
from finetune.analysis.budgets import budget_table, cost_table, loss_by_budget, time_table
from finetune.analysis.callbacks import firing_table, identity_table, mostly_identical
from finetune.analysis.checks import certify, probe_learning_rate, spread_by_source
from finetune.analysis.claim_plane import ClaimPlane, claim_plane, has_pairs
from finetune.analysis.comparisons import (
    alpha_of,
    claim_power,
    contrast_table,
    disagreements,
    pair_table,
    rank_table,
    rankings,
    replicate_of,
    share_of_alpha,
)
from finetune.analysis.constant import NoBetter, no_better
from finetune.analysis.curves import curve_table, mostly_trained
from finetune.analysis.looks import FurtherLooks, further_looks, look_now
from finetune.analysis.runs import (
    all_runs,
    count_seeds,
    finished,
    metrics_of,
    tidy_epochs,
    tidy_runs,
)
from finetune.analysis.spread import SpreadBySource, read_spread
from finetune.analysis.stopping import Stopping, stopping
from finetune.analysis.summary import summary_table
from finetune.analysis.tuned import Tuned
from finetune.claims.fit_verdict import FitVerdict
from finetune.claims.registry import judge_claim
from finetune.claims.verdict import Verdict
from finetune.data.reading import reading_notes
from finetune.planning.check_sizes import CheckSize
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.stats.parity import Parity
from finetune.stats.power import DetectableEffect
from finetune.stats.probe import Probe
from finetune.stats.ranks import Ranking
from finetune.store.base import Store
from finetune.store.manifest import Manifest, RecordedLook


@dataclass(frozen=True)
class Checks:
    """What was measured beside the study's own runs; None where it was not.

    Attributes:
        replicate: The control's runs under another batch order, for the verdict's A/A check.
        probe: Whether the treatment's learning rate was too low to go on learning.
        parity: How far the runs are from those of the reference engine.
        variance: The spread over seeds by source of randomness (`stats.variance`).
        sizes: How large each is, those left out too.
    """

    replicate: pd.DataFrame | None = None
    probe: Probe | None = None
    parity: Parity | None = None
    variance: pd.DataFrame | None = None
    sizes: tuple[CheckSize, ...] = ()


@dataclass(frozen=True, eq=False)
class Analysis:
    """All that a report shows; each table in `frames` is written as a CSV file of its name.

    `contrasts` is empty with a single variant, `pairs` without a claim, `variance` where no source
    was varied by itself.

    Attributes:
        spec: The study.
        epochs: As the store keeps them, a row a run and epoch, those of failed runs too.
        rankings: What `ranks` is made from.
        alpha: The level of all tests.
        level: Of intervals: alpha, or the share of it of the look at which the study ended.
        verdicts: On the study's claims, in their order.
        stopping: How each claim ended, where the study has looks.
        looks: At these seeds, now.
        further_looks: The claims of which the same seeds were judged before.
        fit_verdict: The first that is about underfitting; None without one.
        claim_power: What the seeds can detect of it, with the spread that the runs turned out to
            have.
        claim_plane: Layout of the figure that shows it; None without a pair to draw.
        probe, parity, check_sizes: See `Checks`.
        tuned: What a search in the same folder found.
        no_better: The variants that a constant prediction equals; None where there are none.
        notes: What a reader should know beside the manifest's notes: how the data were read, and
            by which versions the runs were trained.
    """

    spec: StudySpec
    runs: pd.DataFrame
    epochs: pd.DataFrame
    summary: pd.DataFrame
    contrasts: pd.DataFrame
    ranks: pd.DataFrame
    pairs: pd.DataFrame
    callbacks: pd.DataFrame
    identical: pd.DataFrame
    curves: pd.DataFrame
    budgets: pd.DataFrame
    time_to_target: pd.DataFrame
    variance: pd.DataFrame
    accumulation: pd.DataFrame
    rankings: tuple[Ranking, ...]
    alpha: float
    level: float
    verdicts: tuple[Verdict, ...]
    stopping: tuple[Stopping, ...]
    looks: tuple[RecordedLook, ...]
    further_looks: tuple[FurtherLooks, ...]
    fit_verdict: FitVerdict | None
    claim_power: DetectableEffect | None
    claim_plane: ClaimPlane | None
    probe: Probe | None
    parity: Parity | None
    check_sizes: tuple[CheckSize, ...]
    tuned: Tuned | None
    no_better: NoBetter | None
    notes: tuple[str, ...]

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the first claim; None without any."""
        return self.verdicts[0] if self.verdicts else None

    @property
    def n_seeds(self) -> int:
        """The number of seeds at which the variants were trained."""
        return count_seeds(self.runs)

    @property
    def variants(self) -> list[str]:
        """The variants' names in the spec's order."""
        return list(self.runs["variant"].cat.categories)

    @property
    def metrics(self) -> list[str]:
        """The metrics that the runs have."""
        return metrics_of(self.runs)

    @property
    def any_finished(self) -> bool:
        """Whether any run finished: without one there is nothing to draw."""
        return not finished(self.runs).empty

    @property
    def loss_by_budget(self) -> pd.DataFrame:
        """Test loss within each budget, beside the epochs run (`budgets.loss_by_budget`)."""
        return loss_by_budget(self.budgets)

    @property
    def costs(self) -> pd.DataFrame:
        """What each variant costs in epochs (`budgets.cost_table`)."""
        return cost_table(self.budgets, self.time_to_target)

    @property
    def disagreements(self) -> pd.DataFrame:
        """The contrasts on which the three tests disagree."""
        return disagreements(self.contrasts, alpha=self.alpha)

    @property
    def mostly_identical(self) -> pd.DataFrame:
        """The pairs of variants that are the same at more than half of the seeds."""
        return mostly_identical(self.identical)

    @property
    def spread(self) -> SpreadBySource | None:
        """Which source of randomness makes most of the spread; None where none was varied."""
        return read_spread(self.variance)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables of the report by name; epochs are in the store."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "epochs"}
        return {name: table for name, table in values.items() if isinstance(table, pd.DataFrame)}


def analyse(
    plan: Plan, store: Store, *, tuned: Tuned | None = None, manifest: Manifest | None = None
) -> Analysis:
    """Analyse the stored runs of a plan.

    Args:
        plan: What was trained.
        store: Holds it.
        tuned: What a search of the same study found.
        manifest: What training told, and what the data were resolved to.

    Raises:
        StoreError: the store lacks epochs of a run.
    """
    spec, block = plan.runs.spec, plan.runs
    runs, epochs = all_runs(block, store), store.epochs(block.recipes, block.seeds)
    again = plan.same_again
    checks = Checks(
        replicate=store.runs(again.recipes, again.seeds) if again else None,
        probe=probe_learning_rate(plan, store),
        parity=certify(plan, store, epochs),
        variance=spread_by_source(plan, store, runs),
        sizes=plan.check_sizes,
    )
    return analyse_runs(
        spec,
        runs,
        epochs,
        recipes=block.recipes,
        checks=checks,
        tuned=tuned,
        manifest=manifest,
        notes=_version_notes(plan, store),
    )


def analyse_runs(
    spec: StudySpec,
    runs: pd.DataFrame,
    epochs: pd.DataFrame,
    *,
    recipes: Mapping[str, str] | None = None,
    checks: Checks = Checks(),
    tuned: Tuned | None = None,
    manifest: Manifest | None = None,
    notes: Iterable[str] = (),
) -> Analysis:
    """Analyse runs and epochs as the store returns them; `notes` are further ones.

    `recipes` are those of the variants, by name; without them no look is recorded.

    Raises:
        StoreError: a run of a variant and seed, or one of its epochs, is missing or doubled.
    """
    verdicts = tuple(
        judge_claim(runs, one, spec, replicate=replicate_of(spec, one, checks.replicate))
        for one in spec.claims
    )
    fit = next((one for one in verdicts if isinstance(one, FitVerdict)), None)
    tidy = tidy_runs(runs, spec)
    finished_epochs = tidy_epochs(epochs, tidy)
    ranked = rankings(tidy, spec)
    pairs = _judged(pair_table(tidy, spec, replicate=checks.replicate), verdicts)
    seeds = count_seeds(tidy)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    looks = look_now(spec, verdicts, recipes, seeds=seeds, when=when) if recipes else ()
    return Analysis(
        spec=spec,
        runs=tidy,
        epochs=epochs,
        summary=summary_table(tidy, spec),
        contrasts=contrast_table(tidy, spec),
        ranks=rank_table(ranked),
        pairs=pairs,
        callbacks=firing_table(tidy, spec),
        identical=identity_table(tidy),
        curves=mostly_trained(curve_table(finished_epochs, tidy)),
        budgets=budget_table(finished_epochs, tidy, spec),
        time_to_target=time_table(finished_epochs),
        variance=pd.DataFrame() if checks.variance is None else checks.variance,
        accumulation=accumulation_table(pairs, verdicts, spec),
        rankings=ranked,
        alpha=alpha_of(spec),
        level=alpha_of(spec) * share_of_alpha(spec, seeds),
        verdicts=verdicts,
        stopping=stopping(verdicts, spec),
        looks=looks,
        further_looks=further_looks(manifest.looks if manifest else (), looks, spec),
        fit_verdict=fit,
        claim_power=claim_power(fit, spec) if fit and not spec.looks else None,
        claim_plane=claim_plane(pairs, fit) if fit and has_pairs(pairs, fit) else None,
        probe=checks.probe,
        parity=checks.parity,
        check_sizes=checks.sizes,
        tuned=tuned,
        no_better=no_better(tidy, manifest),
        notes=(*_reading_notes(manifest), *notes),
    )


def _judged(pairs: pd.DataFrame, verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the pairs that each verdict rests on: a study may go on for its other claims."""
    ends = {one.name: one.looks[-1].seeds for one in verdicts if one.looks}
    if not ends or pairs.empty:
        return pairs
    last = [ends[claim] for claim in pairs["claim"]]
    return pairs.loc[pairs["seed"] < last]


def _reading_notes(manifest: Manifest | None) -> list[str]:
    data = manifest and manifest.data
    return [f"data: {note}" for note in reading_notes(data.reading)] if data else []


def _version_notes(plan: Plan, store: Store) -> list[str]:
    """Name packages of which several versions trained the runs: such runs may differ by more."""
    return [
        f"Runs were trained by several versions of {package}: "
        + ", ".join(f"{version} ({runs} runs)" for version, runs in sorted(found.items()))
        for package, found in store.versions(plan.runs.recipes).items()
    ]
