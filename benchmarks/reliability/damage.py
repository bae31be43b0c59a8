"""Damage a study's store in one way or other, and resume the study; training is made up."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.lanes import in_lanes
from benchmarks.reliability.studies import OVERRIDES, tables
from finetune.execution.training import Options
from finetune.studies.load import load_spec
from finetune.studies.run import run_study

# What is changed, and where: a folder or a file of a shard, or the whole store.
Damage = Callable[[Path, np.random.Generator], None]


def _flip_a_bit(file: Path, rng: np.random.Generator) -> None:
    content = bytearray(file.read_bytes())
    content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    file.write_bytes(content)


def _cut_short(file: Path, rng: np.random.Generator) -> None:
    os.truncate(file, int(rng.integers(file.stat().st_size)))


def _make_longer(file: Path, rng: np.random.Generator) -> None:
    file.write_bytes(file.read_bytes() + rng.bytes(int(rng.integers(1, 100))))


def _fill_with_garbage(file: Path, rng: np.random.Generator) -> None:
    file.write_bytes(rng.bytes(file.stat().st_size))


def _invert_a_part(file: Path, rng: np.random.Generator) -> None:
    content = np.frombuffer(file.read_bytes(), np.uint8).copy()
    start = int(rng.integers(len(content)))
    content[start : int(rng.integers(start + 1, len(content) + 1))] ^= 255
    file.write_bytes(content.tobytes())


def _put_another_in_its_place(file: Path, rng: np.random.Generator) -> None:
    others = sorted(set(file.parent.iterdir()) - {file})
    shutil.copyfile(others[rng.integers(len(others))], file)


def _put_a_folder_in_its_place(file: Path, rng: np.random.Generator) -> None:
    file.unlink()
    file.mkdir()


def _link_to_nowhere(file: Path, rng: np.random.Generator) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def _link_to_itself(file: Path, rng: np.random.Generator) -> None:
    file.unlink()
    file.symlink_to(file.name)


def _remove(file: Path, rng: np.random.Generator) -> None:
    file.unlink()


OF_A_FILE: dict[str, Damage] = {
    "one bit flipped": _flip_a_bit,
    "cut short": _cut_short,
    "emptied": lambda file, rng: os.truncate(file, 0),
    "made longer": _make_longer,
    "filled with garbage": _fill_with_garbage,
    "a part inverted": _invert_a_part,
    "another shard in its place": _put_another_in_its_place,
    "a folder in its place": _put_a_folder_in_its_place,
    "a link to nowhere in its place": _link_to_nowhere,
    "a link to itself in its place": _link_to_itself,
    "removed": _remove,
}


def resume(folder: Path) -> list[str]:
    """Run the study as a user would, with training made up; give what it said."""
    notes: list[str] = []
    spec = load_spec(overrides=OVERRIDES)
    run_study(spec, folder, engine="keras", options=Options(on_note=notes.append))
    return notes


def damages(count: int, seed: int) -> list[dict[str, Any]]:
    """Damage a store so often, each time a whole one, and resume; give a row a damage."""
    with tempfile.TemporaryDirectory() as scratch:
        sound = Path(scratch) / "sound"
        resume(sound)
        known = tables(sound)

        def one(number: int) -> list[dict[str, Any]]:
            rng = np.random.default_rng([seed, number])
            folder = Path(scratch) / str(number)
            shutil.copytree(sound, folder)
            try:
                kind = list(OF_A_FILE)[number % len(OF_A_FILE)]
                part = ("runs", "epochs")[int(rng.integers(2))]
                found = damaged(folder, kind, part, rng=rng, known=known)
                return [{"what": "damage to a shard", "tried": 1, **found}]
            finally:
                shutil.rmtree(folder)

        return in_lanes(one, range(count))


def damaged(
    folder: Path, kind: str, part: str, *, rng: np.random.Generator, known: dict[str, bytes]
) -> dict[str, Any]:
    """Damage a file of one shard and resume; give what was lost in silence and what is wrong.

    Args:
        folder: Of a finished study.
        kind: One of `OF_A_FILE`.
        part: `runs` or `epochs`.
        rng: Draws the shard and the place in it.
        known: The study's tables where nothing disturbs it.
    """
    files = sorted((folder / "store" / part).glob("*.parquet"))
    file = files[rng.integers(len(files))]
    OF_A_FILE[kind](file, rng)
    left = _content(file)
    said = [note for note in resume(folder) if file.name in note]
    away = folder / "store" / "set-aside" / part / file.name
    # A shard without its runs was never finished: there is nothing to be told or kept.
    expected = not (kind == "removed" and part == "runs")
    return {
        "damage": kind,
        "part": part,
        "told": len(said),
        "lost": int(_content(away) != left or len(said) != expected),
        "wrong": int(tables(folder) != known),
        "said": " ".join(said),
    }


def _content(file: Path) -> object:
    """Give what tells a file, a link or a folder from any other; None where there is nothing."""
    if file.is_symlink():
        return str(file.readlink())
    if file.is_dir():
        return sorted(file.iterdir())
    return file.read_bytes() if file.exists() else None
