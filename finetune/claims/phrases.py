"""Phrases that the sentences about a verdict share; each is rendered from the outcome's numbers."""

from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.metric_comparison import MetricComparison
from finetune.spec.metrics import metric_of

_SPLITS = {"train": "training", "val": "validation"}
_ABBREVIATIONS = {"auc": "AUC", "f1": "F1", "mae": "MAE", "rmse": "RMSE", "r2": "R²"}

# Each outcome of the fit table as something that the treatment does.
_DOES = {
    "underfit": "underfits",
    "slower fit, harmless": "fits more slowly without harm",
    "less overfit": "overfits less",
    "generalises worse": "generalises worse",
    "no effect": "has no effect that matters",
    "generalises better": "generalises better",
    "more overfit": "overfits more",
    "faster fit, no gain": "fits faster without gain",
    "better fit": "fits better",
}


def outcome(fit: FitOutcome) -> str:
    """Name the outcome in the fit table, or both that the data leave possible."""
    if len(fit.cells) > 2:
        return "undetermined"
    return " or ".join(f'"{name}"' for name in fit.cells)


def does(fit: FitOutcome) -> str:
    """Name what the treatment does; nothing where more than two outcomes are possible."""
    return " or ".join(_DOES[name] for name in fit.cells) if len(fit.cells) < 3 else ""


def changes(fit: FitOutcome) -> str:
    """Name by how much both metrics changed."""
    return f"{change(fit.train)} and {change(fit.test)}"


def change(compared: MetricComparison) -> str:
    """Name by how much a metric changed."""
    mean, name = compared.difference.mean, metric_name(compared.metric)
    # Less than this is what rounding leaves of sums that cancel; NaN is no change either.
    if not abs(mean) > 1e-12:
        return f"{name} ends unchanged"
    return f"{name} ends {abs(mean):.2g} {'higher' if mean > 0 else 'lower'}"


def metric_name(metric: str) -> str:
    """Return a metric's name as prose has it: "training loss", "test AUC"."""
    name = metric_of(metric)
    split = metric.removesuffix(name).removesuffix("_")
    words = _ABBREVIATIONS.get(name, name.replace("_", " "))
    return f"{_SPLITS.get(split, split)} {words}".strip()


def quoted(variant: str) -> str:
    """Return the name of a variant in quotation marks."""
    return f'"{variant}"'


def percent(share: float) -> str:
    """Return a share in per cent, to three digits."""
    return f"{100 * share:.3g} %"


def count(number: int, noun: str) -> str:
    """Return a number of things, in the singular or the plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
