"""What a study's data were resolved to, for its manifest: a report needs no data."""

from collections.abc import Callable

from finetune.data.baseline import measure_baselines
from finetune.data.splits import load_targets
from finetune.errors import describe_exception
from finetune.models.losses import constant_prediction, fitting_loss
from finetune.store.manifest import Manifest


def describe_data(manifest: Manifest, *, on_note: Callable[[str], None]) -> Manifest:
    """Return the manifest with what was resolved of the data, and what a network must beat.

    Where the data cannot be loaded, `on_note` is told: workers elsewhere may have trained on them.
    """
    spec = manifest.spec
    try:
        data = load_targets(spec.data, 0, vary=spec.vary).summary
        wanted = spec.training.loss
        loss = fitting_loss(wanted, task=data.task, n_classes=len(data.classes))
        baselines = measure_baselines(
            spec.data, seeds=spec.seeds, vary=spec.vary, constant=constant_prediction(loss)
        )
    # The source may be a function of the user's, which raises anything.
    except Exception as problem:
        on_note(
            "The report says little of the data, since they cannot be loaded here: "
            f"{describe_exception(problem)}"
        )
        return manifest
    return manifest.updated(data=data, baselines=baselines)
