"""What a study would cost, before anything of it begins: time, disk and memory, at most."""

from collections.abc import Sequence
from dataclasses import dataclass

from finetune.data.size import DataSize, data_size
from finetune.engines.base import Workload
from finetune.engines.registry import DEFAULT
from finetune.planning.block import RunCount
from finetune.planning.claim_map import map_run_count
from finetune.planning.plan import Plan
from finetune.planning.search import batch_run_epochs, search_run_counts
from finetune.planning.units import count, duration, size
from finetune.planning.workload import count_weights, training_workload
from finetune.spec.study import StudySpec

# Measured with the founding study: bytes of the store and of the analysis's tables.
_DISK_OF_EPOCH, _DISK_OF_RUN = 30, 300
_MEMORY_OF_EPOCH, _MEMORY_OF_RUN = 1000, 500

# Values of a weight that training holds: itself, gradient, optimizer's state, kept copies.
_COPIES = 8

# Data whose size is not known are taken to be of the founding study's.
_USUAL_SIZE = DataSize(n_rows=1000, n_features=10, n_bytes=80_000)

# Beyond these a user is asked.
MOST_SECONDS = 2 * 3600
MOST_DISK = 10 * 10**9

# Larger whole numbers are no floats.
_LARGEST = 10**30


@dataclass(frozen=True)
class CostEstimate:
    """What training and analysis take at most.

    Attributes:
        runs: Number of runs.
        run_epochs: Epochs of all runs together, if none stops early.
        seconds: On 2 cores.
        disk: Bytes of the store.
        memory: Bytes that the program needs for training one network and for the analysis.
        sized: Whether the study tells the size of data and network; else they are taken to be the
            founding study's.
    """

    runs: int
    run_epochs: int
    seconds: float
    disk: int
    memory: int
    sized: bool

    def exceeds(self, memory: float) -> bool:
        """Return whether a user should be asked first, on a machine with so many bytes."""
        return self.seconds > MOST_SECONDS or self.disk > MOST_DISK or self.memory > memory

    def followed_by(self, other: "CostEstimate") -> "CostEstimate":
        """Return the cost of both, one after the other; the larger one's memory serves both."""
        return CostEstimate(
            self.runs + other.runs,
            self.run_epochs + other.run_epochs,
            self.seconds + other.seconds,
            self.disk + other.disk,
            max(self.memory, other.memory),
            self.sized and other.sized,
        )

    def __str__(self) -> str:
        about = "about" if self.sized else "(data and network as in the founding study) about"
        return (
            f"{count(self.runs)} runs with at most {count(self.run_epochs)} epochs in all: "
            f"{about} {duration(self.seconds)} on 2 cores, {size(self.disk)} of disk and "
            f"{size(self.memory)} of memory"
        )


def estimate_run(spec: StudySpec, engine: str = DEFAULT.name) -> CostEstimate:
    """Estimate a study with all that its report rests on.

    Raises:
        SpecError: There is no engine of that name, or the network's file cannot be read.
        DataError: The data's file has an array that no program wrote.
    """
    counts = [count for block in Plan.of(spec, engine).blocks for count in block.run_counts]
    # The analysis holds every epoch of every run at once.
    return _estimate(counts, analysed=sum(count.run_epochs for count in counts))


def estimate_map(spec: StudySpec) -> CostEstimate:
    """Estimate a claim map, whose analysis reads no epochs."""
    return _estimate([map_run_count(spec)], analysed=0)


def estimate_search(spec: StudySpec) -> CostEstimate:
    """Estimate the search, the confirmation of its winners, and the study."""
    search = _estimate(search_run_counts(spec), analysed=batch_run_epochs(spec))
    return search.followed_by(estimate_run(spec))


@dataclass(frozen=True)
class _ProblemSize:
    """What it takes to train a problem: the work of an epoch, and the bytes that hold it."""

    workload: Workload
    memory: int
    sized: bool


def _problem_size(spec: StudySpec) -> _ProblemSize:
    known = data_size(spec.data)
    size = known or _USUAL_SIZE
    n_weights = count_weights(spec, size.n_features)
    workload = training_workload(spec, size.n_rows, n_weights)
    network = workload.n_weights * _COPIES * (8 if spec.training.dtype == "float64" else 4)
    # The batch order of all epochs is drawn at once; rows are held raw, prepared and cast.
    rows = size.n_bytes + size.n_rows * size.n_features * 16
    order = workload.n_rows * spec.training.epochs * 4
    sized = known is not None and n_weights is not None
    return _ProblemSize(workload, network + rows + order, sized)


def _estimate(counts: Sequence[RunCount], *, analysed: int) -> CostEstimate:
    """Sum up what runs cost; the analysis holds `analysed` epochs of them at once."""
    runs = sum(count.n_runs for count in counts)
    run_epochs = sum(count.run_epochs for count in counts)
    problems = {count.spec.problem: count.spec for count in counts}
    sizes = {problem: _problem_size(spec) for problem, spec in problems.items()}
    seconds = sum(
        min(count.run_epochs, _LARGEST)
        * count.engine.seconds_per_epoch(sizes[count.spec.problem].workload)
        for count in counts
    )
    tables = analysed * _MEMORY_OF_EPOCH + runs * _MEMORY_OF_RUN
    return CostEstimate(
        runs=runs,
        run_epochs=run_epochs,
        seconds=float(seconds),
        disk=run_epochs * _DISK_OF_EPOCH + runs * _DISK_OF_RUN,
        memory=max(size.memory for size in sizes.values()) + tables,
        sized=all(size.sized for size in sizes.values()),
    )
