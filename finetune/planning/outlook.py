"""What a run of a study will do, in plain words, before anything of it begins."""

from pathlib import Path

from finetune.planning.estimate import CostEstimate
from finetune.planning.plan import Plan
from finetune.planning.units import count, duration


def outlook(plan: Plan, estimate: CostEstimate, folder: Path) -> str:
    """Say in a sentence what is trained, about how long that takes, and where results go."""
    spec = plan.runs.spec
    variants = _counted(len(spec.variants), "variant")
    seeds = _counted(spec.n_seeds, "seed")
    if spec.looks:
        seeds = f"{spec.looks[0].seeds} to {seeds}, until every claim is decided"
    usual = "" if estimate.sized else " (data and network as in the founding study)"
    return (
        f"{spec.name}: {variants} at {seeds}, {plan}; at most about {duration(estimate.seconds)} "
        f"on 2 cores{usual}; results go to {folder}"
    )


def _counted(number: int, what: str) -> str:
    return f"{count(number)} {what}{'' if number == 1 else 's'}"
