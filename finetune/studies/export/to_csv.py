"""Export as CSV: a file a variant, a row an epoch, for a spreadsheet or any other program."""

from pathlib import Path

import pandas as pd

from finetune.report.csv import csv_text
from finetune.store.atomic import write_whole
from finetune.studies.export.record import STATISTICS, StudyRecord, VariantRecord


def export_csv(record: StudyRecord, out: str) -> str:
    """Write a file a variant, and `final.csv` with what runs end with; say where they are."""
    folder = Path(out)
    for variant in record.variants:
        write_whole(folder / f"{variant.run}.csv", csv_text(_wide(variant)).encode())
    final = pd.concat([one.final.assign(variant=one.name) for one in record.variants])
    final = final.loc[:, ["variant", *final.columns.drop("variant")]]
    write_whole(folder / "final.csv", csv_text(final).encode())
    return f"Wrote {len(record.variants)} variants to {folder}"


def _wide(variant: VariantRecord) -> pd.DataFrame:
    """Return a row an epoch, with three columns a metric: its mean, and its interval's ends."""
    metrics = list(dict.fromkeys(variant.curves["metric"]))
    table = variant.curves.pivot(index="epoch", columns="metric", values=list(STATISTICS))
    columns = {
        metric if statistic == "mean" else f"{metric}_{statistic}": table[statistic, metric]
        for metric in metrics
        for statistic in STATISTICS
    }
    return pd.DataFrame(columns).reset_index()
