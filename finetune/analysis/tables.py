"""All tables of a report, made at once from runs and epochs. Pure data: nothing is drawn here."""

from dataclasses import dataclass, fields

import pandas as pd

from finetune.analysis.budgets import budget_table, time_table
from finetune.analysis.callbacks import firing_table, identity_table
from finetune.analysis.comparisons import alpha_of, contrast_table, pair_table, rank_table, rankings
from finetune.analysis.curves import curve_table, mostly_trained
from finetune.analysis.runs import metrics_of, tidy_epochs, tidy_runs
from finetune.analysis.summary import summary_table
from finetune.claims.verdict import Verdict
from finetune.spec.study import StudySpec
from finetune.stats.ranks import Ranking


@dataclass(frozen=True, eq=False)
class ReportTables:
    """What a report shows, computed once; each table is written as a CSV file of its name.

    `contrasts` is empty with a single variant, `pairs` without a claim, `variance` where no source
    was varied by itself; `verdict` is None without a claim, and `rankings` are what `ranks` is
    made from. `alpha` is the level of all tests.
    """

    runs: pd.DataFrame
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
    rankings: tuple[Ranking, ...]
    verdict: Verdict | None
    alpha: float

    @property
    def variants(self) -> list[str]:
        """The variants' names in the spec's order."""
        return list(self.runs["variant"].cat.categories)

    @property
    def metrics(self) -> list[str]:
        """The metrics that the runs have."""
        return metrics_of(self.runs)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: table for name, table in values.items() if isinstance(table, pd.DataFrame)}


def build_tables(
    spec: StudySpec,
    *,
    runs: pd.DataFrame,
    epochs: pd.DataFrame,
    verdict: Verdict | None = None,
    replicate: pd.DataFrame | None = None,
    variance: pd.DataFrame | None = None,
) -> ReportTables:
    """Make every table of the report.

    `replicate` holds the control's runs under another batch order, on which the verdict's A/A
    check rests, and `variance` is `stats.variance.variance_table` of the study.

    Raises:
        StoreError: a (variant, seed) cell or one of its epochs is missing or doubled.
    """
    runs = tidy_runs(runs, spec)
    epochs = tidy_epochs(epochs, runs)
    ranked = rankings(runs, spec)
    return ReportTables(
        runs=runs,
        summary=summary_table(runs, spec),
        contrasts=contrast_table(runs, spec),
        ranks=rank_table(ranked),
        pairs=pair_table(runs, spec, replicate=replicate),
        callbacks=firing_table(runs, spec),
        identical=identity_table(runs),
        curves=mostly_trained(curve_table(epochs, runs)),
        budgets=budget_table(epochs, runs, spec),
        time_to_target=time_table(epochs),
        variance=pd.DataFrame() if variance is None else variance,
        rankings=ranked,
        verdict=verdict,
        alpha=alpha_of(spec),
    )
