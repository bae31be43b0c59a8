"""Which optimizers the population engine trains exactly; light to import, for plans ask it."""

from finetune.spec.training import OptimizerSpec

# Optimizers by name as Keras compares it, and why they need a model for each run.
_NAMES = {
    "lossscaleoptimizer": "whose scale runs would share",
    "multioptimizer": "which has no one learning rate",
    "schedulefreeadamw": "whose averages begin at each run's own weights",
}
_ARGUMENTS = {
    "use_ema": "since Keras swaps the averaged weights in only when training ends",
    "gradient_accumulation_steps": "since Keras assigns in a branch that depends on the step",
}


def why_not_exact(optimizer: OptimizerSpec) -> str | None:
    """Return why rows cannot share one optimizer, as the words for a sentence; None if they can."""
    name = optimizer.name.lower()
    if name in _NAMES:
        return f"training.optimizer is {optimizer.name!r}, {_NAMES[name]}"
    for argument, reason in _ARGUMENTS.items():
        if value := optimizer.args.get(argument):
            return f"training.optimizer.args.{argument} is {value!r}, {reason}"
    return None
