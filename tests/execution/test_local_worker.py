"""A worker process on this machine ends at once."""

import subprocess
import sys

import pytest
from dask import config
from distributed import Client

from finetune.execution import connection
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


@pytest.mark.slow
@pytest.mark.parametrize("preload", ["wave", ["wave", "colorsys"]])
def test_what_the_user_has_workers_load_stays(preload):
    def loaded():
        return {"wave", "colorsys", "finetune.execution.local_worker"} & set(sys.modules)

    with (
        config.set({"distributed.worker.preload": preload}),
        connection.local_cluster() as local,
        Client(local, set_as_default=False) as client,
    ):
        connection.scale_up(local, client, 1)
        wanted = {preload} if isinstance(preload, str) else set(preload)
        assert client.submit(loaded).result() == wanted | {"finetune.execution.local_worker"}
