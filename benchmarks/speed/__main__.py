"""`python -m benchmarks.speed`: time everything and write the report."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.speed.report import write_report
from benchmarks.speed.rounds import Scale, measure

_QUICK = Scale(seeds=2, epochs=3, single_epochs=2, trial_epochs=0, rounds=1, cores=1, sweep=(0, 1))


def main(arguments: list[str] | None = None) -> None:
    """Parse arguments, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("reports/speed"), metavar="DIR")
    parser.add_argument("--rounds", type=_positive, metavar="N", help="interleaved rounds")
    parser.add_argument("--quick", action="store_true", help="seconds long; times mean nothing")
    given = parser.parse_args(arguments)
    scale = _QUICK if given.quick else Scale()
    scale = replace(scale, rounds=given.rounds or scale.rounds)
    started = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    print(write_report(given.out, measure(scale, say), scale))


def _positive(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"received {text}; allowed is 1 or more")
    return count


if __name__ == "__main__":
    main()
