"""What a study's data were resolved to, for its manifest: a report needs no data."""

from collections.abc import Callable
from statistics import fmean

from finetune.data.baseline import measure_baselines
from finetune.data.splits import load_targets
from finetune.data.summary import Baselines, DataSummary
from finetune.errors import SpecError, describe_exception
from finetune.models.losses import constant_prediction, fitting_loss
from finetune.spec.claims import MarginShares, UnderfitsSpec
from finetune.spec.study import StudySpec
from finetune.store.manifest import Manifest


def describe_data(manifest: Manifest, *, on_note: Callable[[str], None]) -> Manifest:
    """Return the manifest with what was resolved of the data, and what a network must beat.

    Where the data cannot be loaded, `on_note` is told: workers elsewhere may have trained on them.
    """
    try:
        data, baselines = _resolve(_as_trained(manifest))
    # The source may be a function of the user's, which raises anything.
    except Exception as problem:
        on_note(
            "The report says little of the data, since they cannot be loaded here: "
            f"{describe_exception(problem)}"
        )
        return manifest
    return manifest.updated(data=data, baselines=baselines)


def _as_trained(manifest: Manifest) -> StudySpec:
    spec, network = manifest.spec, manifest.network
    return spec.model_copy(update={"data": network.as_taken(spec.data)}) if network else spec


def with_absolute_margins(spec: StudySpec, *, on_note: Callable[[str], None]) -> StudySpec:
    """Return the study with margins in units of the loss, where they are shares of a constant's.

    The constant's loss is its mean over the study's seeds. `on_note` is told each margin.

    Raises:
        SpecError: No formula tells which constant is best under the study's loss.
        DataError: The data cannot be loaded.
    """
    if not any(isinstance(one, UnderfitsSpec) and one.margins.given_shares for one in spec.claims):
        return spec
    baselines = _resolve(spec)[1]
    if baselines.constant is None:
        raise SpecError(
            "claims: margins.shares: received shares of a constant prediction's loss, which no "
            f"formula tells for {spec.training.loss!r}; allowed with cross-entropy, squared and "
            "absolute errors; give absolute margins"
        )
    claims = tuple(
        _with_absolute(one, baselines, on_note) if isinstance(one, UnderfitsSpec) else one
        for one in spec.claims
    )
    return spec.model_copy(update={"claims": claims})


def _with_absolute(
    claim: UnderfitsSpec, baselines: Baselines, on_note: Callable[[str], None]
) -> UnderfitsSpec:
    absolute = {}
    for metric, share in claim.margins.given_shares.items():
        loss = fmean(getattr(baselines, metric))
        absolute[metric] = share * loss
        on_note(
            f"margin of {metric}: {absolute[metric]:.3g}, which is {share:g} of the {loss:.3g} "
            "that a constant prediction has"
        )
    margins = claim.margins.model_copy(update={**absolute, "shares": MarginShares()})
    return claim.model_copy(update={"margins": margins})


def _resolve(spec: StudySpec) -> tuple[DataSummary, Baselines]:
    data = load_targets(spec.data, 0, vary=spec.vary).summary
    loss = fitting_loss(spec.training.loss, task=data.task, n_classes=len(data.classes))
    constant = constant_prediction(loss)
    return data, measure_baselines(spec.data, seeds=spec.n_seeds, vary=spec.vary, constant=constant)
