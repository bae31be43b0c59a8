"""`python -m tests.stopped SIGNAL N ARGUMENTS`: `finetune` that stops itself amid its N-th task.

Training is real or, with `MADE_UP` in the environment, made up. So a test knows where the signal
falls, whatever the machine's speed.
"""

import os
import signal
import sys

from finetune.cli.app import main
from finetune.cli.training import Services
from finetune.engines.base import Task, TaskTables
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.task_result import train_by_engine
from tests.made_runs import made_tables


def services(how: signal.Signals, number: int) -> Services:
    """Return what lets the command line send its process a signal amid a task, counted from 1."""
    begun = 0

    def train(task: Task, on_progress) -> TaskTables:
        nonlocal begun
        begun += 1
        if "MADE_UP" in os.environ:
            _stop(how, begun == number)
            return made_tables(task, failed_share=0)

        def stopping(share: float) -> None:
            _stop(how, begun == number)
            on_progress(share)

        return train_by_engine(task, stopping)

    return Services(choose_executor=lambda *_, **__: InProcessExecutor(train=train), figures=False)


def _stop(how: signal.Signals, now: bool) -> None:
    if now:
        os.kill(os.getpid(), how)


if __name__ == "__main__":
    how, number = signal.Signals[sys.argv[1]], int(sys.argv[2])
    sys.argv = ["finetune", *sys.argv[3:]]
    main(services(how, number))
