"""Damage a study's store in one way or other, and resume the study; training is simulated."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.events import Events
from benchmarks.reliability.parallel import run_parallel
from benchmarks.reliability.simulated_training import SimulatedExecutor
from benchmarks.reliability.study import OVERRIDES, read_tables
from finetune.engines.registry import REFERENCE
from finetune.execution.progress import Progress
from finetune.execution.training import Options
from finetune.studies.load import load_spec
from finetune.studies.run import run_study

# Changes a file of a shard; the generator draws where in it.
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


def _invert_a_range(file: Path, rng: np.random.Generator) -> None:
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


DAMAGES: dict[str, Damage] = {
    "one bit flipped": _flip_a_bit,
    "cut short": _cut_short,
    "emptied": lambda file, rng: os.truncate(file, 0),
    "made longer": _make_longer,
    "filled with garbage": _fill_with_garbage,
    "a range inverted": _invert_a_range,
    "another shard in its place": _put_another_in_its_place,
    "a folder in its place": _put_a_folder_in_its_place,
    "a link to nowhere in its place": _link_to_nowhere,
    "a link to itself in its place": _link_to_itself,
    "removed": _remove,
}


class _Notes(Progress):
    """Keeps the notes of a study."""

    def __init__(self):
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def damage_shards(count: int, seed: int) -> Events:
    """Damage a store so often, a whole one each time, and resume; return an event each time."""
    with tempfile.TemporaryDirectory() as scratch:
        sound = Path(scratch) / "sound"
        _resume(sound)
        tables = read_tables(sound)

        def work(number: int) -> Events:
            rng = np.random.default_rng([seed, number])
            folder = Path(scratch) / str(number)
            shutil.copytree(sound, folder)
            try:
                return [_damage_one(folder, list(DAMAGES)[number % len(DAMAGES)], tables, rng=rng)]
            finally:
                shutil.rmtree(folder)

        return run_parallel(work, range(count))


def _damage_one(
    folder: Path, damage: str, tables: dict[str, bytes], *, rng: np.random.Generator
) -> dict[str, Any]:
    """Damage a file of a shard and resume; count what was lost without a note, and errors.

    Args:
        folder: Of a finished study.
        damage: One of `DAMAGES`.
        tables: Of the study where nothing disturbs it.
        rng: Draws the shard and the place in it.
    """
    half = ("runs", "epochs")[int(rng.integers(2))]
    files = sorted((folder / "store" / half).glob("*.parquet"))
    file = files[rng.integers(len(files))]
    DAMAGES[damage](file, rng)
    damaged = _content(file)
    notes = [note for note in _resume(folder) if file.name in note]
    kept = _content(folder / "store" / "set-aside" / half / file.name) == damaged
    # A shard without its runs was never finished: there is nothing to report or to keep.
    reported = len(notes) == (0 if (damage, half) == ("removed", "runs") else 1)
    return {
        "kind": "damage to a shard",
        "damage": f"{half}: {damage}",
        "tried": 1,
        "lost": int(not (kept and reported)),
        "errors": int(read_tables(folder) != tables),
        "output": " ".join(notes),
    }


def _resume(folder: Path) -> list[str]:
    """Run the study as a user would; return its notes."""
    notes = _Notes()
    options = Options(SimulatedExecutor(), notes, figures=False)
    run_study(load_spec(overrides=OVERRIDES), folder, engine=REFERENCE.name, options=options)
    return notes.texts


def _content(file: Path) -> object:
    """Return what identifies a file, a link or a folder; None where there is nothing."""
    if file.is_symlink():
        return str(file.readlink())
    if file.is_dir():
        return sorted(file.iterdir())
    return file.read_bytes() if file.exists() else None
