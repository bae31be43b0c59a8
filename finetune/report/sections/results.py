"""What runs ended with and how they got there: the figures, and all metrics, folded."""

from finetune.analysis.analysis import Analysis
from finetune.report.markdown import estimate, folded, number, paragraphs, plain, table
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.report.words import metric_label


def results(context: ReportContext) -> str:
    """Show the figures of the runs; the long table is folded."""
    everything = folded("All metrics of every variant", _all_metrics(context.analysis))
    return paragraphs(context.embed("results"), everything)


def _all_metrics(analysis: Analysis) -> str:
    rows = [
        (
            plain(row["variant"]),
            metric_label(row["metric"]),
            f"{row['n_ok']} of {row['n_ok'] + row['n_failed']}",
            estimate(row["mean"], row["low"], row["high"]),
            number(row["median"]),
            number(row["q25"]),
            number(row["q75"]),
        )
        for row in analysis.summary.to_dict("records")
    ]
    columns = ["Variant", "Metric", "Runs ok", "Mean [95 % interval]", "Median"]
    return table(rows, columns=[*columns, "Lower quartile", "Upper quartile"])


RESULTS = ReportSection("The runs in figures", results)
