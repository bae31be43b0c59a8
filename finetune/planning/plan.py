"""What a study trains: its own runs, and the checks that its report rests on."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finetune.engines.registry import REFERENCE, engine_for
from finetune.planning.block import Block
from finetune.planning.check_sizes import CheckSize, sized_checks
from finetune.planning.units import count
from finetune.spec.study import StudySpec

if TYPE_CHECKING:
    from finetune.store.base import Store


@dataclass(frozen=True)
class Plan:
    """What a study trains.

    Attributes:
        runs: The study's own.
        same_again: The claim's control once more, in another batch order (the A/A check).
        probe: The claim's treatment going on after training: `PROBE_ARMS`, in this order.
        parity: Some of the runs by the reference engine, for fewer epochs.
        variance: The claim's two variants again, a block for each source that the study varies,
            in which that source alone does.
        check_sizes: How large each check is, those left out too; none where the reference engine
            trains the study.
    """

    runs: Block
    same_again: Block | None = None
    probe: Block | None = None
    parity: Block | None = None
    variance: tuple[Block, ...] = ()
    check_sizes: tuple[CheckSize, ...] = ()

    @classmethod
    def of(cls, spec: StudySpec, engine: str, *, seeds: int | None = None) -> "Plan":
        """Plan a study that the engine of that name trains, at so many seeds; by default all.

        Raises:
            SpecError: There is no such engine.
        """
        n_seeds = spec.n_seeds if seeds is None else seeds
        runs = Block(spec, spec.variants, range(n_seeds), engine)
        # The reference engine trains no checks: it is slow, and its own parity.
        if all(engine_for(variant, spec, engine) is REFERENCE for variant in spec.variants):
            return cls(runs)
        checks, sizes = sized_checks(spec.model_copy(update={"seeds": n_seeds}), engine)
        same_again, probe, parity = (
            next(iter(checks[name]), None) for name in ("same_again", "probe", "parity")
        )
        return cls(runs, same_again, probe, parity, checks["variance"], sizes)

    def __str__(self) -> str:
        checks = sum(size.n_runs for size in self.check_sizes)
        more = f", {count(checks)} more for checks" if checks else ""
        return f"{count(self.runs.n_runs)} runs{more}"

    def stored(self, store: "Store") -> "Plan":
        """Return the plan without those of its checks that a store does not hold whole.

        The blocks of `variance` are compared with each other, so they stay or go together.
        """

        def kept(block: Block | None) -> Block | None:
            missing = block and store.missing(block.recipes, block.seeds)
            return None if missing else block

        return replace(
            self,
            same_again=kept(self.same_again),
            probe=kept(self.probe),
            parity=kept(self.parity),
            variance=self.variance if all(kept(block) for block in self.variance) else (),
        )

    @property
    def blocks(self) -> list[Block]:
        """All blocks, in the order in which they are best trained.

        Parity first: it trains run by run, and the others would have to wait for it at the end.
        """
        blocks = (self.parity, self.runs, self.same_again, self.probe, *self.variance)
        return [block for block in blocks if block]
