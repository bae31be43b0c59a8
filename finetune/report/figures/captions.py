"""What is said beside each figure: a caption, and a text for those who cannot see it."""

from collections.abc import Mapping, Sequence

from finetune.analysis.claim_plane import ClaimPlane, claim_plane
from finetune.analysis.tables import ReportTables
from finetune.claims.verdict import Verdict
from finetune.claims.words import metric_name
from finetune.report.markdown import percent, quoted

MEANS = "mean over seeds with its 95 % t interval"

_CARRIED = (
    "A run that has stopped goes on counting with the value of its last epoch, so that every "
    "point is a mean over the same runs; a line ends, at its mark, where fewer than half of them "
    "still train. What early stopping restores afterwards is in the tables, not here."
)
_OVERLAP = "Where lines fall together, the earlier variant shows as a rim around the later one."
_ZERO = "A band that reaches the foot of a logarithmic axis includes zero."

ALTERNATIVES: Mapping[str, str] = {
    "claim": "Difference in test loss against difference in training loss, a dot for each seed",
    "critical_difference": "Average ranks of the variants in test loss, on a line",
    "test_metrics": "Test metrics of every run, a row for each variant",
    "loss_scatter": "Test loss against training loss, a dot for each run",
    "learning_curves": "Training and validation loss over the epochs, a line for each variant",
    "accuracy_curves": "Training and validation accuracy over the epochs, a line for each variant",
    "learning_rates": "Learning rate over the epochs, a line for each variant",
    "budget": "Test loss against the epochs run within each budget, a line for each variant",
}


def numbered(tables: ReportTables, figures: Sequence[str], names: Sequence[str]) -> list[str]:
    """Embed those of the named figures that were drawn, numbered by their place in `figures`."""
    said = captions(tables)
    return [
        f"![{ALTERNATIVES[name]}](figures/{name}.svg)\n\n**Figure {place}.** {said[name]}"
        for place, name in enumerate(figures, start=1)
        if name in names
    ]


def captions(tables: ReportTables) -> dict[str, str]:
    """Give each figure's caption; what does not apply to these runs is not said."""
    losses = tables.curves.loc[tables.curves["metric"].isin(["train_loss", "val_loss"])]
    stopped = _CARRIED if any(tables.callbacks["n_stopped"]) else ""
    zero = _ZERO if bool((losses["low"] <= 0).any()) else ""
    return {
        "claim": _claim(tables),
        "critical_difference": "A picture, not the verdict: ranks within each seed, averaged; a "
        "bar joins variants that pairwise Wilcoxon tests, with Holm's correction, do not tell "
        "apart. The ranks are over seeds, so they say nothing about other data sets.",
        "test_metrics": "Test metrics of the final weights. A dot is a run, a thin grey line joins "
        "the runs of one seed (up to 150 seeds), black is the mean with its 95 % interval.",
        "loss_scatter": "Training against test loss of the final weights. A dot is a run, a large "
        "mark the mean with its 95 % intervals. Underfitting moves a variant to the right and up, "
        "overfitting to the left and up.",
        "learning_curves": _sentences(f"Losses during training: {MEANS}.", stopped, _OVERLAP, zero),
        "accuracy_curves": f"Accuracies during training, drawn as the losses are: {MEANS}.",
        "learning_rates": "The learning rate in use: median over seeds, with the band from the "
        "lower to the upper quartile; lines end as those of the losses do.",
        "budget": f"What a budget of epochs buys: test loss ({MEANS}) had every run been ended "
        "after each budget in the table above, a mark each, against the mean number of epochs "
        "that were then run. A run is the same under every budget up to the epoch that it ends "
        "in, so these are results, not estimates. Lower and further to the left is better; a line "
        "that ends early is of runs that stop by themselves.",
    }


def _claim(tables: ReportTables) -> str:
    verdict = tables.verdict
    if verdict is None or tables.pairs.empty:
        return ""
    plane = claim_plane(tables.pairs, verdict)
    return _sentences(
        f"A dot is a seed: {quoted(verdict.treatment)} minus {quoted(verdict.control)}.",
        f"Black is their mean with its {percent(1 - verdict.alpha)} intervals."
        if verdict.n > 1
        else "",
        f"Within the grey bands a difference counts as none: the margins are "
        f"{plane.across.side.margin:g} in training and {plane.up.side.margin:g} in test loss.",
        _found(verdict),
        "Small grey dots are noise alone: the control against itself, under another batch order."
        if verdict.same_again
        else "",
        *_scales(plane),
    )


def _found(verdict: Verdict) -> str:
    if len(verdict.primary.cells) == 1:
        return "The outcome is yellow."
    return "The outcomes that are still possible are yellow."


def _scales(plane: ClaimPlane) -> list[str]:
    """Say what is unusual about the axes."""
    return [
        f"The axis of {metric_name(axis.side.metric)} is "
        f"{'logarithmic beyond the margins' if axis.symlog else 'linear'}"
        f"{', and cuts off the interval of the mean' if axis.clipped else ''}."
        for axis in (plane.across, plane.up)
        if axis.symlog or axis.clipped
    ]


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)
