"""Words that several sections and figures share: names of metrics, lists, and what means are."""

from collections.abc import Sequence

from finetune.claims.words import metric_name

MEAN_WITH_INTERVAL = "mean over seeds with its 95 % t interval"


def metric_label(metric: str) -> str:
    """Return a metric's name as it heads a column or a row, as "Training loss"."""
    name = metric_name(metric)
    return name[:1].upper() + name[1:]


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence: "a, b and c", or "nothing" for none."""
    if not words:
        return "nothing"
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
