"""The first import of matplotlib in a process, which then obeys no settings but our own."""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def import_matplotlib() -> None:
    """Import matplotlib without the `matplotlibrc` of the current folder.

    It reads that file when it is imported, before any other and whatever its environment has, and
    ends where the file is broken. Beside its own data lies one in which nothing is set.
    """
    package = find_spec("matplotlib")
    places = package and package.submodule_search_locations
    if not places:
        raise ImportError("matplotlib is not installed")
    here = Path.cwd()
    os.chdir(Path(places[0], "mpl-data"))
    try:
        import matplotlib  # noqa: F401, PLC0415
    finally:
        os.chdir(here)
