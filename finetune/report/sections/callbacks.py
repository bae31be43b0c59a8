"""What the callbacks did, as a table, and in words where variants came out the same."""

from collections.abc import Sequence

from finetune.analysis.analysis import Analysis
from finetune.report.markdown import NONE, bullets, paragraphs, plain, quoted, spread, table
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.spec.variants import VariantSpec


def callbacks(context: ReportContext) -> str:
    """Show what the callbacks did, and name the variants that they left the same."""
    analysis = context.analysis
    identical = bullets(*identity_sentences(analysis))
    # Where variants differ in network and training alone, there is nothing that could fire.
    if not any(_has_callbacks(variant) for variant in analysis.spec.variants):
        return identical
    return paragraphs(
        _table(analysis),
        "Epochs count from 1 here; of several runs: median (lowest to highest). The first cut is "
        "over the runs that cut, the stop over those that stopped before their last epoch.",
        identical,
    )


def identity_sentences(analysis: Analysis) -> Sequence[str]:
    """Name each two variants that were the same at more than half of the seeds, and the reason."""
    variants = {variant.name: variant for variant in analysis.spec.variants}
    return [
        f"{quoted(row['variant'])} and {quoted(row['other'])} were identical in "
        f"{row['n_identical']} of {row['n_pairs']} seeds: the same losses, accuracies, epochs and "
        "learning rates, to the last digit."
        + _reason(variants[row["variant"]], variants[row["other"]], row)
        for row in analysis.mostly_identical.to_dict("records")
    ]


def _reason(first: VariantSpec, second: VariantSpec, row: dict) -> str:
    """Explain identity by a learning-rate reduction that one of the two has and that never cut."""
    idle = [variant for variant in (first, second) if variant.reduce_lr and row["max_cuts"] == 0]
    if len(idle) != 1 or idle[0].reduce_lr is None:
        return ""
    delay = idle[0].reduce_lr.start_from_epoch
    waits = f", and it ignores the first {delay}" if delay else ""
    return (
        f" The LR reduction of {quoted(idle[0].name)} never fired in these runs: they trained for "
        f"at most {row['max_epochs_run']} epochs{waits}."
    )


def _table(analysis: Analysis) -> str:
    rows = []
    variants = analysis.spec.variants
    for variant, row in zip(variants, analysis.callbacks.to_dict("records"), strict=True):
        cuts = bool(variant.reduce_lr or variant.schedule or variant.callbacks)
        stops = bool(variant.early_stopping or variant.callbacks)
        rows.append(
            (
                plain(variant.name),
                _share(row, "n_cut", possible=cuts),
                _spread(row, "first_cut_epoch", shift=1),
                _spread(row, "cuts") if cuts else NONE,
                _spread(row, "final_lr"),
                _share(row, "n_stopped", possible=stops),
                _spread(row, "stop_epoch", shift=1),
            )
        )
    columns = ["Variant", "Runs that cut the LR", "First cut after epoch", "Cuts", "Final LR"]
    return table(rows, columns=[*columns, "Runs that stopped early", "Stopped after epoch"])


def _has_callbacks(variant: VariantSpec) -> bool:
    policies = (variant.early_stopping, variant.reduce_lr, variant.set_lr, variant.schedule)
    return any(policies) or bool(variant.callbacks)


def _share(row: dict, name: str, *, possible: bool) -> str:
    """Return `k of n`; a dash where no callback could do it and none did."""
    return f"{row[name]} of {row['n_ok']}" if possible or row[name] else NONE


def _spread(row: dict, name: str, *, shift: int = 0) -> str:
    return spread(*(row[f"{name}_{part}"] + shift for part in ("median", "min", "max")))


CALLBACKS = ReportSection("Did the callbacks fire?", callbacks)
