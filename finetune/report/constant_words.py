"""What losses are measured in, and the constant prediction that they should beat, in words."""

from collections.abc import Mapping

from finetune.analysis.constant import NoBetter
from finetune.claims.phrases import quoted
from finetune.data.summary import Constant
from finetune.store.manifest import Manifest

# A sentence names at most this many variants.
_MOST = 5

_PREDICTING: Mapping[Constant, str] = {
    "mean": "the mean of the training rows' target for every row",
    "median": "the median of the training rows' target for every row",
    "shares": "for every row each class by its share of the training rows",
}


def no_better_sentence(found: NoBetter) -> str:
    """Name the variants that learned no more than a constant; names stand as they are."""
    named = [f"{quoted(name)} with {loss:.3g}" for name, loss in found.variants[:_MOST]]
    more = len(found.variants) - _MOST
    ends = ", ".join(named) + (f", and {more} more" if more > 0 else "")
    return (
        f"These variants end with a test loss no better than a constant's: {ends}. Predicting "
        f"{_PREDICTING[found.constant]} has {found.loss:.3g}."
    )


def units_sentence(manifest: Manifest) -> str:
    """Say what losses are measured in where the target was scaled; empty elsewhere."""
    if not (manifest.data and manifest.data.target_scale):
        return ""
    return (
        "Losses are those of the standardised target, a squared error thus in units of its "
        "variance over the training rows; MAE and RMSE are in the target's own unit."
    )
