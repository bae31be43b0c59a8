"""How large the checks of a study are: together at most half as many runs as the study's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from finetune.planning.block import Block
from finetune.planning.checks import check_blocks
from finetune.spec.study import StudySpec

# Where there is not room for all, the last are cut first.
_BY_WORTH = ("parity", "same_again", "probe", "variance")

# A check that is shortened to fewer shows no spread.
_LEAST_SEEDS = 2


@dataclass(frozen=True)
class CheckSize:
    """How large one check is.

    Attributes:
        name: In `[checks]`.
        wanted: What the study has there.
        seeds: At how many it is trained, 0 where it is left out.
        n_runs: How many runs it takes.
        whole_seeds, whole_runs: What it would be without the limit; 0 where it does not apply.
    """

    name: str
    wanted: bool | int
    seeds: int
    n_runs: int
    whole_seeds: int
    whole_runs: int


def sized_checks(
    spec: StudySpec, engine: str
) -> tuple[dict[str, tuple[Block, ...]], tuple[CheckSize, ...]]:
    """Plan the checks of a study within the limit, and tell how large each came out.

    A number of seeds in `[checks]` is kept, and counts; the others share the room that is left.

    Returns:
        The blocks of each check, by its name in `[checks]`, and their sizes.
    """
    whole = check_blocks(spec, engine)
    asked = {name: some for name, some in whole.items() if getattr(spec.checks, name) is not True}
    room = len(spec.variants) * spec.n_seeds // 2 - sum(map(_n_runs, asked.values()))
    fitted = dict(asked)
    for name in (one for one in _BY_WORTH if one not in asked):
        shorten = _of_fewer_variants if name == "parity" else _of_fewer_seeds
        fitted[name] = shorten(whole[name], max(room, 0))
        room -= _n_runs(fitted[name])
    sizes = tuple(_size(spec, name, whole=whole, fitted=fitted) for name in _BY_WORTH)
    return fitted, sizes


def _of_fewer_seeds(blocks: tuple[Block, ...], room: int) -> tuple[Block, ...]:
    """Return the blocks at the seeds for which there is room; none where these are too few."""
    if _n_runs(blocks) <= room:
        return blocks
    n_seeds = room // sum(len(block.variants) for block in blocks)
    if n_seeds < _LEAST_SEEDS:
        return ()
    return tuple(replace(block, seeds=block.seeds[:n_seeds]) for block in blocks)


def _of_fewer_variants(blocks: tuple[Block, ...], room: int) -> tuple[Block, ...]:
    """Return the blocks with the variants for which there is room, of one seed each."""
    shorter = [replace(block, variants=block.variants[:room]) for block in blocks]
    return tuple(block for block in shorter if block.variants)


def _size(
    spec: StudySpec,
    name: str,
    *,
    whole: Mapping[str, tuple[Block, ...]],
    fitted: Mapping[str, tuple[Block, ...]],
) -> CheckSize:
    return CheckSize(
        name=name,
        wanted=getattr(spec.checks, name),
        seeds=_n_seeds(fitted[name]),
        n_runs=_n_runs(fitted[name]),
        whole_seeds=_n_seeds(whole[name]),
        whole_runs=_n_runs(whole[name]),
    )


def _n_runs(blocks: tuple[Block, ...]) -> int:
    return sum(block.n_runs for block in blocks)


def _n_seeds(blocks: tuple[Block, ...]) -> int:
    return len(blocks[0].seeds) if blocks else 0
