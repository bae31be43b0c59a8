"""Which runs failed, and why those did that were not trained to an end."""

import pandas as pd

from finetune.report.markdown import NONE, bullets, code, folded, paragraphs, plain, table
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.store.manifest import Manifest

_FEW = 20


def failures(context: ReportContext) -> str:
    """List the runs that failed, if any, and the reasons that are known."""
    runs = context.analysis.runs
    failed = runs.loc[runs["status"] != "ok"]
    if failed.empty:
        return ""
    untrained = int(failed["epochs_run"].isna().sum())
    listing = _listing(failed)
    return paragraphs(
        f"{len(failed)} of {len(runs)} runs failed{_how(len(failed), untrained)}. They are in no "
        "mean, interval or pair above, which is a choice in favour of variants that fail.",
        _reasons(context.manifest) if untrained else "",
        listing if len(failed) <= _FEW else folded(f"All {len(failed)}", listing),
    )


def _listing(failed: pd.DataFrame) -> str:
    rows = [
        (
            plain(row["variant"]),
            str(row["seed"]),
            NONE if pd.isna(row["epochs_run"]) else str(row["epochs_run"]),
        )
        for row in failed.to_dict("records")
    ]
    return table(rows, columns=["Variant", "Seed", "Epochs run"])


def _how(failed: int, untrained: int) -> str:
    if not untrained:
        return ": a loss of theirs became NaN or infinite"
    if untrained == failed:
        return ": they could not be trained"
    return f": {untrained} could not be trained, and a loss of the others became NaN or infinite"


def _reasons(manifest: Manifest) -> str:
    """List what ended the tasks; running the study again tries them again."""
    reasons = dict.fromkeys(failure.reason for failure in manifest.failures)
    again = "Run the same command to try them again; what is stored is kept."
    return paragraphs(again, bullets(*(f"Reason: {code(reason)}" for reason in reasons)))


FAILURES = ReportSection("Failed runs", failures)
