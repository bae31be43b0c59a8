"""What may be claimed of two variants: a metric that both measure alike, with a direction."""

from collections.abc import Mapping

from finetune.spec.claims import EquivalentSpec, MetricClaimSpec, UnderfitsSpec
from finetune.spec.metrics import METRICS, REGRESSION_METRICS, SPLITS, higher_is_better, metric_of
from finetune.spec.training import TrainingSpec

# Columns of `tables/runs.csv` that are numbers but no metrics.
COUNTS = ("epochs_run", "best_epoch", "lr_reductions", "first_reduction_epoch", "final_lr")


def check_claim(
    claim: UnderfitsSpec | MetricClaimSpec, arms: Mapping[str, TrainingSpec], *, field: str
) -> None:
    """Check a claim against the training of its two variants, by their name.

    Raises:
        ValueError: It compares losses of different functions, or a metric that is unknown, not
            measured, or without a direction.
    """
    losses = {training.loss for training in arms.values()}
    if len(losses) > 1 and claim.is_about_loss:
        raise ValueError(
            f"{field}: is about losses of {' and '.join(map(repr, arms))}, which have different "
            "functions in training.loss; allowed is a metric that both measure alike, as "
            "test_accuracy; claim of that"
        )
    if isinstance(claim, MetricClaimSpec):
        _check_metric(claim, arms, field=f"{field}.metric")


def _check_metric(claim: MetricClaimSpec, arms: Mapping[str, TrainingSpec], *, field: str) -> None:
    name, column = metric_of(claim.metric), claim.metric
    of_split = column != name and (name in ("loss", "accuracy") or name in METRICS)
    if not of_split and column not in COUNTS:
        raise ValueError(
            f"{field}: received {column!r}; allowed are {', '.join(COUNTS)}, and loss, accuracy or "
            f"a metric of {', '.join(SPLITS)}, as test_loss or test_auc"
        )
    for variant, training in arms.items():
        measured = REGRESSION_METRICS if training.metrics is None else training.metrics
        if of_split and name in METRICS and name not in measured:
            raise ValueError(
                f"{field}: received {column!r}, which {variant!r} does not measure; add {name!r} "
                "to training.metrics"
            )
    known = claim.direction or higher_is_better(column) is not None
    if not known and not isinstance(claim, EquivalentSpec):
        raise ValueError(
            f"{field}: received {column!r}, of which it is not known whether lower or higher is "
            'better; add direction = "lower" or "higher"'
        )
