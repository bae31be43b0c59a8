"""What was run, in words: data, network, training, variants, and what the seeds vary."""

from finetune.claims.words import metric_name
from finetune.data.summary import DataSummary
from finetune.models.losses import USUAL_LOSSES
from finetune.models.summary import NETWORK_NOTE
from finetune.report.markdown import (
    bullets,
    code,
    number,
    paragraphs,
    plain,
    quoted,
    table,
)
from finetune.report.sections.base import ReportSection
from finetune.report.sections.resolved import TASKS, details, rows_fact, task_fact, weights_fact
from finetune.report.variant_words import user_callbacks_note, variant_in_words
from finetune.report.words import listed
from finetune.spec.data import DataSpec
from finetune.spec.model import ModelSpec
from finetune.spec.seeds import SOURCE_WORDS
from finetune.spec.study import StudySpec
from finetune.store.manifest import Manifest


def setup(spec: StudySpec, manifest: Manifest | None = None) -> str:
    """Describe what was trained and on what, and how far the results reach.

    `manifest` adds what data and network were resolved to.
    """
    data = manifest.data if manifest else None
    network = manifest.network if manifest else None
    spec = _filled_in(spec, data) if data else spec
    if network:
        spec = spec.model_copy(update={"data": network.as_taken(spec.data)})
    n_seeds = manifest.seeds if manifest and spec.looks else spec.n_seeds
    weights = f" {weights_fact(network, vary=spec.vary)}" if network else ""
    variants = table(
        [(plain(variant.name), variant_in_words(variant)) for variant in spec.variants],
        columns=["Variant", "What it adds to the study, or sets otherwise"],
        align="left",
    )
    sources = [f"the {SOURCE_WORDS[source]}" for source in spec.vary]
    facts = bullets(
        f"**Data:** {_data(spec, arrays=bool(data and (data.shaped or data.inputs)))}",
        f"**Task:** {task_fact(data, vary=spec.vary)}" if data else "",
        f"**Rows:** {rows_fact(data, vary=spec.vary)}" if data else "",
        f"**Network:** {_network(spec)}{weights}",
        f"**Training:** {_training(spec)}",
        f"**Runs:** {len(spec.variants)} variants at {n_seeds} seeds. {_shared(spec)}",
        f"**What a seed changes:** {listed(sources)}.",
        f"**Scope:** {_scope(spec)}",
    )
    return paragraphs(
        facts,
        details(manifest) if manifest else "",
        variants,
        _network_notes(manifest) if manifest else "",
        user_callbacks_note(spec),
        _min_delta_note(spec),
    )


def _network_notes(manifest: Manifest) -> str:
    """Say what became of loaded weights, variant by variant, as it was noted in training."""
    notes = [note for note in manifest.notes if note.startswith(NETWORK_NOTE)]
    # Some of the variants that one of them names may have trained once more, as for a check.
    longest = {note.split(": ", 1)[1]: note for note in sorted(notes, key=len)}
    said = sorted(longest.values())
    return bullets(*(f"{plain(note[:1].upper() + note[1:])}." for note in said))


def _filled_in(spec: StudySpec, data: DataSummary) -> StudySpec:
    """Return the study with the task and the loss that followed from its data."""
    loss = spec.training.loss or USUAL_LOSSES[data.task]
    return spec.model_copy(
        update={
            "data": spec.data.model_copy(update={"task": data.task}),
            "training": spec.training.model_copy(update={"loss": loss}),
        }
    )


def _shared(spec: StudySpec) -> str:
    if not any(variant.model for variant in spec.variants):
        return (
            "All variants of a seed share initial weights, order of rows and data, so they are "
            "compared pair by pair."
        )
    return (
        "All variants of a seed share order of rows and data, and the initial weights of layers "
        "that have the same name and shape, so they are compared pair by pair."
    )


def _data(spec: StudySpec, *, arrays: bool) -> str:
    data = spec.data
    arguments = ", ".join(f"{key}={value!r}" for key, value in data.args.items())
    shares = (1 - data.val_size - data.test_size, data.val_size, data.test_size)
    train, validation, test = (f"{number(100 * share)} %" for share in shares)
    source = code(f"{data.source}({arguments})" if arguments else data.source)
    return (
        f"{source}{_target(data)}; {train} training, {validation} validation, {test} test"
        f"{_of_what(data)} ({_split(spec)}{_stratified(data)}).{_kinship(data)} The callbacks see "
        f"the validation rows, never the test rows.{'' if arrays else _preparation(data)}"
    )


def _of_what(data: DataSpec) -> str:
    return f" of the groups that {code(data.groups)} names" if data.groups else ""


def _kinship(data: DataSpec) -> str:
    """Say what keeps rows together in a split."""
    if data.groups:
        return " No group has rows in two of them, and the column is no feature."
    if data.time:
        return " Rows of one time stay together, and the column is no feature."
    return ""


def _split(spec: StudySpec) -> str:
    if spec.data.time:
        return f"the latest by {code(spec.data.time)} for test, those before them for validation"
    if "split" in spec.vary:
        return "split anew for every seed"
    return f"split seed {spec.data.split_seed}"


def _target(data: DataSpec) -> str:
    named = f", target {code(data.target)}" if data.target else ""
    task = f", for {TASKS[data.task]}" if data.task else ""
    return named + task


def _stratified(data: DataSpec) -> str:
    if not data.stratified or data.task == "regression":
        return ""
    return ", every class by its share" + ("" if data.task else " where the target is classes")


def _preparation(data: DataSpec) -> str:
    """Explain how columns became numbers, where the data are the user's."""
    if data.kind == "sklearn":
        return ""
    dropped = f" Left out: {listed([code(name) for name in data.drop])}." if data.drop else ""
    scaled = "" if data.scale == "none" else " and scaled"
    as_kinds = f" and {listed([code(n) for n in data.categorical])}" if data.categorical else ""
    return (
        f"{dropped} Columns of numbers are imputed by their median{scaled}, by the training rows "
        f"alone; columns of text and booleans{as_kinds} are one-hot encoded, missing being one "
        "more category."
    )


def _network(spec: StudySpec) -> str:
    model = spec.model
    if model.own:
        return f"made by {code(model.own)}."
    if not model.hidden:
        return "one output layer, no hidden ones."
    units = "-".join(map(str, model.hidden))
    return (
        f"dense layers of {units} units ({plain(model.activation)}"
        f"{_initializer(model)}"
        f"{', batch normalisation' if model.batch_normalization else ''}"
        f"{f', dropout {model.dropout:g}' if model.dropout else ''}), and an output layer."
    )


def _initializer(model: ModelSpec) -> str:
    """Say what draws the weights of the hidden layers, where it is not Keras's default."""
    name = model.kernel_initializer
    usual = type(model).model_fields["kernel_initializer"].default
    return "" if name == usual else f", weights by {plain(name)}"


def _training(spec: StudySpec) -> str:
    training, optimizer = spec.training, spec.training.optimizer
    arguments = "".join(f", {plain(key)} {plain(value)}" for key, value in optimizer.args.items())
    return (
        f"{plain(optimizer.name)} with learning rate {optimizer.learning_rate:g}{arguments}; "
        f"{_loss(training.loss)}{_accuracy(training.accuracy)}{_metrics(training.metrics)}"
        f"{_weights(spec)}; batches of {training.batch_size}; "
        f"at most {training.epochs} epochs; {training.dtype}."
    )


def _loss(name: str | None) -> str:
    return f"loss {plain(name)}" if name else "the loss that is usual for the task"


def _accuracy(name: str | None) -> str:
    return f", accuracy {plain(name)}" if name else ""


def _metrics(names: tuple[str, ...] | None) -> str:
    return f", further metrics {listed([metric_name(name) for name in names])}" if names else ""


def _weights(spec: StudySpec) -> str:
    """Say what weighs rows in the training loss."""
    weights, of_rows = spec.training.class_weight, spec.data.weight
    if of_rows:
        return f", each training row weighed by {code(of_rows)} (no evaluation is)"
    if weights is None:
        return ""
    if isinstance(weights, str):
        return ", classes weighed so that each counts alike (no evaluation is weighed)"
    named = listed([f"{plain(name)} {weight:g}" for name, weight in weights.items()])
    return f", classes weighed by {named} in the training loss (no evaluation is weighed)"


def _scope(spec: StudySpec) -> str:
    if "data" in spec.vary:
        return (
            "every seed draws its own data set from one generator. The intervals speak about "
            "data of this generator, not about other kinds of data."
        )
    shared = "one data set" if "split" in spec.vary else "one data set and one split of it"
    return (
        f"all runs share {shared}. The intervals show how much results vary when training is "
        "repeated; they show nothing about other data sets."
    )


def _min_delta_note(spec: StudySpec) -> str:
    """Warn of variants whose two callbacks do not mean the same by an improvement."""
    mixed = [
        variant
        for variant in spec.variants
        if variant.early_stopping
        and variant.reduce_lr
        and variant.early_stopping.min_delta != variant.reduce_lr.min_delta
    ]
    if not mixed:
        return ""
    stop, cut = (
        listed(sorted({f"{getattr(variant, kind).min_delta:g}" for variant in mixed}))
        for kind in ("early_stopping", "reduce_lr")
    )
    names = listed([quoted(variant.name) for variant in mixed])
    return (
        f"**Mind `min_delta`** (Keras's defaults differ: 0 and 0.0001). In {names} early stopping "
        f"counts an improvement of more than {stop} and LR reduction one of more than {cut}, so a "
        "tiny improvement resets the patience of one callback and not of the other. What they do "
        "together is then not simply what each does alone."
    )


SETUP = ReportSection(
    "What was run", lambda context: setup(context.analysis.spec, context.manifest)
)
