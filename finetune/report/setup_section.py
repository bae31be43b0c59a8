"""What was run, in words: data, network, training, variants, and what the seeds vary."""

from finetune.report.markdown import (
    Section,
    bullets,
    code,
    number,
    paragraphs,
    plain,
    quoted,
    table,
)
from finetune.spec import EarlyStoppingSpec, Part, ReduceLRSpec, StudySpec, VariantSpec

_SOURCES = {
    "init": "the initial weights",
    "order": "the order of the training rows",
    "split": "which rows train, validate and test",
    "data": "the data set itself, drawn anew from its generator",
}


def setup_section(spec: StudySpec) -> Section:
    """Say what was trained and on what, and how far the results reach."""
    variants = table(
        [(plain(variant.name), _callbacks(variant)) for variant in spec.variants],
        columns=["Variant", "Callbacks"],
        align="left",
    )
    facts = bullets(
        f"**Data:** {_data(spec)}",
        f"**Network:** {_network(spec)}",
        f"**Training:** {_training(spec)}",
        f"**Runs:** {len(spec.variants)} variants at {spec.seeds} seeds. All variants of a seed "
        "share initial weights, order of rows and data, so they are compared pair by pair.",
        f"**What a seed changes:** {_join([_SOURCES[source] for source in spec.vary])}.",
        f"**Scope:** {_scope(spec)}",
    )
    return Section("What was run", paragraphs(facts, variants, _min_delta_note(spec)))


def _data(spec: StudySpec) -> str:
    data = spec.data
    arguments = ", ".join(f"{key}={value!r}" for key, value in data.args.items())
    shares = (1 - data.val_size - data.test_size, data.val_size, data.test_size)
    train, validation, test = (f"{number(100 * share)} %" for share in shares)
    source = code(f"{data.source}({arguments})" if arguments else data.source)
    return (
        f"{source}; {train} training, {validation} validation, {test} test "
        f"(split seed {data.split_seed}). The callbacks see the validation rows, never the test "
        "rows."
    )


def _network(spec: StudySpec) -> str:
    if spec.model.factory:
        return f"made by {code(spec.model.factory)}."
    if not spec.model.hidden:
        return "one output layer, no hidden ones."
    units = "-".join(map(str, spec.model.hidden))
    return f"dense layers of {units} units ({plain(spec.model.activation)}), and an output layer."


def _training(spec: StudySpec) -> str:
    training, optimizer = spec.training, spec.training.optimizer
    arguments = "".join(f", {plain(key)} {plain(value)}" for key, value in optimizer.args.items())
    return (
        f"{plain(optimizer.name)} with learning rate {optimizer.learning_rate:g}{arguments}; "
        f"loss {plain(training.loss)}; batches of {training.batch_size}; "
        f"at most {training.epochs} epochs; {training.dtype}."
    )


def _scope(spec: StudySpec) -> str:
    if "data" in spec.vary:
        return (
            "every seed draws its own data set from one generator. The intervals speak about "
            "data of this generator, not about other kinds of data."
        )
    shared = "one data set" if "split" in spec.vary else "one data set and one split of it"
    return (
        f"all runs share {shared}. The intervals say how much results vary when training is "
        "repeated; they say nothing about other data sets."
    )


def _callbacks(variant: VariantSpec) -> str:
    policies = [policy for _, policy in variant if isinstance(policy, Part)]
    return "<br>".join(map(_policy, policies)) or "none"


def _policy(policy: Part) -> str:
    match policy:
        case EarlyStoppingSpec():
            return _early_stopping(policy)
        case ReduceLRSpec():
            return _reduce_lr(policy)
    arguments = ", ".join(f"{key} = {plain(value)}" for key, value in policy)
    return f"{type(policy).__name__.removesuffix('Spec')}: {arguments}"


def _early_stopping(policy: EarlyStoppingSpec) -> str:
    return "Early stopping: " + ", ".join(
        [
            f"stops after {_patience(policy)} without better {plain(policy.monitor)}",
            *_shared(policy),
            *([] if policy.baseline is None else [f"baseline {policy.baseline:g}"]),
            "restores the best weights"
            if policy.restore_best_weights
            else "keeps the last weights",
        ]
    )


def _reduce_lr(policy: ReduceLRSpec) -> str:
    return "LR reduction: " + ", ".join(
        [
            f"LR times {policy.factor:g} after {_patience(policy)} without better "
            f"{plain(policy.monitor)}",
            *_shared(policy),
            *([f"cooldown {policy.cooldown} epochs"] if policy.cooldown else []),
            *([f"LR at least {policy.min_lr:g}"] if policy.min_lr else []),
        ]
    )


def _patience(policy: EarlyStoppingSpec | ReduceLRSpec) -> str:
    # Keras waits for one epoch with a patience of 0 too.
    return f"{policy.patience} epochs" if policy.patience > 1 else "1 epoch"


def _shared(policy: EarlyStoppingSpec | ReduceLRSpec) -> list[str]:
    delay = policy.start_from_epoch
    ignored = [f"ignores the first {delay} epochs"] if delay else []
    return [f"min\\_delta {policy.min_delta:g}", *ignored]


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
        _join(sorted({f"{getattr(variant, kind).min_delta:g}" for variant in mixed}))
        for kind in ("early_stopping", "reduce_lr")
    )
    names = _join([quoted(variant.name) for variant in mixed])
    return (
        f"**Mind `min_delta`** (Keras's defaults differ: 0 and 0.0001). In {names} early stopping "
        f"counts an improvement of more than {stop} and LR reduction one of more than {cut}, so a "
        "tiny improvement resets the patience of one callback and not of the other. What they do "
        "together is then not simply what each does alone."
    )


def _join(words: list[str]) -> str:
    return (
        " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "nothing"
    )
