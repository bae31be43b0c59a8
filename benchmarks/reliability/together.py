"""Several programs on one folder at once; training is made up."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import Ended, begin
from benchmarks.reliability.lanes import in_lanes
from benchmarks.reliability.studies import command, tables

_KERAS = ("--engine", "keras")
# Another study of the same folder, which shares runs with the first.
_OTHER = (*_KERAS, "--set", "variants.0.reduce_lr.patience=2")

_SECONDS_APART = 0.5


def together(count: int, seed: int) -> list[dict[str, Any]]:
    """Begin two runs of one study, one of another and two compactions at once, so often."""
    with tempfile.TemporaryDirectory() as scratch:
        known = {}
        for options in (_KERAS, _OTHER):
            folder = Path(scratch) / str(len(known))
            begin(command("run", folder, *options), folder).end()
            known[options] = tables(folder)

        def one(number: int) -> list[dict[str, Any]]:
            rng, folder = np.random.default_rng([seed, number]), Path(scratch) / f"all-{number}"
            # Every other time the first study has been trained before.
            if number % 2:
                shutil.copytree(Path(scratch) / "0", folder)
            ended = _at_once(folder, rng)
            try:
                found = _judged(folder, ended, known)
                return [{"what": "five programs on one folder at once", "tried": 1, **found}]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return in_lanes(one, range(count))


def _at_once(folder: Path, rng: np.random.Generator) -> list[Ended]:
    runs = [command("run", folder, *options) for options in (_KERAS, _KERAS, _OTHER)]
    commands = [*runs, ["compact", str(folder)], ["compact", str(folder)]]
    waits = rng.uniform(0, _SECONDS_APART, len(commands))
    begun = [begin(c, folder, wait=wait) for c, wait in zip(commands, waits, strict=True)]
    return [process.end() for process in begun]


def _judged(folder: Path, ended: list[Ended], known: dict) -> dict[str, Any]:
    """Run both studies once more: nothing may be left to train, and the numbers must be right."""
    unsound = [process.said for process in ended if process.code and not _too_early(process)]
    lost = wrong = 0
    for options, expected in known.items():
        again = begin(command("run", folder, *options), folder).end()
        lost += " 0 to train" not in again.said
        wrong += again.code != 0 or tables(folder) != expected
    aside = len([*(folder / "store").glob("set-aside/*/*")])
    codes = " ".join(str(process.code) for process in ended)
    said = "\n".join(unsound)[-2000:]
    return {
        "lost": lost,
        "wrong": wrong + len(unsound),
        "codes": codes,
        "aside": aside,
        "said": said,
    }


def _too_early(process: Ended) -> bool:
    """Tell whether a compaction met no store yet."""
    return process.told_in_one_line and "holds no stored runs" in process.said
