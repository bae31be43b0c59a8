"""What is said beside each figure: a caption, and a text for those who cannot see it."""

from collections.abc import Mapping

from finetune.report.tables import ReportTables

MEANS = "mean over seeds with its 95 % t interval"

_CARRIED = (
    "A run that has stopped goes on counting with the value of its last epoch, so that every "
    "point is a mean over the same runs; a line ends, at its mark, where fewer than half of them "
    "still train. What early stopping restores afterwards is in the tables, not here."
)
_OVERLAP = "Where lines fall together, the earlier variant shows as a rim around the later one."
_ZERO = "A band that reaches the foot of a logarithmic axis includes zero."

ALTERNATIVES: Mapping[str, str] = {
    "test_metrics": "Test metrics of every run, a row for each variant",
    "loss_scatter": "Test loss against training loss, a dot for each run",
    "learning_curves": "Training and validation loss over the epochs, a line for each variant",
    "accuracy_curves": "Training and validation accuracy over the epochs, a line for each variant",
    "learning_rates": "Learning rate over the epochs, a line for each variant",
}


def captions(tables: ReportTables) -> dict[str, str]:
    """Give each figure's caption; what does not apply to these runs is not said."""
    losses = tables.curves.loc[tables.curves["metric"].isin(["train_loss", "val_loss"])]
    stopped = _CARRIED if any(tables.callbacks["n_stopped"]) else ""
    zero = _ZERO if bool((losses["low"] <= 0).any()) else ""
    return {
        "test_metrics": "Test metrics of the final weights. A dot is a run, a thin grey line joins "
        "the runs of one seed (up to 150 seeds), black is the mean with its 95 % interval.",
        "loss_scatter": "Training against test loss of the final weights. A dot is a run, a large "
        "mark the mean with its 95 % intervals. Underfitting moves a variant to the right and up, "
        "overfitting to the left and up.",
        "learning_curves": _sentences(f"Losses during training: {MEANS}.", stopped, _OVERLAP, zero),
        "accuracy_curves": f"Accuracies during training, drawn as the losses are: {MEANS}.",
        "learning_rates": "The learning rate in use: median over seeds, with the band from the "
        "lower to the upper quartile; lines end as those of the losses do.",
    }


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)
