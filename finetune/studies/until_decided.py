"""Train seeds in steps, judge the claims after each, and end when every claim is settled."""

from collections.abc import Sequence
from dataclasses import replace

from finetune.analysis.runs import all_runs
from finetune.claims.phrases import quoted
from finetune.claims.registry import judge_claim
from finetune.claims.verdict import Verdict
from finetune.claims.words import expected_sentence
from finetune.execution.training import Options, TrainingSummary, train_blocks
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.stats.looks import expected_seeds
from finetune.store.base import Store

# In standard deviations of the paired differences: what is told of before training.
_DISTANCES = (0.3, 0.5, 1.0, 3.0)


def train_until_decided(
    spec: StudySpec, engine: str, store: Store, options: Options
) -> tuple[TrainingSummary, int]:
    """Train a study look by look, as far as its claims need, and then its checks.

    What is stored is not trained again, and the looks are the same whatever is stored: a study that
    was cut goes on with the look that it was cut at.

    Returns:
        What was trained, and at how many seeds every claim is settled, or the most there are. It
        ends early where a task failed.

    Raises:
        FinetuneError: Something that the user can mend; what was finished before is stored.
    """
    alpha = min(claim.alpha for claim in spec.claims)
    expected = {dz: expected_seeds(spec.looks, dz, alpha=alpha) for dz in _DISTANCES}
    options.progress.note(expected_sentence(expected))
    total = TrainingSummary()
    for look in spec.looks:
        plan = Plan.of(spec, engine, seeds=look.seeds)
        total = total.followed_by(train_blocks([plan.runs], store, options))
        if total.failures:
            return total, look.seeds
        runs = all_runs(plan.runs, store)
        verdicts = [judge_claim(runs, claim, spec) for claim in spec.claims]
        open_ = [one for one in verdicts if not one.settled]
        options.progress.note(_told(look.seeds, verdicts, open_))
        if not open_:
            break
    # Only now it is known how many seeds the checks have.
    total = total.followed_by(train_blocks(plan.blocks, store, options))
    # The runs of earlier looks are found again at each look: they count once.
    wanted = sum(block.n_runs for block in plan.blocks)
    return replace(total, runs_reused=max(0, wanted - total.runs_trained)), look.seeds


def _told(seeds: int, verdicts: Sequence[Verdict], open_: Sequence[Verdict]) -> str:
    settled = [f"{quoted(one.name)} is {one.verdict}" for one in verdicts if one not in open_]
    waiting = [f"{quoted(one.name)} is not settled" for one in open_]
    return f"Look at {seeds} seeds: {'; '.join([*settled, *waiting])}"
