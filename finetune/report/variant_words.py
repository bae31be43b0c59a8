"""A variant's policies in words, for the table of what was run."""

from collections.abc import Iterator, Mapping
from typing import Any

from finetune.report.markdown import code, percent, plain, quoted
from finetune.spec.base import BaseSpec
from finetune.spec.study import StudySpec
from finetune.spec.variants import (
    CallbackSpec,
    ConstantSpec,
    CosineSpec,
    EarlyStoppingSpec,
    ExponentialSpec,
    OneCycleSpec,
    ReduceLRSpec,
    ScheduleSpec,
    VariantSpec,
)


def variant_in_words(variant: VariantSpec) -> str:
    """Describe what a variant adds to the study or sets otherwise, a line each."""
    policies = [policy for _, policy in variant if isinstance(policy, BaseSpec)]
    overrides = [
        f"{code(key)} = {code(shown)}"
        for section in ("model", "training")
        for key, shown in _leaves(getattr(variant, section), section)
    ]
    callbacks = map(_user_callback, variant.callbacks)
    return "<br>".join([*map(_policy, policies), *overrides, *callbacks]) or "nothing"


def _leaves(tree: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield the dotted path and the value of all that a variant sets, a file's digest left out."""
    for key, value in tree.items():
        at = f"{path}.{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, at)
        elif key != "content":
            yield at, str(value)


def user_callbacks_note(spec: StudySpec) -> str:
    """Name the variants with callbacks of the user, and what that means; empty if none."""
    names = [quoted(variant.name) for variant in spec.variants if variant.callbacks]
    if not names:
        return ""
    return (
        f"**User's callbacks:** the runs of {', '.join(names)} were trained by `keras.Model.fit`, "
        "one after another, since only there a callback may do anything. They are the reference "
        "engine's own numbers, so no parity certificate is needed for them."
    )


def _policy(policy: BaseSpec) -> str:
    match policy:
        case EarlyStoppingSpec():
            return _early_stopping(policy)
        case ReduceLRSpec():
            return _reduce_lr(policy)
        case ConstantSpec() | ExponentialSpec() | CosineSpec() | OneCycleSpec():
            return _schedule(policy)
    arguments = ", ".join(f"{key} = {plain(value)}" for key, value in policy)
    return f"{type(policy).__name__.removesuffix('Spec')}: {arguments}"


def _user_callback(callback: CallbackSpec) -> str:
    arguments = ", ".join(f"{key}={value!r}" for key, value in callback.args.items())
    called = f"{callback.callback}({arguments})" if arguments else callback.callback
    # In a table a bar ends the field, even within code.
    shown = code(called).replace("|", r"\|")
    return f"User's callback {shown} (trained by `keras.Model.fit`, run by run)"


def _schedule(schedule: ScheduleSpec) -> str:
    match schedule:
        case ConstantSpec():
            words = f"constant, base LR times {schedule.factor:g}"
        case ExponentialSpec():
            words = f"exponential, LR times {schedule.factor:g} after each epoch"
        case CosineSpec():
            words = _cosine(schedule)
        case OneCycleSpec():
            words = (
                f"one cycle of {schedule.epochs} epochs, from the base LR / "
                f"{schedule.initial_divisor:g} up to the base LR in the first "
                f"{percent(schedule.rise)}, then down to the base LR / "
                f"{schedule.final_divisor:g}"
            )
    warm_up = f", after a linear warm-up of {_epochs(schedule.warm_up)}" if schedule.warm_up else ""
    return f"LR schedule: {words}{warm_up}"


def _cosine(schedule: CosineSpec) -> str:
    growth, decay, floor = schedule.growth, schedule.decay, schedule.floor
    return ", ".join(
        [
            f"cosine annealing, restarted after {_epochs(schedule.period)}",
            *([f"each further cycle {growth:g} times as long"] if growth > 1 else []),
            *([f"each peak {decay:g} times as high"] if decay < 1 else []),
            *([f"never below base LR times {floor:g}"] if floor else []),
        ]
    )


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
            *([f"ignores all after {_epochs(end)}"] if (end := policy.until_epoch) else []),
            *([f"cooldown {policy.cooldown} epochs"] if policy.cooldown else []),
            *([f"LR at least {policy.min_lr:g}"] if policy.min_lr else []),
        ]
    )


def _patience(policy: EarlyStoppingSpec | ReduceLRSpec) -> str:
    # Keras waits for one epoch with a patience of 0 too.
    return _epochs(max(policy.patience, 1))


def _shared(policy: EarlyStoppingSpec | ReduceLRSpec) -> list[str]:
    delay = policy.start_from_epoch
    ignored = [f"ignores the first {delay} epochs"] if delay else []
    return [f"min\\_delta {policy.min_delta:g}", *ignored]


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
