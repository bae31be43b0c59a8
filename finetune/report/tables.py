"""All tables of a report, made at once from runs and epochs. Pure data: nothing is drawn here."""

from dataclasses import dataclass, fields

import pandas as pd

from finetune.report.callbacks import firing_table, identity_table
from finetune.report.cells import metrics_of, tidy_epochs, tidy_runs
from finetune.report.curves import curve_table, mostly_trained
from finetune.report.summary import baseline_of, difference_table, summary_table
from finetune.spec import StudySpec


@dataclass(frozen=True)
class ReportTables:
    """The tables of a report; each is written as a CSV file of its name."""

    runs: pd.DataFrame
    summary: pd.DataFrame
    differences: pd.DataFrame
    callbacks: pd.DataFrame
    identical: pd.DataFrame
    curves: pd.DataFrame

    @property
    def variants(self) -> list[str]:
        """The variants' names in the spec's order."""
        return list(self.runs["variant"].cat.categories)

    @property
    def metrics(self) -> list[str]:
        """The metrics that the runs have."""
        return metrics_of(self.runs)

    def csv_files(self) -> dict[str, str]:
        """Give each file's name and text: equal for equal tables, floats with all their digits."""
        tables = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            f"{name}.csv": table.to_csv(index=False, lineterminator="\n")
            for name, table in tables.items()
        }


def build_tables(spec: StudySpec, *, runs: pd.DataFrame, epochs: pd.DataFrame) -> ReportTables:
    """Make every table of the report.

    Raises:
        StoreError: a (variant, seed) cell or one of its epochs is missing or doubled.
    """
    runs = tidy_runs(runs, spec)
    epochs = tidy_epochs(epochs, runs)
    return ReportTables(
        runs=runs,
        summary=summary_table(runs, spec),
        differences=difference_table(runs, baseline_of(spec)),
        callbacks=firing_table(runs, spec),
        identical=identity_table(runs),
        curves=mostly_trained(curve_table(epochs, runs)),
    )
