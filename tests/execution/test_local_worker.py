"""A worker process on this machine ends at once."""

import subprocess
import sys

from tests.processes import ROOT

ENDING = """
import atexit
from finetune.execution.local_worker import dask_setup

class Loaded:
    def __del__(self):
        print("taken apart", flush=True)

loaded = Loaded()
dask_setup(None)
atexit.register(print, "ended in order", flush=True)
"""


def test_it_does_what_others_want_done_at_the_end_and_takes_nothing_apart():
    done = subprocess.run(
        [sys.executable, "-c", ENDING], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "ended in order\n"
